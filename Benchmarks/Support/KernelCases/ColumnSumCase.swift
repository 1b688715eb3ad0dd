import SSFKernels

/// Sums over rows, the gradient of a bias.
///
///     column-sum rows=3152 channels=768
struct ColumnSumCase: KernelCase {
    static let operation = "column-sum"

    let rows, channels: Int

    init(_ parameters: inout Parameters) throws {
        rows = try parameters.count("rows")
        channels = try parameters.count("channels")
    }

    var work: Work { .floats(rows * channels) }

    func prepare() -> () -> Void {
        let (rows, channels) = (rows, channels)
        let arena = Arena()
        let workspace = Workspace()
        let x = arena.random(rows * channels)
        let sums = arena.zeros(channels)
        return {
            withExtendedLifetime(arena) {
                var result = sums.mutableSpan
                ColumnSum.add(rows: rows, channels: channels, x: x.span, into: &result, workspace: workspace)
            }
        }
    }
}
