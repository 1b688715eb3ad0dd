import SSFKernels
import SSFTensors

/// The exact Gaussian error linear unit, `x * (1 + erf(x / sqrt 2)) / 2`.
///
/// - Keeps: x.
/// - Source: arXiv 1606.08415; the erf form, as `torch.nn.GELU()`.
public struct GELUOperation: Operation {
    public var wiring: Wiring

    init(site: String, input: ValueID) {
        wiring = Wiring(site: site, inputs: [input])
    }

    public func outputShape(_ inputs: [Shape]) -> Shape { inputs[0] }
    public func forwardFLOPs(shapes: [Shape], output: Shape) -> Int { 20 * output.count }

    public func retention(shapes: [Shape], output: Shape, need: GradientNeed) -> Retention {
        Retention(inputs: [need.any])
    }

    public func forward(_ context: OperationContext) {
        GELU.forward(count: context.outputShape.count, x: context.inputs[0], y: context.output)
    }

    public func backward(_ context: OperationContext) {
        guard let dy = context.outputGradient, let dx = context.inputGradients[0] else { return }
        GELU.backward(count: context.outputShape.count, dy: dy, x: context.inputs[0], dx: dx)
    }
}

extension Program {
    public mutating func gelu(_ input: ValueID, site: String) -> ValueID {
        append(GELUOperation(site: site, input: input))
    }
}
