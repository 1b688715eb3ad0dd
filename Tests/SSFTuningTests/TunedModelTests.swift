import Foundation
import SSFCheckpoints
import SSFGraph
import SSFModels
import SSFTensors
import SSFTestSupport
import SSFTuning
import Testing

/// Counts, heads, merging and unmerging.
@Suite struct TunedModelTests {
    private static let classes = (0..<5).map { "class \($0)" }

    private func tuned(_ folder: String, method: String, seed: UInt64 = 3, classes: [String] = classes) throws
        -> TunedModel
    {
        try TunedModel(
            checkpoint: Checkpoint.load(Goldens.path(folder)),
            options: .init(tuning: TuningConfiguration(method: method), classes: classes, seed: seed))
    }

    private func logits(_ model: TunedModel, seed: UInt64 = 11) throws -> [Float] {
        let executor = try model.executor(batch: 2, mode: .inference)
        var random = RandomGenerator(seed: seed)
        for i in executor.images.indices { executor.images[i] = Float(random.normal()) }
        executor.forward()
        return Array(executor.logits)
    }

    /// The published counts for ViT-B/16 with 100 classes.
    @Test(arguments: [("ssf", 282_724), ("linear", 76_900), ("full", 85_875_556)])
    func countEqualsThePublishedOne(_ method: String, _ count: Int) throws {
        let model = VisionTransformer(
            .init(width: 768, depth: 12, heads: 12, patchSize: 16, imageHeight: 224, imageWidth: 224))
        let recorded = try model.record(
            RecordingOptions(batch: 1, imageHeight: 224, imageWidth: 224, classCount: 100))
        let method = try TuningRegistry.method(TuningConfiguration(method: method))
        var program = recorded
        try method.attach(to: &program, of: model)
        #expect(program.trainableCount == count)
        #expect(method.trainableCount(in: recorded, of: model) == count)
    }

    @Test func scaleAndShiftBeginAroundOneAndZero() throws {
        let tuned = try tuned("vit/augreg", method: "ssf")
        for (suffix, mean) in [(".scale", 1.0), (".shift", 0.0)] {
            let values = tuned.parameters.layout.entries.filter { $0.name.hasSuffix(suffix) }
                .flatMap { tuned.parameters.tensor(named: $0.name)!.values.map(Double.init) }
            let average = values.reduce(0, +) / Double(values.count)
            let deviation = (values.reduce(0) { $0 + ($1 - average) * ($1 - average) } / Double(values.count))
                .squareRoot()
            // Three standard errors of 800 and more draws.
            #expect(abs(average - mean) < 3 * 0.02 / Double(values.count).squareRoot())
            #expect(abs(deviation - 0.02) < 0.0016)
        }
    }

    @Test func onlyTheHeadWeightDecaysByDefault() throws {
        let entries = try tuned("vit/vit", method: "ssf").parameters.layout.entries
        #expect(entries.filter(\.decays).map(\.name) == ["head.weight"])
    }

    static let mergeable = [
        "vit/vit", "vit/deit-distilled", "vit/deit3", "vit/dinov2-registers", "vit/mae", "vit/clip",
        "vit/no-class-token",
        "vit/no-qkv-bias", "vit/qk-norm", "huggingface/vit",
    ]

    /// Merged weights answer as the tuned model does, on every form, and unmerging gives the base back.
    @Test(arguments: mergeable)
    func mergedEqualsTunedAndUnmergedEqualsBase(_ folder: String) throws {
        let tuned = try tuned(folder, method: "ssf")
        // Away from the identity, so that an error shows.
        var random = RandomGenerator(seed: 5)
        for entry in tuned.parameters.layout.entries where !entry.name.hasPrefix("head") {
            for i in entry.range {
                tuned.parameters.trainable.floats[i] += Float(0.3 * random.normal())
            }
        }
        let before = try logits(tuned)

        var configuration = try Checkpoint.load(Goldens.path(folder)).configuration
        configuration.labelNames = Self.classes
        let mergedCheckpoint = Checkpoint(tensors: try tuned.merged(), configuration: configuration, path: "merged")
        let merged = try TunedModel(
            checkpoint: mergedCheckpoint,
            options: .init(tuning: TuningConfiguration(method: "linear"), classes: Self.classes))
        #expect(merged.keepsHead)
        let after = try logits(merged)
        let largest = before.reduce(1) { max($0, abs($1)) }
        for (a, b) in zip(before, after) { #expect(abs(a - b) <= 1e-4 * largest) }

        let base = try Checkpoint.load(Goldens.path(folder)).tensors
        let unmerged = try TunedModel.unmerged(
            mergedCheckpoint, adapter: tuned.adapterTensors(), tuning: TuningConfiguration(method: "ssf")
        ).tensors
        for (name, tensor) in base where !name.hasPrefix("head") {
            let seen = try #require(unmerged[name], "\(name)").values
            let expected = tensor.values
            let norm = expected.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
            let error = zip(seen, expected).reduce(0.0) { $0 + pow(Double($1.0 - $1.1), 2) }.squareRoot()
            #expect(error <= 1e-6 * max(norm, 1), "\(folder) \(name): off by \(error) of \(norm)")
        }
    }

    @Test func unmergeNamesSitesWithoutScale() throws {
        let tuned = try tuned("vit/vit", method: "ssf")
        let entry = tuned.parameters.layout.entries.first { $0.name == "blocks.1.mlp.fc1.scale" }!
        tuned.parameters.trainable.floats[entry.range.lowerBound + 3] = 1e-8
        let checkpoint = Checkpoint(
            tensors: try tuned.merged(), configuration: try Checkpoint.load(Goldens.path("vit/vit")).configuration,
            path: "merged")
        let error = #expect(throws: UserError.self) {
            try TunedModel.unmerged(
                checkpoint, adapter: tuned.adapterTensors(), tuning: TuningConfiguration(method: "ssf"))
        }
        #expect(error?.description.contains("blocks.1.mlp.fc1") == true)
    }

    @Test func headIsKeptOnlyIfNamesAgree() throws {
        let names = try #require(Checkpoint.load(Goldens.path("vit/vit")).configuration.labelNames)
        #expect(try tuned("vit/vit", method: "linear", classes: names).keepsHead)
        #expect(try !tuned("vit/vit", method: "linear", classes: Array(names.reversed())).keepsHead)
        #expect(try !tuned("vit/vit", method: "linear", classes: names + ["another"]).keepsHead)
        #expect(try !tuned("huggingface/dinov2", method: "linear", classes: names).keepsHead)
    }

    @Test func adapterOfAnotherModelIsRefused() throws {
        let adapter = try tuned("vit/augreg", method: "ssf").adapterTensors()
        let other = try tuned("vit/vit", method: "ssf")
        #expect(throws: UserError.self) { try other.load(adapterTensors: adapter) }
    }

    @Test func unknownMethodNamesTheNearest() {
        let error = #expect(throws: UserError.self) {
            try TuningRegistry.method(TuningConfiguration(method: "sff"))
        }
        #expect(error?.description.contains("ssf") == true)
    }

    @Test func trainingProgramDropsPathsAndInferenceDoesNot() throws {
        var options = TunedModel.Options(tuning: TuningConfiguration(method: "ssf"), classes: Self.classes)
        options.dropPathRate = 0.5
        let tuned = try TunedModel(checkpoint: Checkpoint.load(Goldens.path("vit/vit")), options: options)
        let training = try tuned.program(batch: 2, mode: .training)
        #expect(training.operations.contains { $0 is DropPathOperation })
        #expect(try !tuned.program(batch: 2, mode: .inference).operations.contains { $0 is DropPathOperation })
        // A mask of zeros for a block leaves the residual stream alone, and its gradient too.
        let executor = try tuned.executor(batch: 2, mode: .training)
        var random = RandomGenerator(seed: 1)
        executor.drawMasks(using: &random)
        for i in executor.images.indices { executor.images[i] = Float(random.normal()) }
        executor.forward()
        executor.backward(lossScale: 0.5)
        let finite = tuned.parameters.gradient.floats.allSatisfy { $0.isFinite }
        #expect(finite)
    }
}
