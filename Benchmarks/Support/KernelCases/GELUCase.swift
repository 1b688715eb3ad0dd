import SSFKernels

/// The exact GELU.
///
///     gelu count=9682944 [pass=forward|backward]
struct GELUCase: KernelCase {
    static let operation = "gelu"

    let count: Int
    let pass: Pass

    init(_ parameters: inout Parameters) throws {
        count = try parameters.count("count")
        pass = try parameters.choice("pass", .forward)
    }

    var work: Work { .floats((pass == .forward ? 2 : 3) * count) }

    func prepare() -> () -> Void {
        let arena = Arena()
        let x = arena.random(count)
        // Pre-activations reach further than [-1, 1).
        for i in x.indices { x[i] *= 4 }
        let result = arena.zeros(count)
        if pass == .forward {
            return {
                withExtendedLifetime(arena) {
                    var y = result.mutableSpan
                    GELU.forward(x: x.span, y: &y)
                }
            }
        }
        let dy = arena.random(count)
        return {
            withExtendedLifetime(arena) {
                var dx = result.mutableSpan
                GELU.backward(dy: dy.span, x: x.span, dx: &dx)
            }
        }
    }
}
