import Foundation
import SSFCheckpoints
import SSFTensors
import SSFTestSupport
import Testing

struct CheckpointTests {
    // MARK: What is not a model

    @Test(arguments: [
        (
            "timm/vit_base_patch16_224.augreg_in21k",
            "hf download timm/vit_base_patch16_224.augreg_in21k config.json model.safetensors"
        ),
        ("hf-hub:timm/vit_tiny_patch16_224.augreg_in21k", "hf download timm/vit_tiny_patch16_224.augreg_in21k "),
        ("vit_tiny_patch16_224.augreg_in21k", "hf download timm/vit_tiny_patch16_224.augreg_in21k "),
        ("vit_base_patch16_224", "hf download timm/vit_base_patch16_224.augreg2_in21k_ft_in1k "),
        ("timm/deit_tiny_patch16_224", "hf download timm/deit_tiny_patch16_224.fb_in1k "),
        (
            "google/vit-base-patch16-224",
            "hf download google/vit-base-patch16-224 config.json preprocessor_config.json model.safetensors"
                + " --local-dir vit-base-patch16-224"
        ),
        ("https://huggingface.co/facebook/dinov2-small", "hf download facebook/dinov2-small "),
    ])
    func printsTheDownloadCommandForNamesOfTheHub(_ name: String, _ command: String) throws {
        let error = #expect(throws: UserError.self) { try Checkpoint.load(name) }
        let text = try #require(error).description
        #expect(text.contains("pip install huggingface_hub && " + command), "\(text)")
        #expect(text.contains("--local-dir"))
    }

    @Test(arguments: [
        "/no/such/model", "./weights", "a/b/c", "weights.safetensors", "models/tiny.safetensors", "~/x", "",
    ])
    func pathsAreNotTakenForNames(_ path: String) throws {
        let error = #expect(throws: UserError.self) { try Checkpoint.load(path) }
        let text = try #require(error).description
        #expect(text.contains("no such file or folder") && !text.contains("hf download"), "\(text)")
    }

    @Test(arguments: [
        ("pytorch_model.bin", "torch.load"), ("deit.pth", "torch.load"), ("a.ckpt", "torch.load"),
        ("B_16.npz", "timm.create_model"),
        ("tf_model.h5", "safetensors"),
    ])
    func foreignFormatsAreRefusedWithACommand(_ name: String, _ mentions: String) throws {
        let folder = try TemporaryFolder()
        let path = folder.file(name)
        try Data("x".utf8).write(to: URL(filePath: path))
        // As a file, and as all that a folder holds.
        for model in [path, folder.path] {
            let error = #expect(throws: UserError.self) { try Checkpoint.load(model) }
            let text = try #require(error).description
            #expect(text.contains(path) && text.contains(mentions), "\(text)")
        }
    }

    @Test func foldersWithoutOneModelAreNamed() throws {
        let folder = try TemporaryFolder()
        func message() throws -> String {
            let error = #expect(throws: UserError.self) { try Checkpoint.load(folder.path) }
            return try #require(error).description
        }
        #expect(try message().contains("an empty folder"))
        try Safetensors.write([:], to: folder.file("a.safetensors"))
        #expect(throws: Never.self) { try Checkpoint.load(folder.path) }
        try Safetensors.write([:], to: folder.file("b.safetensors"))
        #expect(try message().contains("a.safetensors, b.safetensors"))
        try FileManager.default.removeItem(atPath: folder.file("b.safetensors"))
        try FileManager.default.moveItem(
            atPath: folder.file("a.safetensors"), toPath: folder.file("adapter_model.safetensors"))
        #expect(try message().contains("--adapter"))
    }

    @Test func damagedShardsAreNamed() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("m")
        try FileManager.default.copyItem(atPath: Goldens.path("checkpoints/huggingface/vit-sharded"), toPath: path)
        let shard = path + "/model-00002-of-00004.safetensors"
        try Safetensors.write([:], to: shard)
        let empty = #expect(throws: UserError.self) { try Checkpoint.load(path) }
        #expect(empty?.description.contains("model-00002-of-00004.safetensors: the tensor") == true)
        try FileManager.default.removeItem(atPath: shard)
        let missing = #expect(throws: UserError.self) { try Checkpoint.load(path) }
        #expect(missing?.description.contains(shard) == true)
        try Data(#"{"weight_map":{"a":"../../secret.safetensors"}}"#.utf8)
            .write(to: URL(filePath: path + "/model.safetensors.index.json"))
        let outside = #expect(throws: UserError.self) { try Checkpoint.load(path) }
        #expect(outside?.description.contains("weight_map") == true)
    }

    // MARK: Models

    @Test func aFileCalledModelBelongsToItsFolder() throws {
        let file = try Checkpoint.load(Goldens.path("checkpoints/huggingface/vit/model.safetensors"))
        let folder = try Checkpoint.load(Goldens.path("checkpoints/huggingface/vit"))
        #expect(file.configuration == folder.configuration)
        #expect(file.checksum == folder.checksum)
        #expect(file.path.hasSuffix("model.safetensors"))
        let scheme = try Checkpoint.load("local-dir:" + Goldens.path("checkpoints/huggingface/vit"))
        #expect(scheme.path == folder.path && scheme.checksum == folder.checksum)
    }

    @Test func anOnlyFileBelongsToTheConfigurationBesideIt() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("vit.safetensors")
        for (source, target) in [("model.safetensors", "vit.safetensors"), ("config.json", "config.json")] {
            let from = Goldens.path("checkpoints/huggingface/vit/" + source)
            try FileManager.default.copyItem(atPath: from, toPath: folder.file(target))
        }
        #expect(try Checkpoint.load(path).configuration.layerNormEpsilon == 3e-5)
        // Beside another, whose the configuration is cannot be known.
        try Safetensors.write([:], to: folder.file("other.safetensors"))
        let alone = try Checkpoint.load(path)
        #expect(alone.configuration.layerNormEpsilon == nil)
        #expect(alone.notes.contains { $0.contains("no config.json belongs") })
    }

    @Test(.needsData("models/vit_tiny_tin200"))
    func readsTheRealTimmModels() throws {
        let tiny = try Checkpoint.load(TestData.path("models/vit_tiny_tin200"))
        #expect(tiny.tensors.values.reduce(0) { $0 + $1.count } == 5_563_016)
        #expect(tiny.tensors.count == 152)
        #expect(tiny.configuration.architecture == "vit_tiny_patch16_224")
        #expect(tiny.configuration.labelNames?.count == 200)
        #expect(tiny.configuration.labelDescriptions?["n01443537"] == "goldfish, Carassius auratus")
        #expect(tiny.configuration.preprocessing?.mean == [0.5, 0.5, 0.5])
        #expect(tiny.configuration.preprocessing?.cropFraction == 0.9)
        #expect(tiny.notes.isEmpty)
        let deit = try Checkpoint.load(TestData.path("models/deit_tiny_in1k"))
        #expect(deit.tensors.values.reduce(0) { $0 + $1.count } == 5_717_416)
        #expect(deit.tensors["cls_token"]?.dtype == .f16)
        #expect(deit.configuration.family == .deit)
    }
}
