import SSFKernels
import SSFTensors

/// AdamW (Loshchilov and Hutter 2019) over one flat vector of trainable numbers, with PyTorch's semantics:
/// decoupled decay applied before the moments' step, epsilon added after the bias correction.
public final class AdamWOptimizer {
    /// A contiguous part of the vector under one decay.
    public struct Segment: Sendable, Equatable {
        public var range: Range<Int>
        public var weightDecay: Float

        public init(range: Range<Int>, weightDecay: Float) {
            self.range = range
            self.weightDecay = weightDecay
        }
    }

    public let segments: [Segment]
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
    ///   - segments: which of them decay and how much; neighbours under the same decay are joined, so that one kernel
    ///     call serves them.
    /// - Precondition: the segments cover `0..<count` in order and without a gap.
    public init(count: Int, segments: [Segment], beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8) {
        var joined: [Segment] = []
        var end = 0
        for segment in segments where !segment.range.isEmpty {
            precondition(segment.range.lowerBound == end, "optimiser segments leave a gap before \(segment.range)")
            end = segment.range.upperBound
            if let last = joined.last, last.weightDecay == segment.weightDecay {
                joined[joined.count - 1].range = last.range.lowerBound..<end
            } else {
                joined.append(segment)
            }
        }
        precondition(end == count, "optimiser segments cover \(end) of \(count) numbers")
        self.segments = joined
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        firstMoment = Tensor(zeros: [count])
        secondMoment = Tensor(zeros: [count])
    }

    /// One update of `parameters` in place.
    ///
    /// - Parameters:
    ///   - gradients: of the same length; each is multiplied by `gradientScale` while it is read (clipping,
    ///     accumulation).
    public func update(parameters: Tensor, gradients: Tensor, learningRate: Double, gradientScale: Float = 1) {
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

    /// Takes up the moments and the count of an earlier run.
    ///
    /// - Precondition: the moments have this optimiser's length.
    public func restore(firstMoment: Tensor, secondMoment: Tensor, stepCount: Int) {
        precondition(firstMoment.count == self.firstMoment.count && secondMoment.count == self.secondMoment.count)
        _ = self.firstMoment.floats.update(fromContentsOf: firstMoment.floats)
        _ = self.secondMoment.floats.update(fromContentsOf: secondMoment.floats)
        self.stepCount = stepCount
    }
}
