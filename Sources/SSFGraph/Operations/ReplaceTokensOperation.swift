import SSFKernels
import SSFTensors

/// Puts learned tokens in the place of a run of tokens:
///
///     y[b] = [x[b, ..<first], tokens, x[b, (first + dropped)...]]
///
/// Nothing dropped inserts, no tokens removes, and both together replace, as deep prompts are at every block.
///
/// - Shapes: x [B, N, C]; tokens [1, n, C], the same for every sample; y [B, N - dropped + n, C].
/// - Keeps: nothing.
/// - Source: visual prompt tuning (arXiv 2203.12119), equations 4 to 7.
public struct ReplaceTokensOperation: Operation {
    public var wiring: Wiring
    let first: Int
    let dropped: Int
    let inserted: Int

    init(site: String, input: ValueID, first: Int, dropped: Int, tokens: (parameter: ParameterID, count: Int)?) {
        self.first = first
        self.dropped = dropped
        inserted = tokens?.count ?? 0
        wiring = Wiring(site: site, inputs: [input], parameters: tokens.map { [$0.parameter] } ?? [])
    }

    public func outputShape(_ inputs: [Shape]) -> Shape {
        let x = inputs[0]
        precondition(x.rank == 3 && first + dropped <= x[1], "\(x) has no tokens \(first) to \(first + dropped)")
        return [x[0], x[1] - dropped + inserted, x[2]]
    }

    public func forwardFLOPs(shapes: [Shape], output: Shape) -> Int { 0 }
    public func accumulatesGradient(ofInput index: Int) -> Bool { true }

    public func retention(shapes: [Shape], output: Shape, need: GradientNeed) -> Retention {
        Retention(inputs: [false])
    }

    /// Floats of a sample: of x and y, before the run, of the tokens put in, and behind the run.
    private func sizes(_ context: OperationContext) -> (x: Int, y: Int, before: Int, tokens: Int, behind: Int) {
        let channels = context.outputShape[2]
        let tokens = context.inputShapes[0][1]
        return (
            tokens * channels, context.outputShape[1] * channels, first * channels, inserted * channels,
            (tokens - first - dropped) * channels
        )
    }

    public func forward(_ context: OperationContext) {
        let size = sizes(context)
        for sample in 0..<context.outputShape[0] {
            let x = context.inputs[0] + sample * size.x
            let y = context.output + sample * size.y
            y.update(from: x, count: size.before)
            if inserted > 0 { (y + size.before).update(from: context.parameters[0], count: size.tokens) }
            (y + size.before + size.tokens).update(from: x + (size.x - size.behind), count: size.behind)
        }
    }

    public func backward(_ context: OperationContext) {
        guard let outputGradient = context.outputGradient else { return }
        let size = sizes(context)
        let tokenGradient = inserted > 0 ? context.parameterGradients[0] : nil
        for sample in 0..<context.outputShape[0] {
            let dy = outputGradient + sample * size.y
            if let tokenGradient {
                Elementwise.addInPlace(count: size.tokens, x: dy + size.before, into: tokenGradient)
            }
            guard let gradient = context.inputGradients[0] else { continue }
            let dx = gradient + sample * size.x
            let kept = [
                (from: dy, to: dx, count: size.before),
                (
                    from: dy + size.before + size.tokens, to: dx + (size.x - size.behind), count: size.behind
                ),
            ]
            for part in kept {
                if context.accumulates[0] {
                    Elementwise.addInPlace(count: part.count, x: part.from, into: part.to)
                } else {
                    part.to.update(from: part.from, count: part.count)
                }
            }
            if !context.accumulates[0] {
                (dx + size.before).update(repeating: 0, count: size.x - size.before - size.behind)
            }
        }
    }
}

extension Program {
    /// Records that `dropped` tokens from `first` on give way to the tokens of a parameter [1, n, C], if there is one.
    public mutating func replaceTokens(
        _ input: ValueID, site: String, first: Int, dropped: Int, by tokens: ParameterID? = nil
    ) -> ValueID {
        append(
            ReplaceTokensOperation(
                site: site, input: input, first: first, dropped: dropped,
                tokens: tokens.map { ($0, parameters[$0.index].shape[1]) }))
    }
}
