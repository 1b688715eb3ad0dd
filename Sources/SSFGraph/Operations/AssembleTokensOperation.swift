import SSFKernels
import SSFTensors

/// Puts the prefix tokens (class, distillation, registers) before the patch tokens and adds the position embedding.
///
///     y[b] = [prefix_0, ..., prefix_(P-1), x[b]] + position
///
/// The position embedding covers all tokens, or the patch tokens only (timm's `no_embed_class`).
///
/// - Shapes: x [B, N, C]; each prefix [1, p, C]; position [1, P + N, C] or [1, N, C]; y [B, P + N, C].
/// - Source: timm's `VisionTransformer._pos_embed`.
public struct AssembleTokensOperation: Operation {
    public var wiring: Wiring
    /// Tokens of each prefix parameter.
    let prefixLengths: [Int]
    let hasPosition: Bool
    let positionCoversPrefix: Bool

    private var prefixLength: Int { prefixLengths.reduce(0, +) }

    init(
        site: String, input: ValueID, prefixes: [(ParameterID, Int)], position: ParameterID?,
        positionCoversPrefix: Bool
    ) {
        prefixLengths = prefixes.map(\.1)
        hasPosition = position != nil
        self.positionCoversPrefix = positionCoversPrefix
        wiring = Wiring(site: site, inputs: [input], parameters: prefixes.map(\.0) + (position.map { [$0] } ?? []))
    }

    public func outputShape(_ inputs: [Shape]) -> Shape {
        [inputs[0][0], inputs[0][1] + prefixLength, inputs[0][2]]
    }

    public func forwardFLOPs(shapes: [Shape], output: Shape) -> Int { hasPosition ? output.count : 0 }
    public func accumulatesGradient(ofInput index: Int) -> Bool { true }

    public func retention(shapes: [Shape], output: Shape, need: GradientNeed) -> Retention {
        Retention(inputs: [false])
    }

    public func forward(_ context: OperationContext) {
        let (batch, patches, channels) = sizes(context)
        let tokens = patches + prefixLength
        let position = hasPosition ? context.parameters[prefixLengths.count] : nil
        for sample in 0..<batch {
            let out = context.output + sample * tokens * channels
            var token = 0
            for (index, length) in prefixLengths.enumerated() {
                (out + token * channels).update(from: context.parameters[index], count: length * channels)
                token += length
            }
            (out + token * channels).update(
                from: context.inputs[0] + sample * patches * channels, count: patches * channels)
            if let position {
                let first = positionCoversPrefix ? 0 : prefixLength
                Elementwise.addInPlace(count: (tokens - first) * channels, x: position, into: out + first * channels)
            }
        }
    }

    public func backward(_ context: OperationContext) {
        guard let dy = context.outputGradient else { return }
        let (batch, patches, channels) = sizes(context)
        let tokens = patches + prefixLength
        for sample in 0..<batch {
            let gradient = dy + sample * tokens * channels
            var token = 0
            for (index, length) in prefixLengths.enumerated() {
                if let prefix = context.parameterGradients[index] {
                    Elementwise.addInPlace(count: length * channels, x: gradient + token * channels, into: prefix)
                }
                token += length
            }
            if hasPosition, let position = context.parameterGradients[prefixLengths.count] {
                let first = positionCoversPrefix ? 0 : prefixLength
                Elementwise.addInPlace(
                    count: (tokens - first) * channels, x: gradient + first * channels, into: position)
            }
            if let dx = context.inputGradients[0] {
                Elementwise.copyRows(
                    rows: patches, channels: channels, x: gradient + prefixLength * channels, xRowStride: channels,
                    y: dx + sample * patches * channels, yRowStride: channels, accumulate: context.accumulates[0])
            }
        }
    }

    private func sizes(_ context: OperationContext) -> (batch: Int, patches: Int, channels: Int) {
        (context.inputShapes[0][0], context.inputShapes[0][1], context.inputShapes[0][2])
    }
}

extension Program {
    /// Records the assembly; `prefixes` are the names and token counts of the prefix parameters in order.
    public mutating func assembleTokens(
        _ patches: ValueID, site: String, prefixes: [(name: String, tokens: Int)], position: String?,
        positionCoversPrefix: Bool
    ) -> ValueID {
        let shape = shape(of: patches)
        let channels = shape[2]
        let prefixParameters = prefixes.map {
            (
                parameter($0.name, shape: [1, $0.tokens, channels], initializer: .truncatedNormal(deviation: 0.02)),
                $0.tokens
            )
        }
        let covered = shape[1] + (positionCoversPrefix ? prefixes.reduce(0) { $0 + $1.tokens } : 0)
        let positionParameter = position.map {
            parameter($0, shape: [1, covered, channels], initializer: .truncatedNormal(deviation: 0.02))
        }
        return append(
            AssembleTokensOperation(
                site: site, input: patches, prefixes: prefixParameters, position: positionParameter,
                positionCoversPrefix: positionCoversPrefix))
    }
}
