import SSFKernels
import SSFTensors

/// Layer normalisation over the last axis, and the scales and shifts that fusion folds behind its own affine.
///
///     y = S * (x - mean) / sqrt(variance + epsilon) + T
///
/// - Shapes: x, y [..., C].
/// - Keeps: x, and mean and reciprocal deviation per row.
/// - Source: Ba et al. 2016 (arXiv 1607.06450); biased variance, as `torch.nn.LayerNorm`.
public struct LayerNormOperation: Operation {
    public var wiring: Wiring
    public let epsilon: Float
    var chain = AffineChain()

    init(site: String, input: ValueID, weight: ParameterID?, bias: ParameterID?, epsilon: Float) {
        self.epsilon = epsilon
        let parameters = [weight, bias].compactMap { $0 }
        wiring = Wiring(site: site, inputs: [input], parameters: parameters)
        chain.append(scale: weight == nil ? nil : 0, shift: bias == nil ? nil : (weight == nil ? 0 : 1))
    }

    public func outputShape(_ inputs: [Shape]) -> Shape { inputs[0] }

    public func forwardFLOPs(shapes: [Shape], output: Shape) -> Int { 8 * output.count }

    public func accumulatesGradient(ofInput index: Int) -> Bool { true }

    /// Buffers: 0 composed S, T [2C]; 1 mean and reciprocal deviation [2 rows]; 2 dS, dT and the chain's scratch.
    public func retention(shapes: [Shape], output: Shape, need: GradientNeed) -> Retention {
        let channels = output[-1]
        return Retention(
            inputs: [need.any],
            buffers: [
                2 * channels, 2 * (output.count / max(channels, 1)),
                chain.needsGradient(need) ? 2 * channels + chain.scratchCount(channels: channels) : 0,
            ])
    }

    public func forward(_ context: OperationContext) {
        let channels = context.outputShape[-1]
        let rows = context.outputShape.count / channels
        let scale = context.buffers[0]
        let shift = scale + channels
        chain.compose(channels: channels, parameters: context.parameters, scale: scale, shift: shift)
        LayerNorm.forward(
            rows: rows, channels: channels, x: context.inputs[0], weight: scale, bias: shift, epsilon: epsilon,
            y: context.output, mean: context.buffers[1], reciprocalDeviation: context.buffers[1] + rows)
    }

    public func backward(_ context: OperationContext) {
        guard let outputGradient = context.outputGradient else { return }
        let channels = context.outputShape[-1]
        let rows = context.outputShape.count / channels
        let wantsChain = chain.needsGradient(context.need)
        let dS = wantsChain ? context.buffers[2] : nil
        if let dS { dS.update(repeating: 0, count: 2 * channels) }
        LayerNorm.backward(
            rows: rows, channels: channels, dy: outputGradient, x: context.inputs[0], mean: context.buffers[1],
            reciprocalDeviation: context.buffers[1] + rows, weight: context.buffers[0],
            dx: context.inputGradients[0], accumulate: context.accumulates[0], dWeight: dS,
            dBias: dS.map { $0 + channels }, workspace: context.workspace)
        if let dS {
            chain.backward(
                channels: channels, parameters: context.parameters, gradients: context.parameterGradients,
                scaleGradient: dS, shiftGradient: dS + channels, scratch: dS + 2 * channels)
        }
    }
}

extension Program {
    /// Records a layer normalisation with the parameters `<site>.weight` and `<site>.bias` [C].
    public mutating func layerNorm(
        _ input: ValueID, site: String, epsilon: Double, weight: Bool = true, bias: Bool = true
    ) -> ValueID {
        let channels = shape(of: input)[-1]
        return append(
            LayerNormOperation(
                site: site, input: input,
                weight: weight ? parameter("\(site).weight", shape: [channels], initializer: .constant(1)) : nil,
                bias: bias ? parameter("\(site).bias", shape: [channels]) : nil, epsilon: Float(epsilon)))
    }
}
