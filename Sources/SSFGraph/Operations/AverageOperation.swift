import SSFKernels
import SSFTensors

/// The mean of two values, as the two heads of a distilled model answer together.
///
/// - Shapes: all the same.
/// - Source: timm's `VisionTransformerDistilled.forward_head`.
public struct AverageOperation: Operation {
    public var wiring: Wiring

    init(site: String, _ a: ValueID, _ b: ValueID) {
        wiring = Wiring(site: site, inputs: [a, b])
    }

    public func outputShape(_ inputs: [Shape]) -> Shape {
        precondition(inputs[0] == inputs[1], "a mean needs equal shapes, not \(inputs[0]) and \(inputs[1])")
        return inputs[0]
    }

    public func forwardFLOPs(shapes: [Shape], output: Shape) -> Int { 2 * output.count }
    public func accumulatesGradient(ofInput index: Int) -> Bool { true }

    public func retention(shapes: [Shape], output: Shape, need: GradientNeed) -> Retention {
        Retention(inputs: [false, false])
    }

    public func forward(_ context: OperationContext) {
        for i in 0..<context.outputShape.count {
            context.output[i] = (context.inputs[0][i] + context.inputs[1][i]) / 2
        }
    }

    public func backward(_ context: OperationContext) {
        guard let dy = context.outputGradient else { return }
        for index in 0..<2 {
            guard let dx = context.inputGradients[index] else { continue }
            for i in 0..<context.outputShape.count {
                dx[i] = (context.accumulates[index] ? dx[i] : 0) + dy[i] / 2
            }
        }
    }
}

extension Program {
    public mutating func average(_ a: ValueID, _ b: ValueID, site: String) -> ValueID {
        append(AverageOperation(site: site, a, b))
    }
}
