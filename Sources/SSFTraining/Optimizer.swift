import SSFTensors

/// The rules by which gradients move parameters, by the names that timm gives them.
public enum OptimizerChoice: String, Sendable, Codable, CaseIterable {
    /// Adam with decoupled weight decay.
    case adamw
    /// Gradient descent with Nesterov's momentum.
    case sgd
    /// Gradient descent with classical momentum.
    case momentum

    /// For people.
    public var title: String {
        switch self {
        case .adamw: "AdamW"
        case .sgd: "SGD"
        case .momentum: "SGD (classical)"
        }
    }

    /// Whether a rate that is meant for another batch size follows the root of the ratio and not the ratio, where nothing
    /// else is said; timm's rule.
    public var scalesByRoot: Bool { self == .adamw }

    /// Vectors as long as the trainables that it keeps from step to step.
    public var momentCount: Int { self == .adamw ? 2 : 1 }
}

/// One flat vector of trainable numbers moved by gradients of the same length.
public protocol Optimizer: AnyObject {
    /// How many updates were begun.
    var stepCount: Int { get }

    /// All trainables, in order, by their decay.
    var segments: [DecaySegment] { get }

    /// What it keeps from step to step, by the names under which a training state is saved; each [trainables].
    var moments: [String: Tensor] { get }

    /// Begins an update; its parts follow, each number in one of them.
    func beginUpdate()

    /// The part of an update that changes the numbers of `segment.range` in place.
    ///
    /// - Parameters:
    ///   - parameters: all of them.
    ///   - gradient: of the first number of the range and those behind it; each is multiplied by `gradientScale` while
    ///     it is read (clipping, accumulation).
    /// - Precondition: the range lies within the trainables.
    func update(
        _ segment: DecaySegment, of parameters: Tensor, gradient: UnsafePointer<Float>, learningRate: Double,
        gradientScale: Float)

    /// Takes up the moments and the count of an earlier run.
    ///
    /// - Precondition: the moments have the names and lengths of this optimiser's.
    func restore(moments: [String: Tensor], stepCount: Int)
}

extension Optimizer {
    /// One whole update of `parameters`, from gradients of the same length.
    public func update(parameters: Tensor, gradients: Tensor, learningRate: Double, gradientScale: Float = 1) {
        precondition(gradients.count == parameters.count)
        beginUpdate()
        for segment in segments {
            update(
                segment, of: parameters, gradient: gradients.floats.baseAddress! + segment.range.lowerBound,
                learningRate: learningRate, gradientScale: gradientScale)
        }
    }

    /// The part of an update that concerns numbers under one decay, when their gradient is there.
    ///
    /// - Precondition: `range` lies in one segment and is as long as `gradient`.
    public func update(
        _ range: Range<Int>, of parameters: Tensor, gradient: UnsafeBufferPointer<Float>, learningRate: Double
    ) {
        precondition(gradient.count == range.count)
        guard let segment = segments.first(where: { $0.range.upperBound >= range.upperBound }), !range.isEmpty else {
            return precondition(range.isEmpty, "\(range) is none of the trainables")
        }
        precondition(segment.range.lowerBound <= range.lowerBound, "\(range) lies under several decays")
        update(
            DecaySegment(range: range, weightDecay: segment.weightDecay), of: parameters,
            gradient: gradient.baseAddress!, learningRate: learningRate, gradientScale: 1)
    }

    /// Copies moments over this optimiser's own.
    func take(_ moments: [String: Tensor]) {
        let own = self.moments
        precondition(Set(moments.keys) == Set(own.keys), "the moments of another optimiser")
        for (name, tensor) in own {
            precondition(moments[name]!.count == tensor.count, "moments of another length")
            _ = tensor.floats.update(fromContentsOf: moments[name]!.floats)
        }
    }
}

/// A contiguous part of the trainables under one weight decay.
public struct DecaySegment: Sendable, Equatable {
    public var range: Range<Int>
    public var weightDecay: Float

    public init(range: Range<Int>, weightDecay: Float) {
        self.range = range
        self.weightDecay = weightDecay
    }

    /// The segments with neighbours under the same decay joined, so that one kernel call serves them.
    ///
    /// - Precondition: they cover `0..<count` in order and without a gap.
    static func joined(_ segments: [DecaySegment], count: Int) -> [DecaySegment] {
        var joined: [DecaySegment] = []
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
        return joined
    }
}
