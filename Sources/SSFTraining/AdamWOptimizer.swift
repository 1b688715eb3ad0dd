import SSFKernels
import SSFTensors

/// AdamW (Loshchilov and Hutter 2019) over one flat vector of trainable numbers, with PyTorch's semantics:
/// decoupled decay applied before the moments' step, epsilon added after the bias correction.
public final class AdamWOptimizer: Optimizer {
    public let segments: [DecaySegment]
    public let beta1: Float
    public let beta2: Float
    public let epsilon: Float
    /// How many updates were made; the bias corrections use it.
    public private(set) var stepCount = 0
    /// Running mean of the gradients, [trainables].
    public let firstMoment: Tensor
    /// Running mean of the squared gradients, [trainables].
    public let secondMoment: Tensor

    /// - Parameters:
    ///   - count: how many numbers train.
    ///   - segments: which of them decay and how much.
    /// - Precondition: the segments cover `0..<count` in order and without a gap.
    public init(count: Int, segments: [DecaySegment], beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8) {
        self.segments = DecaySegment.joined(segments, count: count)
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        firstMoment = Tensor(zeros: [count])
        secondMoment = Tensor(zeros: [count])
    }

    public var moments: [String: Tensor] { ["first_moment": firstMoment, "second_moment": secondMoment] }

    public func update(parameters: Tensor, gradients: Tensor, learningRate: Double, gradientScale: Float) {
        precondition(parameters.count == firstMoment.count && gradients.count == firstMoment.count)
        stepCount += 1
        let parameters = parameters.floats.baseAddress!
        let gradients = gradients.floats.baseAddress!
        let first = firstMoment.floats.baseAddress!
        let second = secondMoment.floats.baseAddress!
        for segment in segments {
            let start = segment.range.lowerBound
            AdamW.step(
                count: segment.range.count, parameters: parameters + start, gradients: gradients + start,
                firstMoment: first + start, secondMoment: second + start, learningRate: Float(learningRate),
                beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: segment.weightDecay, step: stepCount,
                gradientScale: gradientScale)
        }
    }

    public func restore(moments: [String: Tensor], stepCount: Int) {
        take(moments)
        self.stepCount = stepCount
    }
}
