import SSFTensors

/// The rectified linear unit, `max(x, 0)`; its derivative at 0 is 0.
///
/// Meant for bottlenecks of a few dozen channels, on which it runs on the calling thread.
///
/// - Keeps: y.
/// - Source: as `torch.nn.ReLU`.
public struct ReLUOperation: Operation {
    public var wiring: Wiring

    init(site: String, input: ValueID) {
        wiring = Wiring(site: site, inputs: [input])
    }

    public func outputShape(_ inputs: [Shape]) -> Shape { inputs[0] }
    public func forwardFLOPs(shapes: [Shape], output: Shape) -> Int { output.count }

    public func retention(shapes: [Shape], output: Shape, need: GradientNeed) -> Retention {
        Retention(inputs: [false], output: need.any)
    }

    public func forward(_ context: OperationContext) {
        let x = context.inputs[0]
        let y = context.output
        for i in 0..<context.outputShape.count { y[i] = max(x[i], 0) }
    }

    public func backward(_ context: OperationContext) {
        guard let dy = context.outputGradient, let dx = context.inputGradients[0] else { return }
        let y = context.output
        for i in 0..<context.outputShape.count { dx[i] = y[i] > 0 ? dy[i] : 0 }
    }
}

extension Program {
    public mutating func relu(_ input: ValueID, site: String) -> ValueID {
        append(ReLUOperation(site: site, input: input))
    }
}
