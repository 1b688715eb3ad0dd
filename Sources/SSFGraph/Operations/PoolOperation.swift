import SSFKernels
import SSFTensors

/// Reduces tokens to one vector per sample: one token as it is, or the mean from a first token on.
///
/// - Shapes: x [B, N, C]; y [B, C].
/// - Source: timm's `global_pool_nlc`.
public struct PoolOperation: Operation {
    public enum Kind: Sendable, Equatable {
        case token(Int)
        /// The mean of the tokens `first...`.
        case mean(first: Int)
    }

    public var wiring: Wiring
    let kind: Kind

    init(site: String, input: ValueID, kind: Kind) {
        self.kind = kind
        wiring = Wiring(site: site, inputs: [input])
    }

    public func outputShape(_ inputs: [Shape]) -> Shape { [inputs[0][0], inputs[0][2]] }

    public func forwardFLOPs(shapes: [Shape], output: Shape) -> Int {
        switch kind {
        case .token: 0
        case .mean: shapes[0].count
        }
    }

    public func accumulatesGradient(ofInput index: Int) -> Bool { true }

    public func retention(shapes: [Shape], output: Shape, need: GradientNeed) -> Retention {
        Retention(inputs: [false])
    }

    public func forward(_ context: OperationContext) {
        let shape = context.inputShapes[0]
        let (batch, tokens, channels) = (shape[0], shape[1], shape[2])
        switch kind {
        case .token(let token):
            Elementwise.copyRows(
                rows: batch, channels: channels, x: context.inputs[0] + token * channels,
                xRowStride: tokens * channels, y: context.output, yRowStride: channels, accumulate: false)
        case .mean(let first):
            Tokens.mean(
                batch: batch, tokens: tokens, first: first, channels: channels, x: context.inputs[0], y: context.output)
        }
    }

    public func backward(_ context: OperationContext) {
        guard let dy = context.outputGradient, let dx = context.inputGradients[0] else { return }
        let shape = context.inputShapes[0]
        let (batch, tokens, channels) = (shape[0], shape[1], shape[2])
        switch kind {
        case .token(let token):
            if !context.accumulates[0] { Elementwise.fill(count: shape.count, value: 0, y: dx) }
            Elementwise.copyRows(
                rows: batch, channels: channels, x: dy, xRowStride: channels, y: dx + token * channels,
                yRowStride: tokens * channels, accumulate: true)
        case .mean(let first):
            Tokens.meanBackward(
                batch: batch, tokens: tokens, first: first, channels: channels, dy: dy, dx: dx,
                accumulate: context.accumulates[0])
        }
    }
}

extension Program {
    public mutating func pool(_ tokens: ValueID, site: String, kind: PoolOperation.Kind) -> ValueID {
        append(PoolOperation(site: site, input: tokens, kind: kind))
    }
}
