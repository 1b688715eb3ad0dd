import SSFKernels
import SSFTensors

/// Stochastic depth per sample: `y[b] = mask[b] * x[b]`, the mask drawn by the executor's owner before each step.
///
/// Fusion folds it into the linear before it.
///
/// - Shapes: x, y [B, ...]; mask [B].
/// - Keeps: the mask.
/// - Source: arXiv 1603.09382; timm's `DropPath` with `scale_by_keep`.
public struct DropPathOperation: Operation {
    public var wiring: Wiring

    init(site: String, input: ValueID, mask: ValueID) {
        wiring = Wiring(site: site, inputs: [input, mask])
    }

    public func outputShape(_ inputs: [Shape]) -> Shape { inputs[0] }
    public func forwardFLOPs(shapes: [Shape], output: Shape) -> Int { output.count }
    public func accumulatesGradient(ofInput index: Int) -> Bool { true }

    public func retention(shapes: [Shape], output: Shape, need: GradientNeed) -> Retention {
        Retention(inputs: [false, need.any])
    }

    public func forward(_ context: OperationContext) {
        let batch = context.outputShape[0]
        Elementwise.scaleRows(
            rows: batch, channels: context.outputShape.count / batch, x: context.inputs[0],
            rowScale: context.inputs[1], y: context.output, accumulate: false)
    }

    public func backward(_ context: OperationContext) {
        guard let dy = context.outputGradient, let dx = context.inputGradients[0] else { return }
        let batch = context.outputShape[0]
        Elementwise.scaleRows(
            rows: batch, channels: context.outputShape.count / batch, x: dy, rowScale: context.inputs[1], y: dx,
            accumulate: context.accumulates[0])
    }
}

extension Program {
    /// Records stochastic depth with the given rate; nothing at a rate of 0.
    public mutating func dropPath(_ branch: ValueID, site: String, rate: Double) -> ValueID {
        guard rate > 0 else { return branch }
        let mask = input(site, shape: [batch], role: .mask(rate: rate))
        return append(DropPathOperation(site: site, input: branch, mask: mask))
    }
}
