import SSFImages
import SSFTensors
import SSFTraining
import SSFTuning
import Testing

@Suite("Features that are computed once")
struct FrozenFeaturesTests {
    private var configuration: TrainingConfiguration {
        TrainingConfiguration(
            epochs: 3, batchSize: 16, learningRate: 1e-2, weightDecay: 0.01, warmupEpochs: 0.5, seed: 5)
    }

    /// A set whose images are said to look different in every epoch.
    private final class Varied: BatchSource {
        let images: MemoryBatchSource
        init(_ images: MemoryBatchSource) { self.images = images }
        var count: Int { images.count }
        var isRepeatable: Bool { false }
        func batches(order: [Int], batchSize: Int, dropLast: Bool, epoch: Int) -> any BatchStream {
            images.batches(order: order, batchSize: batchSize, dropLast: dropLast, epoch: epoch)
        }
    }

    private func run(
        _ training: any BatchSource, method: String = "linear", dropPath: Double = 0,
        limit: Int = FrozenFeatures.defaultByteLimit, stop: @escaping () -> Bool = { false }
    ) throws -> (log: RunLog, trainer: Trainer, outcome: Trainer.Outcome, trained: [Float]) {
        let log = RunLog()
        let model = try TinyTask.model(method: method, dropPath: dropPath)
        let trainer = try Trainer(
            model: model, training: training, validation: TinyTask.images(21, seed: 2), configuration: configuration,
            observers: [log], featureLimit: limit, isStopRequested: stop)
        let outcome = try trainer.run()
        return (log, trainer, outcome, model.parameters.trainable.values)
    }

    @Test("Losses, accuracies and the trained numbers are those of a run that computes them anew, bit for bit")
    func same() throws {
        let kept = try run(TinyTask.images(72))
        let anew = try run(TinyTask.images(72), limit: 0)
        #expect(kept.trainer.featureUse == .kept(images: 93, width: 24, bytes: 4 * 24 * 93))
        #expect(kept.log.started?.features == kept.trainer.featureUse)
        guard case .recomputed = anew.trainer.featureUse else {
            Issue.record("a limit of 0 bytes kept features")
            return
        }
        #expect(kept.log.steps.map(\.loss) == anew.log.steps.map(\.loss))
        #expect(kept.log.steps.map(\.gradientNorm) == anew.log.steps.map(\.gradientNorm))
        #expect(kept.log.epochs.map { $0.validation?.loss } == anew.log.epochs.map { $0.validation?.loss })
        #expect(kept.log.epochs.map { $0.validation?.top1 } == anew.log.epochs.map { $0.validation?.top1 })
        #expect(kept.trained == anew.trained)
        #expect(kept.log.featureProgress.last == 93)
        #expect(anew.log.featureProgress.isEmpty)
    }

    @Test("A resumed run with kept features ends as one that was not stopped")
    func resume() throws {
        let whole = try run(TinyTask.images(72))
        let log = RunLog()
        let trainer = try Trainer(
            model: try TinyTask.model(method: "linear"), training: TinyTask.images(72),
            validation: TinyTask.images(21, seed: 2), configuration: configuration, observers: [log])
        try trainer.resume(from: whole.log.states[0])
        #expect(try trainer.run() == .finished)
        #expect(log.states[1].trainable.values == whole.log.states[2].trainable.values)
    }

    @Test("Chance forbids it, and so does a want of memory; a method that changes the model has nothing to keep")
    func refused() throws {
        func reason(_ use: FeatureUse) -> String? {
            if case .recomputed(let reason) = use { reason } else { nil }
        }
        #expect(reason(try run(Varied(TinyTask.images(32))).trainer.featureUse)?.contains("at random") == true)
        let bytes = 4 * 24 * (32 + 21)
        #expect(
            reason(try run(TinyTask.images(32), limit: bytes - 1).trainer.featureUse)?.contains("53 images") == true)
        guard case .kept = try run(TinyTask.images(32), limit: bytes).trainer.featureUse else {
            Issue.record("features that just fit were not kept")
            return
        }
        #expect(try run(TinyTask.images(32), dropPath: 0.5).trainer.featureUse == .none)
        for method in ["ssf", "full"] {
            #expect(try run(TinyTask.images(32), method: method).trainer.featureUse == .none)
        }
    }

    @Test("A stop is heard while features are computed")
    func stopped() throws {
        let stopped = try run(TinyTask.images(64), stop: { true })
        #expect(stopped.outcome == .stopped)
        #expect(stopped.log.steps.isEmpty)
    }

    @Test("Pipelines that vary images are known")
    func repeatable() {
        let pipeline = Pipeline(width: 8, height: 8, mean: [0, 0, 0], deviation: [1, 1, 1])
        let empty = ImageDataset(name: "none", classes: ["a"], items: [])
        func isRepeatable(_ change: (inout Pipeline) -> Void) -> Bool {
            var changed = pipeline
            change(&changed)
            return LoadedBatchSource(empty, pipeline: changed).isRepeatable
        }
        #expect(isRepeatable { _ in })
        #expect(isRepeatable { $0.crop = .center(fraction: 0.9) })
        #expect(!isRepeatable { $0.crop = .randomResized() })
        #expect(!isRepeatable { $0.crop = .padded(padding: 2) })
        #expect(!isRepeatable { $0.flipProbability = 0.5 })
        #expect(!isRepeatable { $0.jitter = ColorJitter(brightness: 0.1, contrast: 0, saturation: 0) })
    }
}
