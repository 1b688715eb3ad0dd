import SSFKernels
import SSFTensors

/// Adds narrower values to runs of channels: `y = x`, and `y[..., o_i ..< o_i + C_i] += branch_i` for each branch.
///
/// So a change of the queries and the values alone joins a fused qkv.
///
/// - Shapes: x, y [..., C]; branch i [..., C_i]; the runs lie within C and do not overlap.
/// - Keeps: nothing; the gradient passes to x as it is.
public struct AddToChannelsOperation: Operation {
    public var wiring: Wiring
    /// First channel of each branch.
    let offsets: [Int]

    init(site: String, input: ValueID, branches: [(value: ValueID, offset: Int)]) {
        offsets = branches.map(\.offset)
        wiring = Wiring(site: site, inputs: [input] + branches.map(\.value))
    }

    public func outputShape(_ inputs: [Shape]) -> Shape {
        for (branch, offset) in zip(inputs.dropFirst(), offsets) {
            precondition(
                branch.dimensions.dropLast() == inputs[0].dimensions.dropLast() && offset + branch[-1] <= inputs[0][-1],
                "\(branch) at channel \(offset) does not fit \(inputs[0])")
        }
        return inputs[0]
    }

    public func forwardFLOPs(shapes: [Shape], output: Shape) -> Int {
        shapes.dropFirst().reduce(0) { $0 + $1.count }
    }

    public func passesGradient(toInput index: Int) -> Bool { index == 0 }
    public func accumulatesGradient(ofInput index: Int) -> Bool { true }

    public func retention(shapes: [Shape], output: Shape, need: GradientNeed) -> Retention {
        Retention(inputs: shapes.map { _ in false })
    }

    public func forward(_ context: OperationContext) {
        let channels = context.outputShape[-1]
        let rows = context.outputShape.count / channels
        Elementwise.copyRows(
            rows: rows, channels: channels, x: context.inputs[0], xRowStride: channels, y: context.output,
            yRowStride: channels, accumulate: false)
        for (branch, offset) in offsets.enumerated() {
            let width = context.inputShapes[branch + 1][-1]
            Elementwise.copyRows(
                rows: rows, channels: width, x: context.inputs[branch + 1], xRowStride: width,
                y: context.output + offset, yRowStride: channels, accumulate: true)
        }
    }

    public func backward(_ context: OperationContext) {
        guard let dy = context.outputGradient else { return }
        let channels = context.outputShape[-1]
        let rows = context.outputShape.count / channels
        for (branch, offset) in offsets.enumerated() {
            guard let gradient = context.inputGradients[branch + 1] else { continue }
            let width = context.inputShapes[branch + 1][-1]
            Elementwise.copyRows(
                rows: rows, channels: width, x: dy + offset, xRowStride: channels, y: gradient, yRowStride: width,
                accumulate: context.accumulates[branch + 1])
        }
        // Last: where the two share a buffer, nothing is left to do.
        guard let dx = context.inputGradients[0], dx != dy else { return }
        Elementwise.copyRows(
            rows: rows, channels: channels, x: dy, xRowStride: channels, y: dx, yRowStride: channels,
            accumulate: context.accumulates[0])
    }
}

extension Program {
    /// Records the sum of `input` and branches that begin at the given channels.
    public mutating func addToChannels(
        _ input: ValueID, branches: [(value: ValueID, offset: Int)], site: String
    ) -> ValueID {
        append(AddToChannelsOperation(site: site, input: input, branches: branches))
    }
}
