import SSFKernels

/// Sums of arrays: what a residual connection costs where nothing is fused.
///
///     elementwise count=2420736 [function=add|add-in-place]
struct ElementwiseCase: KernelCase {
    static let operation = "elementwise"

    enum Function: String, CaseIterable {
        case add
        case addInPlace = "add-in-place"
    }

    let count: Int
    let function: Function

    init(_ parameters: inout Parameters) throws {
        count = try parameters.count("count")
        function = try parameters.choice("function", .add)
    }

    var work: Work { .floats(3 * count) }

    func prepare() -> () -> Void {
        let arena = Arena()
        let a = arena.random(count)
        let result = arena.zeros(count)
        if function == .addInPlace {
            return {
                withExtendedLifetime(arena) {
                    var y = result.mutableSpan
                    Elementwise.addInPlace(x: a.span, into: &y)
                }
            }
        }
        let b = arena.random(count)
        return {
            withExtendedLifetime(arena) {
                var out = result.mutableSpan
                Elementwise.add(a: a.span, b: b.span, out: &out)
            }
        }
    }
}
