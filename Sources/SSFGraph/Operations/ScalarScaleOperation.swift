import SSFKernels
import SSFTensors

/// One scale for all channels: `y = s * x`, where s is a single parameter.
///
/// - Shapes: x, y [..., C]; s [1].
/// - Keeps: x where s is trained.
/// - Source: SSF (arXiv 2210.08823), the "scalar scale" of its Table 6d.
public struct ScalarScaleOperation: Operation {
    public var wiring: Wiring

    init(site: String, input: ValueID, scale: ParameterID) {
        wiring = Wiring(site: site, inputs: [input], parameters: [scale])
    }

    public func outputShape(_ inputs: [Shape]) -> Shape { inputs[0] }
    public func forwardFLOPs(shapes: [Shape], output: Shape) -> Int { output.count }
    public func accumulatesGradient(ofInput index: Int) -> Bool { true }

    /// Buffers: 0 the scale of every channel [C]; 1 its gradient per channel [C].
    public func retention(shapes: [Shape], output: Shape, need: GradientNeed) -> Retention {
        Retention(
            inputs: [need.parameters[0]], buffers: [output[-1], need.parameters[0] ? output[-1] : 0])
    }

    public func forward(_ context: OperationContext) {
        let channels = context.outputShape[-1]
        context.buffers[0].update(repeating: context.parameters[0][0], count: channels)
        ScaleShift.forward(
            rows: context.outputShape.count / channels, channels: channels, x: context.inputs[0],
            scale: UnsafePointer(context.buffers[0]), shift: nil, y: context.output)
    }

    public func backward(_ context: OperationContext) {
        guard let outputGradient = context.outputGradient else { return }
        let channels = context.outputShape[-1]
        let scaleGradient = context.parameterGradients[0]
        let sums = scaleGradient == nil ? nil : context.buffers[1]
        sums?.update(repeating: 0, count: channels)
        ScaleShift.backward(
            rows: context.outputShape.count / channels, channels: channels, dy: outputGradient,
            x: sums == nil ? nil : UnsafePointer(context.inputs[0]), scale: UnsafePointer(context.buffers[0]),
            dx: context.inputGradients[0], accumulate: context.accumulates[0], dScale: sums, dShift: nil,
            workspace: context.workspace)
        if let scaleGradient, let sums {
            scaleGradient[0] += Float((0..<channels).reduce(0.0) { $0 + Double(sums[$1]) })
        }
    }
}

extension Program {
    /// Records the multiplication with a parameter [1].
    public mutating func scalarScale(_ input: ValueID, site: String, scale: ParameterID) -> ValueID {
        append(ScalarScaleOperation(site: site, input: input, scale: scale))
    }
}
