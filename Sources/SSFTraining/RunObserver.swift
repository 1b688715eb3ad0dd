/// Hears what happens in a run: files, console and tests are observers alike. Every method has an empty default.
///
/// An observer that throws stops the run with its error.
public protocol RunObserver: AnyObject {
    /// Before the first step.
    func runStarted(_ event: RunStarted) throws
    /// While features are computed, before the first step of a run that keeps them.
    func featuresComputed(_ done: Int, of images: Int) throws
    /// After every optimiser step.
    func stepFinished(_ event: StepFinished) throws
    /// After every epoch and the evaluation that ends it.
    func epochFinished(_ event: EpochFinished) throws
    /// When a loss or gradient is not a number. The network holds the last good trainables again.
    func runDiverged(_ event: RunDiverged) throws
}

extension RunObserver {
    public func runStarted(_ event: RunStarted) throws {}
    public func featuresComputed(_ done: Int, of images: Int) throws {}
    public func stepFinished(_ event: StepFinished) throws {}
    public func epochFinished(_ event: EpochFinished) throws {}
    public func runDiverged(_ event: RunDiverged) throws {}
}

public struct RunStarted: Sendable {
    public var configuration: TrainingConfiguration
    /// Images of the training part.
    public var images: Int
    /// Images of the validation part; 0 without one.
    public var validationImages: Int
    public var stepsPerEpoch: Int
    /// The epoch that comes first; greater than 0 in a resumed run.
    public var firstEpoch: Int
    public var estimate: RunEstimate
    public var features: FeatureUse
}

/// What a run does with the part of its model that training never changes.
public enum FeatureUse: Sendable, Equatable {
    /// There is no such part.
    case none
    /// It is computed once for each image, and kept.
    case kept(images: Int, width: Int, bytes: Int)
    /// It is computed anew in every epoch, for this reason.
    case recomputed(String)
}

public struct StepFinished: Sendable {
    public var epoch: Int
    /// Position in the epoch, from 0.
    public var stepInEpoch: Int
    public var stepsPerEpoch: Int
    /// Position in the run, from 0.
    public var step: Int
    /// Mean loss over the step's images.
    public var loss: Double
    /// Mean loss over the epoch's images so far.
    public var epochLoss: Double
    public var learningRate: Double
    /// Euclidean norm of the gradient before clipping.
    public var gradientNorm: Double
    /// Images of the step.
    public var images: Int
    /// Wall-clock seconds of the step, the wait for its images included.
    public var seconds: Double
    /// Seconds spent waiting for images.
    public var dataSeconds: Double
}

public struct EpochFinished: Sendable {
    public var epoch: Int
    /// Epochs of the whole run.
    public var epochs: Int
    /// Mean loss over the images that were trained on.
    public var trainLoss: Double
    /// On the validation part; nil without one.
    public var validation: ClassificationMetrics?
    /// Whether no earlier epoch did better on the validation part. Without one, the latest epoch is the best.
    public var isBest: Bool
    /// Validation top-1 of the best epoch so far, in 0...1.
    public var bestTop1: Double?
    public var bestEpoch: Int
    /// Of the epoch's last step.
    public var learningRate: Double
    /// Training speed, evaluation left out.
    public var imagesPerSecond: Double
    /// Part of the training time spent waiting for images, in 0...1.
    public var dataShare: Double
    /// What a later run needs to go on from here.
    public var state: TrainingState
}

public struct RunDiverged: Sendable {
    public var epoch: Int
    public var step: Int
    public var loss: Double
    /// The epoch whose end the network has been returned to; nil for the initial values.
    public var restoredEpoch: Int?
}
