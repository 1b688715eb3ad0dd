import SSFKernels
import SSFTensors

/// The sum of the residual stream and a branch: `y = x + branch`.
///
/// Fusion folds it into the linear that makes the branch.
///
/// - Shapes: all the same.
/// - Keeps: nothing; the gradient passes to both inputs as it is.
public struct AddOperation: Operation {
    public var wiring: Wiring

    init(site: String, residual: ValueID, branch: ValueID) {
        precondition(residual != branch, "a sum needs two values")
        wiring = Wiring(site: site, inputs: [residual, branch])
    }

    public func outputShape(_ inputs: [Shape]) -> Shape {
        precondition(inputs[0] == inputs[1], "a sum needs equal shapes, not \(inputs[0]) and \(inputs[1])")
        return inputs[0]
    }

    public func forwardFLOPs(shapes: [Shape], output: Shape) -> Int { output.count }
    public func passesGradient(toInput index: Int) -> Bool { index == 0 }
    public func accumulatesGradient(ofInput index: Int) -> Bool { true }

    public func retention(shapes: [Shape], output: Shape, need: GradientNeed) -> Retention {
        Retention(inputs: [false, false])
    }

    public func forward(_ context: OperationContext) {
        Elementwise.add(
            count: context.outputShape.count, a: context.inputs[0], b: context.inputs[1], out: context.output)
    }

    public func backward(_ context: OperationContext) {
        guard let dy = context.outputGradient else { return }
        let count = context.outputShape.count
        for index in 0..<2 {
            guard let dx = context.inputGradients[index], dx != dy else { continue }
            if context.accumulates[index] {
                Elementwise.addInPlace(count: count, x: dy, into: dx)
            } else {
                dx.update(from: dy, count: count)
            }
        }
    }
}

extension Program {
    public mutating func add(_ residual: ValueID, _ branch: ValueID, site: String) -> ValueID {
        append(AddOperation(site: site, residual: residual, branch: branch))
    }
}
