import Foundation
import SSFCheckpoints
import SSFTensors
import SSFTestSupport
import SSFTuning
import Testing

/// Adapters of other programs: read, they answer as there; written, they are what those programs read.
@Suite struct ExchangeTests {
    private static let classes = (0..<5).map { "class \($0)" }

    private func tuned(_ folder: String, _ tuning: TuningConfiguration) throws -> TunedModel {
        var checkpoint = try Checkpoint.load(Goldens.path(folder))
        checkpoint.configuration.labelNames = Self.classes
        return try TunedModel(checkpoint: checkpoint, options: .init(tuning: tuning, classes: Self.classes, seed: 6))
    }

    private func expectAnswers(_ name: String, _ model: TunedModel) throws {
        let golden = try Goldens.tensors("exchange/\(name)-logits.safetensors")
        let executor = try model.executor(batch: 4, mode: .inference)
        _ = executor.images.update(fromContentsOf: golden["images"]!.values)
        executor.forward()
        let expected = golden["logits"]!.values
        let largest = expected.reduce(1) { max($0, abs($1)) }
        for (seen, value) in zip(executor.logits, expected) { #expect(abs(seen - value) <= 1e-5 * largest) }
    }

    @Test(arguments: [
        ("peft-timm", "gradients/vit", "qkv,fc2", 4, 6.0), ("peft-transformers", "huggingface/vit", "q,v", 3, 3.0),
    ])
    func lowRankOfPEFTAnswersAsThere(
        _ name: String, _ base: String, _ targets: String, _ rank: Int, _ alpha: Double
    ) throws {
        let path = Goldens.path("exchange/\(name)")
        #expect(PEFTFolder.isPEFT(path))
        let folder = try PEFTFolder.read(path)
        let tuning = try LowRankTuning.configuration(of: folder)
        #expect(tuning.options["rank"] == .integer(rank))
        #expect(tuning.options["alpha"] == .number(alpha))
        #expect(tuning.options["targets"]?.array?.compactMap(\.string).joined(separator: ",") == targets)
        let model = try tuned(base, tuning)
        try model.load(adapterTensors: folder.factors.merging(folder.classifier) { own, _ in own })
        try expectAnswers(name, model)
    }

    /// What is written is what PEFT wrote, name by name.
    @Test func writtenForPEFTIsWhatPEFTWrites() throws {
        let path = Goldens.path("exchange/peft-timm")
        let folder = try PEFTFolder.read(path)
        let model = try tuned("gradients/vit", try LowRankTuning.configuration(of: folder))
        try model.load(adapterTensors: folder.factors.merging(folder.classifier) { own, _ in own })
        let target = try TemporaryFolder()
        try LowRankTuning.exported(model, baseModelPath: nil).write(to: target.file("peft"))
        let written = try Safetensors.read(target.file("peft/adapter_model.safetensors")).tensors
        let expected = try Safetensors.read(path + "/adapter_model.safetensors").tensors
        #expect(Set(written.keys) == Set(expected.keys))
        for (name, tensor) in expected {
            #expect(written[name]?.shape == tensor.shape)
            #expect(written[name]?.values == tensor.values, "\(name)")
        }
        func configuration(_ path: String) throws -> [String: JSONValue] {
            let data = try Data(contentsOf: URL(fileURLWithPath: path + "/adapter_config.json"))
            return try JSONDecoder().decode([String: JSONValue].self, from: data)
        }
        let own = try configuration(target.file("peft"))
        let theirs = try configuration(path)
        for field in ["peft_type", "r", "lora_alpha", "bias", "modules_to_save", "fan_in_fan_out", "use_dora"] {
            #expect(own[field] == theirs[field], "\(field)")
        }
        #expect(own["target_modules"] == .array([.string("attn.qkv"), .string("mlp.fc2")]))
    }

    /// Changes of q and v are written as one of qkv, and mean the same.
    @Test func queriesAndValuesAreWrittenAsOne() throws {
        let model = try tuned(
            "gradients/vit",
            .init(method: "lora", options: ["rank": .integer(2), "alpha": .number(3), "targets": .string("q,v")]))
        var random = RandomGenerator(seed: 4)
        for i in model.parameters.trainable.floats.indices {
            model.parameters.trainable.floats[i] += Float(0.2 * random.normal())
        }
        let folder = try LowRankTuning.exported(model, baseModelPath: nil)
        #expect(folder.rank == 4)
        #expect(folder.alpha == 6)
        let again = try tuned("gradients/vit", try LowRankTuning.configuration(of: folder))
        try again.load(adapterTensors: folder.factors.merging(folder.classifier) { own, _ in own })
        for (name, tensor) in try model.merged() {
            let other = try #require(try again.merged()[name])
            for (a, b) in zip(tensor.values, other.values) { #expect(abs(a - b) <= 1e-6 * max(1, abs(a))) }
        }
    }

    @Test func stateDictOfTheReferenceAnswersAsThere() throws {
        let path = Goldens.path("exchange/reference.safetensors")
        let tensors = try Safetensors.read(path).tensors
        let base = try Checkpoint.load(Goldens.path("gradients/vit")).tensors
        let adapter = try ScalingAndShifting.adapter(
            fromReference: tensors, path: path, base: base, classifierSites: ["head"])
        let model = try tuned("gradients/vit", .init(method: "ssf"))
        try model.load(adapterTensors: adapter)
        try expectAnswers("reference", model)

        let written = try ScalingAndShifting.referenceTensors(model)
        #expect(Set(written.keys) == Set(tensors.keys))
        for (name, tensor) in tensors {
            #expect(written[name]?.shape == tensor.shape)
            #expect(written[name]?.values == tensor.values, "\(name)")
        }
    }

    /// Places that a form of SSF leaves alone are written as the identity.
    @Test func whatIsLeftOutIsTheIdentity() throws {
        let model = try tuned("gradients/vit", .init(method: "ssf", options: ["without": .string("mlp,shift")]))
        let written = try ScalingAndShifting.referenceTensors(model)
        #expect(written["blocks.1.mlp.ssf_scale_2"]!.values.allSatisfy { $0 == 1 })
        #expect(written["blocks.1.attn.ssf_shift_1"]!.values.allSatisfy { $0 == 0 })
        #expect(
            written["blocks.1.attn.ssf_scale_1"]!.values
                == model.parameters.tensor(named: "blocks.1.attn.qkv.scale")!.values)
    }

    @Test func whatDoesNotFitIsRefused() throws {
        let path = Goldens.path("exchange/reference.safetensors")
        let tensors = try Safetensors.read(path).tensors
        var base = try Checkpoint.load(Goldens.path("gradients/vit")).tensors
        base["blocks.1.norm2.weight"] = Tensor(zeros: base["blocks.1.norm2.weight"]!.shape)
        let error = #expect(throws: UserError.self) {
            try ScalingAndShifting.adapter(fromReference: tensors, path: path, base: base, classifierSites: ["head"])
        }
        #expect(error?.description.contains("blocks.1.norm2.weight") == true)

        let ssf = try tuned("gradients/vit", .init(method: "ssf"))
        #expect(throws: UserError.self) { try LowRankTuning.exported(ssf, baseModelPath: nil) }
        let lora = try tuned("gradients/vit", .init(method: "lora"))
        #expect(throws: UserError.self) { try ScalingAndShifting.referenceTensors(lora) }

        let folder = try TemporaryFolder()
        try FileManager.default.copyItem(
            atPath: Goldens.path("exchange/peft-timm"), toPath: folder.file("peft"))
        for (field, value) in [("\"use_dora\": false", "\"use_dora\": true"), ("\"LORA\"", "\"IA3\"")] {
            let file = folder.file("peft/adapter_config.json")
            let text = try String(
                contentsOfFile: Goldens.path("exchange/peft-timm") + "/adapter_config.json", encoding: .utf8)
            try text.replacing(field, with: value).write(toFile: file, atomically: true, encoding: .utf8)
            let error = #expect(throws: UserError.self) { try PEFTFolder.read(folder.file("peft")) }
            #expect(error?.description.contains("adapter_config.json") == true)
        }
    }

    @Test func namesOfTheReference() {
        let names = [
            "patch_embed.proj.scale": "patch_embed.ssf_scale_1", "blocks.3.norm1.shift": "blocks.3.ssf_shift_1",
            "blocks.3.norm2.scale": "blocks.3.ssf_scale_2", "blocks.0.attn.qkv.scale": "blocks.0.attn.ssf_scale_1",
            "blocks.0.attn.proj.shift": "blocks.0.attn.ssf_shift_2",
            "blocks.11.mlp.fc1.scale": "blocks.11.mlp.ssf_scale_1",
            "blocks.11.mlp.fc2.shift": "blocks.11.mlp.ssf_shift_2", "norm.scale": "ssf_scale_1",
            "norm.shift": "ssf_shift_1",
        ]
        for (own, theirs) in names { #expect(SSFReferenceKeys.name(of: own) == theirs) }
        #expect(SSFReferenceKeys.name(of: "norm_pre.scale") == nil)
        #expect(SSFReferenceKeys.name(of: "head.weight") == nil)
    }
}
