import SSFKernels
import SSFTensors

/// A scale and a shift per channel: `y = scale * x + shift`. SSF's own operation, and timm's LayerScale.
///
/// Fusion folds it into the linear or norm before it where that has no other consumer.
///
/// - Shapes: x, y [..., C]; scale, shift [C], either may be absent.
/// - Keeps: x where the scale is trained.
/// - Source: SSF (arXiv 2210.08823) equation 2; LayerScale (arXiv 2103.17239).
public struct ScaleAndShiftOperation: Operation {
    public var wiring: Wiring
    let hasScale: Bool
    let hasShift: Bool

    public init(site: String, input: ValueID, scale: ParameterID?, shift: ParameterID?) {
        hasScale = scale != nil
        hasShift = shift != nil
        wiring = Wiring(site: site, inputs: [input], parameters: [scale, shift].compactMap { $0 })
    }

    var scaleIndex: Int? { hasScale ? 0 : nil }
    var shiftIndex: Int? { hasShift ? (hasScale ? 1 : 0) : nil }

    public func outputShape(_ inputs: [Shape]) -> Shape { inputs[0] }
    public func forwardFLOPs(shapes: [Shape], output: Shape) -> Int { 2 * output.count }
    public func accumulatesGradient(ofInput index: Int) -> Bool { true }

    public func retention(shapes: [Shape], output: Shape, need: GradientNeed) -> Retention {
        Retention(inputs: [scaleIndex.map { need.parameters[$0] } ?? false])
    }

    public func forward(_ context: OperationContext) {
        let channels = context.outputShape[-1]
        ScaleShift.forward(
            rows: context.outputShape.count / channels, channels: channels, x: context.inputs[0],
            scale: scaleIndex.map { UnsafePointer(context.parameters[$0]) },
            shift: shiftIndex.map { UnsafePointer(context.parameters[$0]) }, y: context.output)
    }

    public func backward(_ context: OperationContext) {
        guard let outputGradient = context.outputGradient else { return }
        let channels = context.outputShape[-1]
        let dScale = scaleIndex.flatMap { context.parameterGradients[$0] }
        ScaleShift.backward(
            rows: context.outputShape.count / channels, channels: channels, dy: outputGradient,
            x: dScale == nil ? nil : UnsafePointer(context.inputs[0]),
            scale: scaleIndex.map { UnsafePointer(context.parameters[$0]) }, dx: context.inputGradients[0],
            accumulate: context.accumulates[0], dScale: dScale,
            dShift: shiftIndex.flatMap { context.parameterGradients[$0] }, workspace: context.workspace)
    }
}

extension Program {
    /// Records timm's LayerScale: a multiplication per channel with the parameter `<site>.gamma` [C].
    public mutating func layerScale(_ input: ValueID, site: String, initial: Double) -> ValueID {
        let gamma = parameter("\(site).gamma", shape: [shape(of: input)[-1]], initializer: .constant(initial))
        return append(ScaleAndShiftOperation(site: site, input: input, scale: gamma, shift: nil))
    }
}
