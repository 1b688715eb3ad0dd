import SSFKernels
import SSFTensors

/// A linear operation of groups that do not see each other: output channels of group g read the input channels of group
/// g alone, as a convolution of size 1 with `groups`.
///
///     y[m, g N/G + n] = sum_k x[m, g K/G + k] W[g N/G + n, k] + bias[g N/G + n]
///
/// - Shapes: x [..., K]; W [N, K/G]; bias [N]; y [..., N]; G divides K and N.
/// - Keeps: x where W is trained.
/// - Source: as `torch.nn.Conv1d(K, N, 1, groups=G)`.
public struct GroupedLinearOperation: Operation {
    public var wiring: Wiring
    public let outputChannels: Int
    public let groups: Int

    init(
        site: String, input: ValueID, weight: ParameterID, bias: ParameterID, outputChannels: Int, groups: Int
    ) {
        self.outputChannels = outputChannels
        self.groups = groups
        wiring = Wiring(site: site, inputs: [input], parameters: [weight, bias])
    }

    public func outputShape(_ inputs: [Shape]) -> Shape {
        precondition(
            groups > 0 && inputs[0][-1] % groups == 0 && outputChannels % groups == 0,
            "\(groups) groups do not divide \(inputs[0][-1]) and \(outputChannels) channels")
        return Shape(inputs[0].dimensions.dropLast() + [outputChannels])
    }

    public func forwardFLOPs(shapes: [Shape], output: Shape) -> Int { 2 * output.count * shapes[0][-1] / groups }
    public func accumulatesGradient(ofInput index: Int) -> Bool { true }

    public func retention(shapes: [Shape], output: Shape, need: GradientNeed) -> Retention {
        Retention(inputs: [need.parameters[0]])
    }

    /// Rows, channels in and out, and those of one group.
    private func sizes(_ context: OperationContext) -> (m: Int, k: Int, groupK: Int, groupN: Int) {
        let k = context.inputShapes[0][-1]
        return (context.outputShape.count / outputChannels, k, k / groups, outputChannels / groups)
    }

    public func forward(_ context: OperationContext) {
        let (m, k, groupK, groupN) = sizes(context)
        for group in 0..<groups {
            var epilogue = GEMMEpilogue()
            epilogue.shift = UnsafePointer(context.parameters[1] + group * groupN)
            GEMM.multiply(
                m: m, n: groupN, k: groupK, a: context.inputs[0] + group * groupK, aRowStride: k, aColumnStride: 1,
                b: context.parameters[0] + group * groupN * groupK, bRowStride: 1, bColumnStride: groupK,
                c: context.output + group * groupN, cRowStride: outputChannels, epilogue: epilogue,
                workspace: context.workspace)
        }
    }

    public func backward(_ context: OperationContext) {
        guard let dy = context.outputGradient else { return }
        let (m, k, groupK, groupN) = sizes(context)
        if let biasGradient = context.parameterGradients[1] {
            ColumnSum.add(
                rows: m, channels: outputChannels, x: dy, rowStride: outputChannels, into: biasGradient,
                workspace: context.workspace)
        }
        for group in 0..<groups {
            let groupDy = dy + group * groupN
            let weights = group * groupN * groupK
            if let weightGradient = context.parameterGradients[0] {
                GEMM.multiply(
                    m: groupN, n: groupK, k: m, a: groupDy, aRowStride: 1, aColumnStride: outputChannels,
                    b: context.inputs[0] + group * groupK, bRowStride: k, bColumnStride: 1, c: weightGradient + weights,
                    cRowStride: groupK, accumulate: true, workspace: context.workspace)
            }
            if let dx = context.inputGradients[0] {
                GEMM.multiply(
                    m: m, n: groupK, k: groupN, a: groupDy, aRowStride: outputChannels, aColumnStride: 1,
                    b: context.parameters[0] + weights, bRowStride: groupK, bColumnStride: 1, c: dx + group * groupK,
                    cRowStride: k, accumulate: context.accumulates[0], workspace: context.workspace)
            }
        }
    }
}

extension Program {
    /// Records the grouped operation with the parameters `<site>.weight` [N, K / groups] and `<site>.bias` [N].
    public mutating func groupedLinear(
        _ input: ValueID, site: String, outputChannels: Int, groups: Int, initializer: Initializer
    ) -> ValueID {
        let weight = parameter(
            "\(site).weight", shape: [outputChannels, shape(of: input)[-1] / groups], initializer: initializer)
        let bias = parameter("\(site).bias", shape: [outputChannels])
        return append(
            GroupedLinearOperation(
                site: site, input: input, weight: weight, bias: bias, outputChannels: outputChannels, groups: groups))
    }
}
