import SSFKernels
import SSFTensors

/// Gradient descent with momentum over one flat vector of trainable numbers, with the semantics of `torch.optim.SGD`:
/// weight decay is added to the gradient, the rate stands outside the momentum.
public final class SGDOptimizer: Optimizer {
    public let segments: [DecaySegment]
    public let momentum: Float
    public let isNesterov: Bool
    public private(set) var stepCount = 0
    /// The running sum of gradients, [trainables].
    public let buffer: Tensor

    /// - Parameters:
    ///   - count: how many numbers train.
    ///   - segments: which of them decay and how much.
    ///   - momentum: the part of the running sum that stays from step to step, 0..<1.
    /// - Precondition: the segments cover `0..<count` in order and without a gap.
    public init(count: Int, segments: [DecaySegment], momentum: Float = 0.9, isNesterov: Bool) {
        self.segments = DecaySegment.joined(segments, count: count)
        self.momentum = momentum
        self.isNesterov = isNesterov
        buffer = Tensor(zeros: [count])
    }

    public var moments: [String: Tensor] { ["momentum_buffer": buffer] }

    public func beginUpdate() {
        stepCount += 1
    }

    public func update(
        _ segment: DecaySegment, of parameters: Tensor, gradient: UnsafePointer<Float>, learningRate: Double,
        gradientScale: Float
    ) {
        let start = segment.range.lowerBound
        precondition(parameters.count == buffer.count && start >= 0 && segment.range.upperBound <= buffer.count)
        SGD.step(
            count: segment.range.count, parameters: parameters.floats.baseAddress! + start, gradients: gradient,
            buffer: buffer.floats.baseAddress! + start, learningRate: Float(learningRate), momentum: momentum,
            isNesterov: isNesterov, weightDecay: segment.weightDecay, gradientScale: gradientScale)
    }

    public func restore(moments: [String: Tensor], stepCount: Int) {
        take(moments)
        self.stepCount = stepCount
    }
}
