import Foundation
import SSFCheckpoints
import SSFTensors
import SSFTestSupport
import Testing

/// Folders that transformers wrote, against the same tensors under timm's names, with which a timm model gave the same
/// tokens (tools/goldens/checkpoints.py).
struct KeyMapTests {
    static let forms = [
        "vit", "vit-sharded", "mae", "deit", "deit-distilled", "dinov2", "dinov2-swiglu", "dinov2-registers",
    ]

    @Test(arguments: forms)
    func translatesHuggingFaceToTimm(_ form: String) throws {
        let checkpoint = try Checkpoint.load(Goldens.path("checkpoints/huggingface/" + form))
        try expectSame(checkpoint.tensors, Goldens.tensors("checkpoints/huggingface/\(form)/expected.safetensors"))
    }

    /// The same names without a configuration: the map is found from them.
    @Test(arguments: forms.filter { $0 != "vit-sharded" })
    func recognisesHuggingFaceNamesWithoutAConfiguration(_ form: String) throws {
        let folder = try TemporaryFolder()
        let path = folder.file("weights.safetensors")
        let source = Goldens.path("checkpoints/huggingface/\(form)/model.safetensors")
        try FileManager.default.copyItem(atPath: source, toPath: path)
        let checkpoint = try Checkpoint.load(path)
        try expectSame(checkpoint.tensors, Goldens.tensors("checkpoints/huggingface/\(form)/expected.safetensors"))
        #expect(checkpoint.configuration.layerNormEpsilon == nil)
        #expect(checkpoint.notes.contains { $0.contains("no config.json belongs") })
    }

    /// The names that transformers 5 gives the modules in memory, as `safetensors.torch.save_file(model.state_dict())`
    /// would leave them.
    @Test func translatesTheNamesInMemory() throws {
        let renaming = [
            "encoder.layer.": "layers.", "attention.attention.query": "attention.q_proj",
            "attention.attention.key": "attention.k_proj", "attention.attention.value": "attention.v_proj",
            "attention.output.dense": "attention.o_proj", "intermediate.dense": "mlp.fc1", "output.dense": "mlp.fc2",
        ].sorted { $0.key.count > $1.key.count }
        let saved = try Goldens.tensors("checkpoints/huggingface/vit/model.safetensors")
        var tensors: [String: Tensor] = [:]
        for (name, tensor) in saved {
            tensors[renaming.reduce(name) { $0.replacingOccurrences(of: $1.key, with: $1.value) }] = tensor
        }
        let checkpoint = try load(tensors)
        try expectSame(checkpoint.tensors, Goldens.tensors("checkpoints/huggingface/vit/expected.safetensors"))
    }

    @Test func saysWhatIsLeftOut() throws {
        func notes(_ form: String) throws -> String {
            try Checkpoint.load(Goldens.path("checkpoints/huggingface/" + form)).notes.joined(separator: "\n")
        }
        #expect(
            try notes("vit").contains("pooler.dense.bias, pooler.dense.weight are left out: timm reads the class token")
        )
        #expect(
            try notes("mae").contains("decoder.decoder_embed.bias and 23 more are left out: used in pre-training only"))
        #expect(try notes("dinov2").contains("embeddings.mask_token is left out"))
        #expect(try notes("dinov2-registers").contains("added to the class token"))
    }

    @Test func keepsUnknownNames() throws {
        var tensors = try Goldens.tensors("checkpoints/huggingface/vit/model.safetensors")
        tensors["encoder.layer.0.attention.ssf_scale_1"] = Tensor([1], shape: [1])
        tensors["something.else"] = Tensor([2], shape: [1])
        let checkpoint = try load(tensors)
        #expect(checkpoint.tensors["encoder.layer.0.attention.ssf_scale_1"]?.values == [1])
        #expect(checkpoint.tensors["something.else"]?.values == [2])
    }

    @Test func namesTheMissingPartOfAFusedTensor() throws {
        var tensors = try Goldens.tensors("checkpoints/huggingface/vit/model.safetensors")
        tensors["encoder.layer.1.attention.attention.key.weight"] = nil
        let error = #expect(throws: UserError.self) { try load(tensors) }
        #expect(error?.description.contains("blocks.1.attn.qkv.weight") == true)
    }

    @Test func refusesPartsThatDiffer() throws {
        var tensors = try Goldens.tensors("checkpoints/huggingface/vit/model.safetensors")
        let name = "encoder.layer.1.attention.attention.key.weight"
        tensors[name] = try #require(tensors[name]).converted(to: .f16)
        let error = #expect(throws: UserError.self) { try load(tensors) }
        #expect(error?.description.contains("F16") == true)
    }

    @Test func refusesTwoTensorsOfOneName() throws {
        var tensors = try Goldens.tensors("checkpoints/huggingface/vit/model.safetensors")
        tensors["vit.embeddings.cls_token"] = tensors["embeddings.cls_token"]
        #expect(throws: UserError.self) { try load(tensors) }
    }

    // MARK: timm

    @Test func unwrapsWhatStandsBeforeEveryName() throws {
        let tensors = ["cls_token": Tensor([1], shape: [1, 1, 1]), "blocks.0.norm1.weight": Tensor([2], shape: [1])]
        let wrapped = Dictionary(uniqueKeysWithValues: tensors.map { ("module.model." + $0.key, $0.value) })
        #expect(Set(try load(wrapped).tensors.keys) == Set(tensors.keys))
        // One name without the prefix, and it is no wrapper.
        var mixed = wrapped
        mixed["cls_token"] = tensors["cls_token"]
        #expect(try load(mixed).tensors["module.model.cls_token"] != nil)
    }

    @Test func translatesTheNamesOfOriginalReleases() throws {
        let checkpoint = try load([
            "mask_token": Tensor([0], shape: [1, 1]),
            "register_tokens": Tensor([5, 6], shape: [1, 1, 2]),
            "cls_token": Tensor([1, 2], shape: [1, 1, 2]),
            "pos_embed": Tensor([10, 20, 30, 40], shape: [1, 2, 2]),
            "blocks.0.gamma_1": Tensor([7], shape: [1]),
            "blocks.0.mlp.w12.weight": Tensor([8], shape: [1, 1]),
            "blocks.0.mlp.w3.bias": Tensor([9], shape: [1]),
            "patch_embed.proj.weight": Tensor([Float](repeating: 1, count: 24), shape: [2, 12]),
            "pre_logits.fc.weight": Tensor([1], shape: [1, 1]),
        ])
        #expect(checkpoint.tensors["reg_token"]?.values == [5, 6])
        #expect(checkpoint.tensors["cls_token"]?.values == [11, 22])
        #expect(checkpoint.tensors["pos_embed"]?.values == [30, 40])
        #expect(checkpoint.tensors["pos_embed"]?.shape == [1, 1, 2])
        #expect(checkpoint.configuration.noEmbedClass == true)
        #expect(checkpoint.tensors["blocks.0.ls1.gamma"]?.values == [7])
        #expect(checkpoint.tensors["blocks.0.mlp.fc1.weight"]?.values == [8])
        #expect(checkpoint.tensors["blocks.0.mlp.fc2.bias"]?.values == [9])
        #expect(checkpoint.tensors["patch_embed.proj.weight"]?.shape == [2, 3, 2, 2])
        #expect(checkpoint.tensors.count == 7)
    }

    // MARK: Helpers

    private func load(_ tensors: [String: Tensor]) throws -> Checkpoint {
        let folder = try TemporaryFolder()
        try Safetensors.write(tensors, to: folder.file("weights.safetensors"))
        return try Checkpoint.load(folder.file("weights.safetensors"))
    }

    private func expectSame(_ tensors: [String: Tensor], _ expected: [String: Tensor]) throws {
        #expect(Set(tensors.keys) == Set(expected.keys))
        for (name, tensor) in expected {
            let found = try #require(tensors[name], "\(name)")
            #expect(found.shape == tensor.shape, "\(name)")
            #expect(found.values == tensor.values, "\(name)")
        }
    }
}
