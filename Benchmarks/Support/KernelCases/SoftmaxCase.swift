import SSFKernels

/// Softmax over rows.
///
///     softmax rows=37824 columns=197 [pass=forward|backward]
struct SoftmaxCase: KernelCase {
    static let operation = "softmax"

    let rows, columns: Int
    let pass: Pass

    init(_ parameters: inout Parameters) throws {
        rows = try parameters.count("rows")
        columns = try parameters.count("columns")
        pass = try parameters.choice("pass", .forward)
    }

    var work: Work { .floats((pass == .forward ? 2 : 3) * rows * columns) }

    func prepare() -> () -> Void {
        let (rows, columns) = (rows, columns)
        let arena = Arena()
        let x = arena.random(rows * columns)
        let result = arena.zeros(rows * columns)
        let forward = {
            withExtendedLifetime(arena) {
                var y = result.mutableSpan
                Softmax.forward(rows: rows, columns: columns, x: x.span, y: &y)
            }
        }
        if pass == .forward { return forward }
        forward()
        let dy = arena.random(rows * columns)
        return {
            withExtendedLifetime(arena) {
                var dx = x.mutableSpan
                Softmax.backward(rows: rows, columns: columns, dy: dy.span, y: result.span, dx: &dx)
            }
        }
    }
}
