import SSFKernels
import SSFTensors

/// Softmax cross-entropy of logits against class indices, with label smoothing; one loss per sample.
///
/// - Shapes: logits [B, K]; labels [B] (32-bit integers); y [B].
/// - Keeps: logits and labels; the softmax is computed anew.
/// - Source: `timm.loss.LabelSmoothingCrossEntropy`; plain cross-entropy at a smoothing of 0.
public struct CrossEntropyOperation: Operation {
    public var wiring: Wiring
    let smoothing: Float

    init(logits: ValueID, labels: ValueID, smoothing: Float) {
        self.smoothing = smoothing
        wiring = Wiring(site: "loss", inputs: [logits, labels])
    }

    public func outputShape(_ inputs: [Shape]) -> Shape { [inputs[0][0]] }
    public func forwardFLOPs(shapes: [Shape], output: Shape) -> Int { 10 * shapes[0].count }

    public func retention(shapes: [Shape], output: Shape, need: GradientNeed) -> Retention {
        Retention(inputs: [need.any, need.any])
    }

    public func forward(_ context: OperationContext) {
        run(context, dLogits: nil)
    }

    public func backward(_ context: OperationContext) {
        guard let dLogits = context.inputGradients[0] else { return }
        run(context, dLogits: dLogits)
    }

    private func run(_ context: OperationContext, dLogits: UnsafeMutablePointer<Float>?) {
        let shape = context.inputShapes[0]
        let labels = UnsafeRawPointer(context.inputs[1]).assumingMemoryBound(to: Int32.self)
        CrossEntropy.forwardBackward(
            batch: shape[0], classes: shape[1], logits: context.inputs[0], labels: labels, smoothing: smoothing,
            gradientScale: context.lossScale, losses: context.output, dLogits: dLogits)
    }
}

extension Program {
    public mutating func crossEntropy(_ logits: ValueID, labels: ValueID, smoothing: Double) -> ValueID {
        append(CrossEntropyOperation(logits: logits, labels: labels, smoothing: Float(smoothing)))
    }
}
