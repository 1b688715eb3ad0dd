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

    public func beginUpdate() {
        stepCount += 1
    }

    public func update(
        _ segment: DecaySegment, of parameters: Tensor, gradient: UnsafePointer<Float>, learningRate: Double,
        gradientScale: Float
    ) {
        let start = segment.range.lowerBound
        let count = firstMoment.count
        precondition(parameters.count == count && start >= 0 && segment.range.upperBound <= count)
        AdamW.step(
            count: segment.range.count, parameters: parameters.floats.baseAddress! + start, gradients: gradient,
            firstMoment: firstMoment.floats.baseAddress! + start,
            secondMoment: secondMoment.floats.baseAddress! + start, learningRate: Float(learningRate), beta1: beta1,
            beta2: beta2, epsilon: epsilon, weightDecay: segment.weightDecay, step: stepCount,
            gradientScale: gradientScale)
    }

    public func restore(moments: [String: Tensor], stepCount: Int) {
        take(moments)
        self.stepCount = stepCount
    }
}
