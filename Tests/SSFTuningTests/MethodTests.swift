import Foundation
import SSFCheckpoints
import SSFGraph
import SSFModels
import SSFTensors
import SSFTestSupport
import SSFTraining
import SSFTuning
import Testing

/// What every method must do: follow PyTorch's gradients, learn, go on where it was stopped, merge or say why not, leave
/// the base alone, and begin where it says.
@Suite struct MethodTests {
    private static let classes = (0..<5).map { "class \($0)" }

    /// A configuration that fits the small models, for each method and for its forms.
    static let configurations: [TuningConfiguration] = [
        .init(method: "ssf"), .init(method: "ssf", options: ["scalar-scale": .bool(true), "layers": .integer(1)]),
        .init(method: "ssf", options: ["without": .string("shift, mlp"), "init": .string("uniform")]),
        .init(method: "linear"), .init(method: "full"),
        .init(method: "full", options: ["train-only": .string("blocks.1,attn.qkv")]),
        .init(method: "bias"), .init(method: "ln"), .init(method: "lora", options: ["rank": .integer(3)]),
        .init(
            method: "lora",
            options: ["rank": .integer(2), "alpha": .number(5), "targets": .string("q,v,fc1,proj")]),
        .init(method: "adapter", options: ["reduction": .integer(4)]),
        .init(method: "adapter", options: ["form": .string("houlsby"), "bottleneck": .integer(6)]),
        .init(method: "adaptformer", options: ["bottleneck": .integer(8)]),
        .init(method: "vpt-shallow", options: ["prompts": .integer(4)]),
        .init(method: "vpt-deep", options: ["prompts": .integer(4)]),
        .init(method: "repadapter"),
        .init(
            method: "repadapter",
            options: ["form": .string("attn"), "bottleneck": .integer(4), "adapter-scale": .number(0.5)]),
    ]

    private func tuned(
        _ folder: String, _ tuning: TuningConfiguration, seed: UInt64 = 3, classes: [String] = Self.classes
    ) throws -> TunedModel {
        var checkpoint = try Checkpoint.load(Goldens.path(folder))
        checkpoint.configuration.labelNames = Self.classes
        return try TunedModel(checkpoint: checkpoint, options: .init(tuning: tuning, classes: classes, seed: seed))
    }

    /// Moves everything that is trained away from where it begins.
    private func disturb(_ model: TunedModel, by deviation: Double = 0.2) {
        var random = RandomGenerator(seed: 5)
        for i in model.parameters.trainable.floats.indices {
            model.parameters.trainable.floats[i] += Float(deviation * random.normal())
        }
    }

    private func logits(_ model: TunedModel) throws -> [Float] {
        let executor = try model.executor(batch: 2, mode: .inference)
        var random = RandomGenerator(seed: 11)
        for i in executor.images.indices { executor.images[i] = Float(random.normal()) }
        executor.forward()
        return Array(executor.logits)
    }

    private func norm(_ values: [Float]) -> Double {
        values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    }

    // MARK: Gradients

    private struct Variant: Decodable {
        let method: String
        let options: [String: JSONValue]
    }

    static let variants = [
        "vit/ssf-scalar", "vit/ssf-no-scale", "vit/ssf-no-shift", "vit/lora-qkv", "vit/lora-qv", "rich/lora-qv",
        "vit/adapter-pfeiffer", "vit/adapter-houlsby", "rich/adapter-houlsby", "vit/adaptformer", "rich/adaptformer",
        "vit/adaptformer-no-bias", "vit/vpt-shallow", "rich/vpt-shallow", "vit/vpt-deep", "rich/vpt-deep",
        "vit/repadapter-block", "rich/repadapter-block", "vit/repadapter-attn",
    ]

    /// Runs a step on the images of `linear.safetensors` and compares with the golden gradients.
    private func check(
        _ tuned: TunedModel, images golden: [String: Tensor], losses: Tensor, gradients: [String: Tensor]
    )
        throws
    {
        let executor = try tuned.executor(batch: 8, mode: .training)
        _ = executor.images.update(fromContentsOf: golden["images"]!.values)
        for i in 0..<8 {
            executor.labels[i] = golden["labels"]!.bytes.loadUnaligned(fromByteOffset: 4 * i, as: Int32.self)
        }
        tuned.parameters.zeroGradient()
        executor.forward()
        executor.backward(lossScale: 1.0 / 8)
        for (seen, expected) in zip(executor.losses, losses.values) {
            #expect(abs(seen - expected) <= 1e-5 * max(1, abs(expected)))
        }
        let entries = tuned.parameters.layout.entries
        let total = norm(entries.flatMap { gradients["grad.\($0.name)"]?.values ?? [] })
        for entry in entries {
            let expected = try #require(gradients["grad.\(entry.name)"], "\(entry.name)").values
            let seen = Array(tuned.parameters.gradient.floats[entry.range])
            #expect(seen.count == expected.count)
            let size = norm(expected)
            let error = norm(zip(seen, expected).map { $0 - $1 })
            // The bias of all keys moves no softmax: its gradient is zero but for rounding.
            let allowed = size < 1e-12 * total ? 1e-7 * total : 1e-5 * size
            #expect(error <= allowed, "\(entry.name): off by \(error) of \(size), of \(total) in all")
        }
    }

    @Test(arguments: variants)
    func gradientsEqualPyTorch(_ variant: String) throws {
        let contents = try Safetensors.read(Goldens.path("gradients/\(variant).safetensors"))
        let stated = try JSONDecoder().decode(Variant.self, from: Data(contents.metadata["golden"]!.utf8))
        let folder = "gradients/\(variant.split(separator: "/")[0])"
        let tuned = try tuned(folder, .init(method: stated.method, options: stated.options))
        let initial = contents.tensors.filter { $0.key.hasPrefix("init.") }
        try tuned.load(
            adapterTensors: Dictionary(
                uniqueKeysWithValues: initial.map { (String($0.key.dropFirst("init.".count)), $0.value) }))
        #expect(contents.tensors.keys.count { $0.hasPrefix("grad.") } == tuned.parameters.layout.entries.count)
        try check(
            tuned, images: try Goldens.tensors("\(folder)/linear.safetensors"), losses: contents.tensors["losses"]!,
            gradients: contents.tensors)
    }

    /// Methods that train tensors of the base have the gradients of full fine-tuning, for those tensors.
    @Test(
        arguments: ["vit", "rich"],
        [
            TuningConfiguration(method: "bias"), .init(method: "ln"),
            .init(method: "full", options: ["train-only": .string("mlp.fc1,blocks.1")]),
        ])
    func gradientsEqualThoseOfFullTuning(_ model: String, _ tuning: TuningConfiguration) throws {
        let golden = try Goldens.tensors("gradients/\(model)/full.safetensors")
        try check(
            try tuned("gradients/\(model)", tuning), images: golden, losses: golden["losses"]!, gradients: golden)
    }

    // MARK: Learning

    /// Stripes whose direction is the class, for the small model.
    private static func images(_ count: Int) -> MemoryBatchSource {
        let pixels = Tensor(zeros: [count, 3, 16, 16])
        var random = RandomGenerator(seed: 1, stream: "stripes")
        var labels: [Int32] = []
        for image in 0..<count {
            let label = image % 5
            labels.append(Int32(label))
            for i in 0..<(3 * 256) {
                let (x, y) = (Double(i % 16), Double(i / 16 % 16))
                let angle = Double.pi * Double(label) / 5
                pixels.floats[image * 768 + i] = Float(
                    sin(x * cos(angle) + y * sin(angle)) + 0.2 * random.normal())
            }
        }
        return MemoryBatchSource(pixels: pixels, labels: labels)
    }

    private final class Log: RunObserver {
        var losses: [Double] = []
        var states: [TrainingState] = []
        func epochFinished(_ event: EpochFinished) {
            losses.append(event.trainLoss)
            var state = event.state
            state.trainable = state.trainable.copied()
            state.moments = state.moments.mapValues { $0.copied() }
            states.append(state)
        }
    }

    private func trainer(_ model: TunedModel, _ log: Log, isStopRequested: @escaping () -> Bool = { false }) throws
        -> Trainer
    {
        try Trainer(
            model: model, training: Self.images(60),
            configuration: TrainingConfiguration(
                epochs: 4, batchSize: 20, learningRate: 5e-3, weightDecay: 1e-3, warmupEpochs: 0.5, seed: 5),
            observers: [log], isStopRequested: isStopRequested)
    }

    /// Training lowers the loss and leaves every frozen tensor as it was; what is saved and loaded answers the same;
    /// a run that goes on from its half ends as the whole one.
    @Test(arguments: configurations)
    func trainsSavesAndGoesOn(_ tuning: TuningConfiguration) throws {
        let whole = Log()
        let model = try tuned("gradients/vit", tuning)
        #expect(try trainer(model, whole).run() == .finished)
        #expect(whole.losses.last! < whole.losses[0], "\(whole.losses)")

        let base = try Checkpoint.load(Goldens.path("gradients/vit")).tensors
        let trained = Set(model.parameters.layout.entries.map(\.name))
        for (name, tensor) in base where !trained.contains(name) {
            #expect(model.parameters.tensor(named: name)?.values == tensor.values, "\(name) is frozen")
        }

        let loaded = try tuned("gradients/vit", model.tuning, seed: 77)
        try loaded.load(adapterTensors: model.adapterTensors())
        #expect(try logits(loaded) == logits(model))

        let rest = Log()
        let resumed = try trainer(try tuned("gradients/vit", tuning, seed: 99), rest)
        try resumed.resume(from: whole.states[1])
        #expect(try resumed.run() == .finished)
        #expect(rest.states.last!.trainable.values == whole.states[3].trainable.values)
    }

    // MARK: Merging

    @Test(arguments: configurations, ["gradients/vit", "gradients/rich", "vit/no-qkv-bias"])
    func mergedEqualsTunedOrSaysWhyNot(_ tuning: TuningConfiguration, _ folder: String) throws {
        let model = try tuned(folder, tuning)
        disturb(model)
        guard model.method.mergeObstacle == nil else {
            let error = #expect(throws: UserError.self) { try model.merged() }
            #expect(error?.description.contains("\(tuning.method) does not merge: ") == true)
            #expect(["adapter", "adaptformer", "vpt-shallow", "vpt-deep"].contains(tuning.method))
            return
        }
        let before = try logits(model)
        let merged = try model.merged()
        let base = try Checkpoint.load(Goldens.path(folder))
        // The names of the base, or those and biases that it had not.
        for name in merged.keys where base.tensors[name] == nil && !name.hasPrefix("head") {
            #expect(name.hasSuffix(".bias"))
        }
        var configuration = base.configuration
        configuration.labelNames = Self.classes
        let again = try TunedModel(
            checkpoint: Checkpoint(tensors: merged, configuration: configuration, path: "merged"),
            options: .init(tuning: TuningConfiguration(method: "linear"), classes: Self.classes))
        let after = try logits(again)
        let largest = before.reduce(1) { max($0, abs($1)) }
        for (a, b) in zip(before, after) { #expect(abs(a - b) <= 1e-4 * largest) }
    }

    /// A change of weights by LoRA is taken out again; RepAdapter's is not, and says so.
    @Test func unmergingLowRankGivesTheBase() throws {
        let tuning = TuningConfiguration(
            method: "lora", options: ["rank": .integer(3), "alpha": .number(4), "targets": .string("q,v,fc2")])
        let model = try tuned("gradients/vit", tuning)
        disturb(model)
        let base = try Checkpoint.load(Goldens.path("gradients/vit"))
        let merged = Checkpoint(tensors: try model.merged(), configuration: base.configuration, path: "merged")
        #expect(merged.tensors["blocks.1.attn.qkv.weight"]!.values != base.tensors["blocks.1.attn.qkv.weight"]!.values)
        let unmerged = try TunedModel.unmerged(merged, adapter: model.adapterTensors(), tuning: tuning).tensors
        for (name, tensor) in base.tensors where !name.hasPrefix("head") {
            let error = norm(zip(unmerged[name]!.values, tensor.values).map { $0 - $1 })
            #expect(error <= 1e-6 * max(1, norm(tensor.values)), "\(name)")
        }
        #expect(throws: UserError.self) {
            try TunedModel.unmerged(merged, adapter: [:], tuning: TuningConfiguration(method: "repadapter"))
        }
    }

    // MARK: Beginning

    /// Methods that begin as the pre-trained model answer as it does, head and all.
    @Test(
        arguments: configurations.filter { ["lora", "adapter", "adaptformer", "repadapter"].contains($0.method) }
            + [TuningConfiguration(method: "ssf", options: ["init": .string("constant")])],
        ["gradients/vit", "gradients/rich"])
    func beginsAsTheBase(_ tuning: TuningConfiguration, _ folder: String) throws {
        let base = try logits(tuned(folder, TuningConfiguration(method: "linear")))
        let largest = base.reduce(1) { max($0, abs($1)) }
        for (seen, expected) in zip(try logits(tuned(folder, tuning)), base) {
            // What is fused differs, and with it the rounding.
            #expect(abs(seen - expected) <= 1e-6 * largest)
        }
    }

    /// Without its adapter a tuned model is the base, to the bit: nothing of it was touched.
    @Test(arguments: configurations.filter { !["full", "bias", "ln", "linear"].contains($0.method) })
    func withoutTheAdapterItIsTheBase(_ tuning: TuningConfiguration) throws {
        let base = try tuned("gradients/vit", TuningConfiguration(method: "linear"))
        let model = try tuned("gradients/vit", tuning)
        disturb(model)
        var tensors: [String: Tensor] = [:]
        for parameter in model.baseProgram.parameters {
            let isHead = parameter.name.hasPrefix("head")
            tensors[parameter.name] = (isHead ? base : model).parameters.tensor(named: parameter.name)!
        }
        let store = try ParameterStore(program: base.program(batch: 2, mode: .inference), tensors: tensors, seed: 0)
        let executor = Executor(try base.program(batch: 2, mode: .inference), parameters: store, mode: .inference)
        var random = RandomGenerator(seed: 11)
        for i in executor.images.indices { executor.images[i] = Float(random.normal()) }
        executor.forward()
        #expect(Array(executor.logits) == (try logits(base)))
        #expect(try logits(model) != logits(base))
    }

    @Test func initialValuesAreThoseOfTheSources() throws {
        func values(_ method: String, _ options: [String: JSONValue], _ suffix: String) throws -> [Double] {
            let model = try tuned("gradients/vit", .init(method: method, options: options))
            return model.parameters.layout.entries.filter { $0.name.hasSuffix(suffix) }
                .flatMap { model.parameters.tensor(named: $0.name)!.values.map(Double.init) }
        }
        /// Uniform in -bound..<bound: within it, and with its deviation.
        func expectUniform(_ values: [Double], mean: Double = 0, bound: Double, _ what: Comment) {
            #expect(values.count > 100, what)
            #expect(values.allSatisfy { abs($0 - mean) <= bound * 1.0001 }, what)
            let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot()
            #expect(abs(deviation - bound / 3.0.squareRoot()) < 0.12 * bound, what)
        }
        let root = 32.0.squareRoot()
        expectUniform(try values("lora", [:], "lora_A.weight"), bound: 1 / root, "lora A")
        #expect(try values("lora", [:], "lora_B.weight").allSatisfy { $0 == 0 })
        expectUniform(try values("adapter", ["reduction": .integer(2)], "down.weight"), bound: 1 / root, "adapter")
        #expect(try values("adapter", ["reduction": .integer(2)], "up.weight").allSatisfy { $0 == 0 })
        #expect(
            try values("adapter", ["reduction": .integer(2), "init": .string("dead")], "down.weight")
                .allSatisfy { $0 == 0 })
        expectUniform(try values("adaptformer", [:], "down.weight"), bound: 1 / root, "adaptformer")
        expectUniform(
            try values("repadapter", [:], "A.weight"), bound: (6.0 / 40).squareRoot(), "repadapter")
        #expect(try values("repadapter", [:], "B.weight").allSatisfy { $0 == 0 })
        // Patches of 3 x 4 x 4 numbers, 32 channels.
        expectUniform(try values("vpt-deep", [:], "prompts"), bound: (6.0 / 80).squareRoot(), "prompts")
        expectUniform(
            try values("ssf", ["init": .string("uniform")], ".scale"), mean: 1, bound: 0.02 * 3.0.squareRoot(),
            "uniform scale")
        #expect(try values("ssf", ["init": .string("constant")], ".scale").allSatisfy { $0 == 1 })
        #expect(try values("ssf", ["init": .string("constant")], ".shift").allSatisfy { $0 == 0 })
        #expect(try values("ssf", ["init": .string("random")], ".scale").allSatisfy { abs($0) < 0.1 })
        #expect(try values("ssf", ["init": .string("trunc_normal")], ".scale").allSatisfy { abs($0 - 1) < 0.1 })
    }

    /// The published beginning of VPT's adapters gives no gradient to either matrix, and says so.
    @Test func deadAdaptersWarnAndDoNotLearn() throws {
        let dead = TuningConfiguration(method: "adapter", options: ["reduction": .integer(4), "init": .string("dead")])
        let model = try tuned("gradients/vit", dead)
        #expect(model.notes.contains { $0.contains("dead") })
        let log = Log()
        _ = try trainer(model, log).run()
        for entry in model.parameters.layout.entries where entry.name.contains("adapter") {
            let values = model.parameters.tensor(named: entry.name)!.values
            #expect(values.allSatisfy { $0 == 0 } == !entry.name.hasSuffix("up.bias"), "\(entry.name)")
        }
    }

    // MARK: Another task

    @Test func beginsFromTheAdapterOfAnotherTask() throws {
        let first = try tuned("gradients/vit", .init(method: "ssf"))
        disturb(first)
        let names = ["x", "y", "z"]
        let second = try tuned("gradients/vit", .init(method: "ssf"), seed: 8, classes: names)
        let head = second.parameters.tensor(named: "head.weight")!.values
        let note = try second.begin(from: first.adapterTensors(), labelNames: first.classes)
        #expect(note.contains("5 classes"))
        #expect(second.parameters.tensor(named: "head.weight")!.values == head)
        for entry in second.parameters.layout.entries where !entry.name.hasPrefix("head") {
            #expect(second.adapterTensors()[entry.name]!.values == first.adapterTensors()[entry.name]!.values)
        }
        let third = try tuned("gradients/vit", .init(method: "ssf"), seed: 9)
        _ = try third.begin(from: first.adapterTensors(), labelNames: first.classes)
        #expect(try logits(third) == logits(first))
        let other = try tuned("gradients/vit", .init(method: "lora"))
        #expect(throws: UserError.self) { try other.begin(from: first.adapterTensors(), labelNames: first.classes) }
    }

    // MARK: Mistakes

    @Test(arguments: [
        ("lora", ["rnak": JSONValue.integer(4)], "rank"), ("lora", ["rank": .integer(0)], "1 to 4096"),
        ("lora", ["rank": .integer(33)], "at most 32"), ("lora", ["rank": .string("four")], "whole number"),
        ("lora", ["targets": .string("qvk")], "qkv"), ("lora", ["targets": .string("qkv,q")], "twice"),
        ("lora", ["alpha": .number(-1)], "alpha"), ("vpt-deep", ["prompts": .integer(0)], "1 to 4096"),
        ("vpt-shallow", ["prompts": .integer(5000)], "1 to 4096"), ("ssf", ["layers": .integer(3)], "0 to 2"),
        ("ssf", ["without": .string("atn")], "attn"), ("ssf", ["init": .string("norml")], "normal"),
        ("ssf", ["without": .string("scale,shift")], "neither"), ("ssf", ["rank": .integer(4)], "layers"),
        ("ssf", ["scalar-scale": .bool(true), "without": .string("scale")], "exclude"),
        ("full", ["train-only": .string("blocks.1.atn")], "blocks.1.attn"),
        ("full", ["train-only": .string("blocks.11")], "blocks.1"),
        ("adapter", ["reduction": .integer(64)], "at most 32"), ("adapter", ["form": .string("pfeifer")], "pfeiffer"),
        ("repadapter", ["groups": .integer(3)], "divisor of 8"), ("bias", ["rank": .integer(3)], "no option"),
    ])
    func mistakesAreNamed(_ method: String, _ options: [String: JSONValue], _ expected: String) {
        let error = #expect(throws: UserError.self) {
            try tuned("gradients/vit", .init(method: method, options: options))
        }
        #expect(error?.description.contains(expected) == true, "\(error?.description ?? "no error")")
    }

    @Test func lorasAdapterIsNoOthers() throws {
        let lora = try tuned("gradients/vit", .init(method: "lora", options: ["rank": .integer(4)]))
        let other = try tuned("gradients/vit", .init(method: "lora", options: ["rank": .integer(2)]))
        #expect(throws: UserError.self) { try other.load(adapterTensors: lora.adapterTensors()) }
    }
}
