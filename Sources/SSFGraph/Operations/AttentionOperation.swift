import SSFKernels
import SSFTensors

/// Multi-head self-attention over a fused qkv: per sample and head `softmax(q k^T / sqrt D) v`.
///
/// Where a frozen weight makes qkv in bfloat16, its products are multiplied in that too.
///
/// - Shapes: qkv [B, N, 3 H D], rows q | k | v, each head-major; y [B, N, H D].
/// - Keeps: qkv and the log-sum-exp of each row of scores [B, H, N]; the probabilities are computed anew.
/// - Source: arXiv 1706.03762; the layout of timm's `Attention`.
public struct AttentionOperation: Operation {
    public var wiring: Wiring
    public let heads: Int
    /// Whether qkv is stored before its scale and shift, which stand behind it.
    var isDeferred = false
    /// What the factors of its products are rounded to.
    var precision = Precision.float32

    var qkv: ValueID { wiring.inputs[0] }

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
        Retention(inputs: [need.any], buffers: [output[0] * heads * output[1]])
    }

    public func forward(_ context: OperationContext) {
        Attention.forward(
            inputs(context), out: context.storedOutput.mutableMatrix, logSumExp: context.buffers[0],
            precision: precision, workspace: context.workspace)
    }

    public func backward(_ context: OperationContext) {
        guard let dOut = context.outputGradient, let gradient = context.inputGradients[0] else { return }
        let channels = context.outputShape[2]
        Attention.backward(
            inputs(context), logSumExp: context.buffers[0], dOut: dOut, dq: gradient,
            dk: gradient + channels, dv: gradient + 2 * channels, gradientRowStride: 3 * channels,
            precision: precision, workspace: context.workspace)
    }

    private func inputs(_ context: OperationContext) -> AttentionInputs {
        let (batch, tokens, channels) = (context.outputShape[0], context.outputShape[1], context.outputShape[2])
        let qkv = context.storedInputs[0].matrix
        return AttentionInputs(
            batch: batch, tokens: tokens, heads: heads, headWidth: channels / heads,
            scale: Float(1 / Double(channels / heads).squareRoot()), q: qkv, k: qkv.advanced(by: channels),
            v: qkv.advanced(by: 2 * channels), rowStride: 3 * channels, affine: affine(context))
    }

    /// The scale and shift that stand behind qkv.
    private func affine(_ context: OperationContext) -> Attention.Affine? {
        guard isDeferred else { return nil }
        let scale = UnsafePointer(context.storedInputs[0].affine)
        return Attention.Affine(scale: scale, shift: scale + context.inputShapes[0][-1])
    }
}

extension Program {
    public mutating func attention(_ qkv: ValueID, site: String, heads: Int) -> ValueID {
        append(AttentionOperation(site: site, input: qkv, heads: heads))
    }
}
