import SSFKernels
import SSFTensors

/// Multi-head self-attention over a fused qkv: per sample and head `softmax(q k^T / sqrt D) v`.
///
/// - Shapes: qkv [B, N, 3 H D], rows q | k | v, each head-major; y [B, N, H D].
/// - Keeps: qkv, y and the log-sum-exp of each row of scores [B, H, N]; the probabilities are computed anew.
/// - Source: arXiv 1706.03762; the layout of timm's `Attention`.
public struct AttentionOperation: Operation {
    public var wiring: Wiring
    public let heads: Int
    /// Whether qkv is stored before its scale and shift, which stand behind it.
    var isDeferred = false

    init(site: String, input: ValueID, heads: Int) {
        self.heads = heads
        wiring = Wiring(site: site, inputs: [input])
    }

    public func outputShape(_ inputs: [Shape]) -> Shape {
        let qkv = inputs[0]
        precondition(qkv.rank == 3 && qkv[2] % (3 * heads) == 0, "qkv \(qkv) does not hold three times \(heads) heads")
        return [qkv[0], qkv[1], qkv[2] / 3]
    }

    public func forwardFLOPs(shapes: [Shape], output: Shape) -> Int { 4 * output.count * output[1] }

    public func retention(shapes: [Shape], output: Shape, need: GradientNeed) -> Retention {
        Retention(inputs: [need.any], output: need.any, buffers: [output[0] * heads * output[1]])
    }

    public func forward(_ context: OperationContext) {
        let (batch, tokens, channels) = sizes(context)
        let qkv = context.inputs[0]
        Attention.forward(
            batch: batch, tokens: tokens, heads: heads, headWidth: channels / heads, scale: scale(channels), q: qkv,
            k: qkv + channels, v: qkv + 2 * channels, rowStride: 3 * channels,
            affine: affine(context), out: context.output,
            logSumExp: context.buffers[0], workspace: context.workspace)
    }

    public func backward(_ context: OperationContext) {
        guard let dOut = context.outputGradient, let gradient = context.inputGradients[0] else { return }
        let (batch, tokens, channels) = sizes(context)
        let qkv = context.inputs[0]
        Attention.backward(
            batch: batch, tokens: tokens, heads: heads, headWidth: channels / heads, scale: scale(channels), q: qkv,
            k: qkv + channels, v: qkv + 2 * channels, rowStride: 3 * channels,
            affine: affine(context), out: context.output,
            logSumExp: context.buffers[0], dOut: dOut, dq: gradient, dk: gradient + channels,
            dv: gradient + 2 * channels, gradientRowStride: 3 * channels, workspace: context.workspace)
    }

    /// The scale and shift that stand behind qkv.
    private func affine(_ context: OperationContext) -> Attention.Affine? {
        guard isDeferred else { return nil }
        let scale = UnsafePointer(context.storedInputs[0].affine)
        return Attention.Affine(scale: scale, shift: scale + context.inputShapes[0][-1])
    }

    private func sizes(_ context: OperationContext) -> (batch: Int, tokens: Int, channels: Int) {
        (context.outputShape[0], context.outputShape[1], context.outputShape[2])
    }

    private func scale(_ channels: Int) -> Float {
        Float(1 / Double(channels / heads).squareRoot())
    }
}

extension Program {
    public mutating func attention(_ qkv: ValueID, site: String, heads: Int) -> ValueID {
        append(AttentionOperation(site: site, input: qkv, heads: heads))
    }
}
