import SSFKernels
import SSFTensors

/// Layer normalisation of every query and key over the head width, as timm's `qk_norm`; values pass unchanged.
///
/// - Shapes: qkv in and out [B, N, 3 H D]; the four parameters [D].
/// - Keeps: the input, and mean and reciprocal deviation of every query and key.
/// - Source: timm's `Attention` with `qk_norm=True` (arXiv 2302.05442).
public struct QueryKeyNormOperation: Operation {
    public var wiring: Wiring
    let heads: Int
    let epsilon: Float

    init(site: String, input: ValueID, parameters: [ParameterID], heads: Int, epsilon: Float) {
        self.heads = heads
        self.epsilon = epsilon
        wiring = Wiring(site: site, inputs: [input], parameters: parameters)
    }

    public func outputShape(_ inputs: [Shape]) -> Shape { inputs[0] }
    public func forwardFLOPs(shapes: [Shape], output: Shape) -> Int { 8 * output.count * 2 / 3 }

    /// Buffers: 0 and 1 mean and reciprocal deviation of queries and of keys [2 B N H]; 2 to 4 queries or keys,
    /// their gradients behind and before the norm, gathered [B N H, D].
    public func retention(shapes: [Shape], output: Shape, need: GradientNeed) -> Retention {
        let part = output.count / 3
        let rows = output[0] * output[1] * heads
        return Retention(inputs: [need.any], buffers: [2 * rows, 2 * rows, part, part, need.any ? part : 0])
    }

    public func forward(_ context: OperationContext) {
        let channels = context.outputShape[2] / 3
        let tokens = context.outputShape[0] * context.outputShape[1]
        let width = channels / heads
        Elementwise.copyRows(
            rows: tokens, channels: channels, x: context.inputs[0] + 2 * channels, xRowStride: 3 * channels,
            y: context.output + 2 * channels, yRowStride: 3 * channels, accumulate: false)
        for part in 0..<2 {
            let gathered = context.buffers[2]
            let moments = context.buffers[part]
            Elementwise.copyRows(
                rows: tokens, channels: channels, x: context.inputs[0] + part * channels, xRowStride: 3 * channels,
                y: gathered, yRowStride: channels, accumulate: false)
            LayerNorm.forward(
                rows: tokens * heads, channels: width, x: gathered, weight: context.parameters[2 * part],
                bias: context.parameters[2 * part + 1], epsilon: epsilon, y: context.buffers[3], mean: moments,
                reciprocalDeviation: moments + tokens * heads)
            Elementwise.copyRows(
                rows: tokens, channels: channels, x: context.buffers[3], xRowStride: channels,
                y: context.output + part * channels, yRowStride: 3 * channels, accumulate: false)
        }
    }

    public func backward(_ context: OperationContext) {
        guard let dy = context.outputGradient else { return }
        let channels = context.outputShape[2] / 3
        let tokens = context.outputShape[0] * context.outputShape[1]
        let width = channels / heads
        if let dx = context.inputGradients[0] {
            Elementwise.copyRows(
                rows: tokens, channels: channels, x: dy + 2 * channels, xRowStride: 3 * channels,
                y: dx + 2 * channels, yRowStride: 3 * channels, accumulate: false)
        }
        for part in 0..<2 {
            let gathered = context.buffers[2]
            let gradient = context.buffers[3]
            let moments = context.buffers[part]
            Elementwise.copyRows(
                rows: tokens, channels: channels, x: context.inputs[0] + part * channels, xRowStride: 3 * channels,
                y: gathered, yRowStride: channels, accumulate: false)
            Elementwise.copyRows(
                rows: tokens, channels: channels, x: dy + part * channels, xRowStride: 3 * channels, y: gradient,
                yRowStride: channels, accumulate: false)
            LayerNorm.backward(
                rows: tokens * heads, channels: width, dy: gradient, x: gathered, mean: moments,
                reciprocalDeviation: moments + tokens * heads, weight: context.parameters[2 * part],
                dx: context.inputGradients[0] == nil ? nil : context.buffers[4], accumulate: false,
                dWeight: context.parameterGradients[2 * part], dBias: context.parameterGradients[2 * part + 1],
                workspace: context.workspace)
            if let dx = context.inputGradients[0] {
                Elementwise.copyRows(
                    rows: tokens, channels: channels, x: context.buffers[4], xRowStride: channels,
                    y: dx + part * channels,
                    yRowStride: 3 * channels, accumulate: false)
            }
        }
    }
}

extension Program {
    /// Records the norms with the parameters `<site>.q_norm.*` and `<site>.k_norm.*` [D].
    public mutating func queryKeyNorm(_ qkv: ValueID, site: String, heads: Int, epsilon: Double) -> ValueID {
        let width = shape(of: qkv)[2] / 3 / heads
        let parameters = ["q_norm", "k_norm"].flatMap { norm in
            [
                parameter("\(site).\(norm).weight", shape: [width], initializer: .constant(1)),
                parameter("\(site).\(norm).bias", shape: [width]),
            ]
        }
        return append(
            QueryKeyNormOperation(
                site: "\(site).qk_norm", input: qkv, parameters: parameters, heads: heads, epsilon: Float(epsilon)))
    }
}
