import SSFTensors
import SSFTuning

/// Linear probing on features that are there already: several learning rates and weight decays, the best chosen by the
/// validation part.
public struct LinearProbe: Sendable {
    /// One setting and what it reached.
    public struct Candidate: Sendable {
        public var learningRate: Double
        public var weightDecay: Double
        /// The best epoch by validation top-1.
        public var metrics: ClassificationMetrics
        public var epoch: Int
    }

    public var learningRates = [1e-3, 3e-3, 1e-2, 3e-2]
    public var weightDecays = [5e-5, 0.1]
    public var epochs = 30
    public var batchSize = 64
    public var seed: UInt64 = 0

    public init() {}

    /// Trains the classifier of `model` with every setting, each from the same initial values.
    ///
    /// - Parameter model: tuned by linear probing.
    /// - Returns: the settings, the best first; none where every one diverged. The model's classifier is left as it was.
    public func candidates(
        model: TunedModel, training: FeatureSource, validation: FeatureSource
    ) throws -> [Candidate] {
        let initial = model.parameters.trainable.copied()
        func reset() {
            _ = model.parameters.trainable.floats.update(fromContentsOf: initial.floats)
        }
        var found: [Candidate] = []
        for rate in learningRates {
            for decay in weightDecays {
                reset()
                let best = BestEpoch()
                let trainer = try Trainer(
                    model: model, training: training, validation: validation,
                    configuration: TrainingConfiguration(
                        epochs: epochs, batchSize: batchSize, learningRate: rate, weightDecay: decay,
                        warmupEpochs: 0.1 * Double(epochs), seed: seed),
                    observers: [best])
                _ = try trainer.run()
                if let metrics = best.metrics {
                    found.append(
                        Candidate(learningRate: rate, weightDecay: decay, metrics: metrics, epoch: best.epoch))
                }
            }
        }
        reset()
        return found.enumerated().sorted {
            ($0.element.metrics.top1, -$0.element.metrics.loss, $1.offset)
                > ($1.element.metrics.top1, -$1.element.metrics.loss, $0.offset)
        }.map(\.element)
    }

    private final class BestEpoch: RunObserver {
        var metrics: ClassificationMetrics?
        var epoch = 0

        func epochFinished(_ event: EpochFinished) {
            guard event.isBest else { return }
            metrics = event.validation
            epoch = event.epoch
        }
    }
}
