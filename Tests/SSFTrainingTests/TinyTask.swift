import SSFModels
import SSFTensors
import SSFTraining
import SSFTuning

/// A task that a tiny transformer learns in a few steps: which of four quarters of the image is bright.
enum TinyTask {
    static let classes = ["upper left", "upper right", "lower left", "lower right"]

    /// A transformer of two blocks for 8x8 images.
    static func model(
        method: String = "full", seed: UInt64 = 0, dropPath: Double = 0, smoothing: Double = 0
    ) throws -> TunedModel {
        var options = TunedModel.Options(
            tuning: TuningConfiguration(method: method), classes: classes, imageSize: (8, 8), seed: seed)
        options.dropPathRate = dropPath
        options.smoothing = smoothing
        return try TunedModel(
            scratch: VisionTransformer(
                VisionTransformer.Configuration(
                    width: 24, depth: 2, heads: 3, patchSize: 2, imageHeight: 8, imageWidth: 8)),
            options: options)
    }

    static func images(_ count: Int, seed: UInt64 = 1) -> MemoryBatchSource {
        let pixels = Tensor(zeros: [count, 3, 8, 8])
        var random = RandomGenerator(seed: seed, stream: "tiny")
        let floats = pixels.floats
        var labels: [Int32] = []
        for image in 0..<count {
            let label = image % 4
            labels.append(Int32(label))
            for channel in 0..<3 {
                for y in 0..<8 {
                    for x in 0..<8 {
                        let isBright = y / 4 == label / 2 && x / 4 == label % 2
                        floats[((image * 3 + channel) * 8 + y) * 8 + x] =
                            (isBright ? 1 : 0) + Float(0.3 * random.normal())
                    }
                }
            }
        }
        return MemoryBatchSource(pixels: pixels, labels: labels)
    }
}

/// Keeps what a run reports.
final class RunLog: RunObserver {
    var started: RunStarted?
    var steps: [StepFinished] = []
    var epochs: [EpochFinished] = []
    var diverged: RunDiverged?
    /// Copies of the state after each epoch.
    var states: [TrainingState] = []

    var featureProgress: [Int] = []

    func runStarted(_ event: RunStarted) { started = event }
    func featuresComputed(_ done: Int, of images: Int) { featureProgress.append(done) }
    func stepFinished(_ event: StepFinished) { steps.append(event) }
    func epochFinished(_ event: EpochFinished) {
        epochs.append(event)
        var state = event.state
        state.trainable = state.trainable.copied()
        state.moments = state.moments.mapValues { $0.copied() }
        states.append(state)
    }
    func runDiverged(_ event: RunDiverged) { diverged = event }
}
