import SSFKernels

/// Scale and shift alone, as behind a layer whose product cannot take it.
///
///     scale-shift rows=3152 channels=768 [pass=forward|backward]
struct ScaleShiftCase: KernelCase {
    static let operation = "scale-shift"

    let rows, channels: Int
    let pass: Pass

    init(_ parameters: inout Parameters) throws {
        rows = try parameters.count("rows")
        channels = try parameters.count("channels")
        pass = try parameters.choice("pass", .forward)
    }

    var work: Work { .floats((pass == .forward ? 2 : 3) * rows * channels) }

    func prepare() -> () -> Void {
        let (rows, channels) = (rows, channels)
        let arena = Arena()
        let workspace = Workspace()
        let x = arena.random(rows * channels)
        let scale = arena.random(channels)
        let shift = arena.random(channels)
        let result = arena.zeros(rows * channels)
        if pass == .forward {
            return {
                withExtendedLifetime(arena) {
                    var y = result.mutableSpan
                    ScaleShift.forward(
                        rows: rows, channels: channels, x: x.span, scale: scale.span, shift: shift.span, y: &y)
                }
            }
        }
        let dy = arena.random(rows * channels)
        let scaleGradient = arena.zeros(channels)
        let shiftGradient = arena.zeros(channels)
        return {
            withExtendedLifetime(arena) {
                var dx = result.mutableSpan
                var dScale = scaleGradient.mutableSpan
                var dShift = shiftGradient.mutableSpan
                ScaleShift.backward(
                    rows: rows, channels: channels, dy: dy.span, x: x.span, scale: scale.span, dx: &dx,
                    dScale: &dScale, dShift: &dShift, workspace: workspace)
            }
        }
    }
}
