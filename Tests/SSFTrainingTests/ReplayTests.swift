import Foundation
import SSFCheckpoints
import SSFImages
import SSFKernels
import SSFTensors
import SSFTestSupport
import SSFTraining
import SSFTuning
import Testing

/// Whole runs from a PyTorch twin's initial trainables and batch order: every loss and the predictions on the test part
/// must follow it.
///
/// Each file of `replay/` is a run: `<task>-<method>.safetensors`, its images in `vtab/<task>`. Four runs are made by
/// default; `SSF_REPLAY=all` makes every one, `SSF_REPLAY=gtsrb` those with that in their name.
@Suite("Replay of a PyTorch twin", .serialized)
struct ReplayTests {
    static let model = "models/vit_tiny_tin200"
    /// Losses differ by rounding alone: float32 and float64 twins agree within 1.2e-5.
    static let lossTolerance = 1e-3
    static let agreement = 0.995
    /// Runs whose end rounding decides: the loss becomes small, and differences grow about e-fold every eight steps.
    /// PyTorch's own twin, run again in float64 from the recording's beginning, leaves it by 0.08 at step 165; here another
    /// order of one sum in the loss's gradient moves step 150 by 7e-3.
    /// Their losses follow the recording to about 1e-5 before that sets in, and must follow for `sensitiveSteps`.
    static let sensitive: Set = ["pneumonia-full"]
    static let sensitiveSteps = 100
    /// Predictions that agree in those runs, whose end depends on rounding.
    static let sensitiveAgreement = 0.9

    /// The runs to be made, by name.
    static let runs: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: TestData.path("replay"))) ?? []
        let names = files.filter { $0.hasSuffix(".safetensors") }.map { String($0.dropLast(".safetensors".count)) }
            .sorted()
        switch ProcessInfo.processInfo.environment["SSF_REPLAY"] {
        case nil, "":
            let usual = ["signdigits-ssf", "signdigits-linear", "signdigits-full", "coil20_azimuth-linear"]
            let chosen = names.filter(usual.contains)
            // A folder that somebody names is taken whole.
            return TestData.isNamed || chosen.isEmpty ? names : chosen
        case "all"?: return names
        case let part?: return names.filter { $0.contains(part) }
        }
    }()

    /// Losses as they come.
    private final class LossRecorder: RunObserver {
        var losses: [Double] = []
        func stepFinished(_ event: StepFinished) { losses.append(event.loss) }
    }

    /// A run of the twin, as it is recorded.
    private struct Recording {
        let name: String
        let tensors: [String: Tensor]
        let metadata: [String: String]

        init(_ name: String) throws {
            let file = try Safetensors.read(TestData.path("replay/\(name).safetensors"))
            (self.name, tensors, metadata) = (name, file.tensors, file.metadata)
        }

        /// A run is named task-method.
        var task: String { String(name[..<name.lastIndex(of: "-")!]) }
        var method: String { String(name[name.lastIndex(of: "-")!...].dropFirst()) }

        func number(_ key: String) throws -> Double {
            try #require(Double(metadata[key] ?? ""), "\(name) states no \(key)")
        }

        func integers(_ key: String) throws -> [Int] {
            let tensor = try #require(tensors[key], "\(name) has no \(key)")
            try #require(tensor.dtype == .i32)
            return (0..<tensor.count).map {
                Int(tensor.rawPointer.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self))
            }
        }

        /// What the twin says of each test image.
        func predictions() throws -> [Int] {
            let logits = try #require(tensors["test_logits"])
            let classes = logits.shape[1]
            let values = logits.values
            return (0..<logits.shape[0]).map { image in
                let row = values[image * classes..<(image + 1) * classes]
                return row.firstIndex(of: row.max()!)! - row.startIndex
            }
        }
    }

    /// The same run, made here.
    private func replay(
        _ recording: Recording, precision: Precision
    ) throws -> (losses: [Double], predictions: [Prediction]) {
        let size = Int(try recording.number("image_size"))
        let epochs = Int(try recording.number("epochs"))
        let collection = try DatasetCollection.open(TestData.path("vtab/\(recording.task)"), format: .vtab)
        let selection = try collection.select()
        let pipeline = Pipeline(
            width: size, height: size, crop: .direct, interpolation: .bicubic, mean: [0.5, 0.5, 0.5],
            deviation: [0.5, 0.5, 0.5])
        let test = LoadedBatchSource(try #require(selection.test), pipeline: pipeline)

        var options = TunedModel.Options(
            tuning: TuningConfiguration(method: recording.method), classes: collection.classes, imageSize: (size, size))
        options.precision = precision
        let model = try TunedModel(checkpoint: try Checkpoint.load(TestData.path(Self.model)), options: options)
        var initial = model.adapterTensors()
        for (name, tensor) in recording.tensors where name.hasPrefix("init.") {
            initial[String(name.dropFirst("init.".count))] = tensor
        }
        try model.load(adapterTensors: initial)

        let recorder = LossRecorder()
        let order = try recording.integers("order")
        let images = order.count / epochs
        let trainer = try Trainer(
            model: model, training: LoadedBatchSource(selection.train, pipeline: pipeline),
            configuration: TrainingConfiguration(
                epochs: epochs, batchSize: Int(try recording.number("batch")),
                learningRate: try recording.number("lr"), weightDecay: try recording.number("weight_decay"),
                decaysAll: true, warmupEpochs: 0.1 * Double(epochs)),
            order: .explicit((0..<epochs).map { Array(order[$0 * images..<($0 + 1) * images]) }), observers: [recorder])
        #expect(try trainer.run() == .finished)
        return (recorder.losses, try Evaluator(model: model, batchSize: 64).predictions(for: test))
    }

    @Test("Losses and predictions follow the twin", .needsData("replay", "vtab", model), arguments: runs)
    func follows(run: String) throws {
        let twin = try Recording(run)
        let (losses, predictions) = try replay(twin, precision: .float32)

        let expected = try #require(twin.tensors["losses"]).values
        #expect(losses.count == expected.count)
        let differences = zip(losses, expected).map { abs($0 - Double($1)) }
        let compared = Self.sensitive.contains(run) ? differences.prefix(Self.sensitiveSteps) : differences[...]
        let worst = try #require(compared.max())
        #expect(
            worst <= Self.lossTolerance,
            "loss of step \(compared.firstIndex(of: worst)!) differs by \(worst), the first beyond the tolerance is step \(compared.firstIndex { $0 > Self.lossTolerance } ?? -1)"
        )

        let theirs = try twin.predictions()
        #expect(predictions.count == theirs.count)
        let equal = predictions.count { theirs[$0.index] == $0.predicted }
        let share = Double(equal) / Double(predictions.count)
        #expect(
            share >= (Self.sensitive.contains(run) ? Self.sensitiveAgreement : Self.agreement),
            "\(equal) of \(predictions.count) predictions agree")
        print(
            "replay \(run): largest loss difference \(worst) in \(compared.count) steps, \(differences.max() ?? 0) in all, "
                + "\(equal) of \(predictions.count) predictions equal")
    }

    /// Mixed precision may cost half a point of top-1 on average and 1.5 on any set. Which images a run gets right depends
    /// on rounding: of coil20_azimuth's 440, a fifth are predicted otherwise, and the difference can be a gain of 2 points.
    /// The runs of SSF take a minute or two.
    @Test(
        "Mixed precision costs no accuracy", .needsData("replay", "vtab", model),
        .enabled(if: ProcessInfo.processInfo.environment["SSF_REPLAY"] == "all", "SSF_REPLAY=all makes these runs"))
    func mixedPrecision() throws {
        var lost: [Double] = []
        for run in Self.runs where run.hasSuffix("-ssf") {
            let twin = try Recording(run)
            let (_, predictions) = try replay(twin, precision: .bfloat16)
            let theirs = try twin.predictions()
            let points = 100 / Double(predictions.count)
            let mixed = points * Double(predictions.count { $0.predicted == $0.label })
            let single = points * Double(predictions.count { theirs[$0.index] == $0.label })
            let equal = predictions.count { theirs[$0.index] == $0.predicted }
            print("replay \(run) in bf16: \(mixed) %, the twin in f32 \(single) %, \(equal) predictions equal")
            #expect(single - mixed <= 1.5, "\(run): \(mixed) % in bf16, \(single) % in f32")
            lost.append(single - mixed)
        }
        #expect(lost.count == 4)
        #expect(lost.reduce(0, +) / Double(lost.count) <= 0.5, "on average \(lost)")
    }
}
