import SSFKernels

/// Layer normalisation with the scale and shift of SSF folded into its weight and bias, so that one pass does both.
///
///     layer-norm rows=3152 channels=768 [pass=forward|backward]
///
/// Forward reads x and writes y. Backward reads dy and x, writes dx, and sums the gradients of the two vectors.
struct LayerNormCase: KernelCase {
    static let operation = "layer-norm"

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
        let weight = arena.random(channels)
        let bias = arena.random(channels)
        let mean = arena.zeros(rows)
        let deviation = arena.zeros(rows)
        let y = arena.zeros(rows * channels)
        let forward = {
            withExtendedLifetime(arena) {
                var ySpan = y.mutableSpan
                var meanSpan = mean.mutableSpan
                var deviationSpan = deviation.mutableSpan
                LayerNorm.forward(
                    rows: rows, channels: channels, x: x.span, weight: weight.span, bias: bias.span, epsilon: 1e-6,
                    y: &ySpan, mean: &meanSpan, reciprocalDeviation: &deviationSpan)
            }
        }
        if pass == .forward { return forward }
        forward()
        let dy = arena.random(rows * channels)
        let dWeight = arena.zeros(channels)
        let dBias = arena.zeros(channels)
        // y is not read by the backward pass: its memory holds dx.
        return {
            withExtendedLifetime(arena) {
                var dxSpan = y.mutableSpan
                var dWeightSpan = dWeight.mutableSpan
                var dBiasSpan = dBias.mutableSpan
                LayerNorm.backward(
                    rows: rows, channels: channels, dy: dy.span, x: x.span, mean: mean.span,
                    reciprocalDeviation: deviation.span, weight: weight.span, dx: &dxSpan, dWeight: &dWeightSpan,
                    dBias: &dBiasSpan, workspace: workspace)
            }
        }
    }
}
