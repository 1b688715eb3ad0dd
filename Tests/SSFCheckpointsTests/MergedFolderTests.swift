import Foundation
import SSFCheckpoints
import SSFTensors
import SSFTestSupport
import Testing

struct MergedFolderTests {
    private static let preprocessing = Preprocessing(
        inputSize: [3, 8, 8], mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], interpolation: "bilinear",
        cropFraction: 0.9)

    /// Tensors of a model of another tool, in a timm folder, which states all that timm must be told.
    @Test(arguments: ["vit-sharded", "deit-distilled", "dinov2-registers"])
    func writesAFolderThatStatesTheWholeForm(_ form: String) throws {
        let folder = try TemporaryFolder()
        var base = try Checkpoint.load(Goldens.path("checkpoints/huggingface/" + form))
        let names = base.tensors["head.weight"] == nil ? [] : ["a", "b", "c", "d", "e"]
        base.configuration.layerNormEpsilon = 1e-6
        let notes = try MergedFolder(
            tensors: base.tensors, configuration: base.configuration, labelNames: names,
            labelDescriptions: ["a": "first"],
            preprocessing: Self.preprocessing, modelCard: "# Card\n"
        ).write(to: folder.file("merged"))
        #expect(notes.isEmpty)

        let merged = try Checkpoint.load(folder.file("merged"))
        #expect(merged.checksum == base.checksum)
        #expect(merged.configuration.numClasses == names.count)
        #expect(merged.configuration.labelNames ?? [] == names)
        #expect(merged.configuration.labelDescriptions == ["a": "first"])
        #expect(merged.configuration.preprocessing == Self.preprocessing)
        #expect(merged.configuration.imageSize == [8, 8])
        #expect(merged.configuration.patchSize == [4, 4])
        #expect(merged.configuration.headCount == 2)
        #expect(merged.configuration.depth == 2)
        #expect(merged.configuration.mlpRatio == 3)
        #expect(merged.configuration.globalPool == "token")
        #expect(merged.configuration.layerNormEpsilon == 1e-6)
        #expect(merged.configuration.qkvBias == true)
        #expect(
            merged.configuration.registerCount == (form == "dinov2-registers" ? 3 : form == "deit-distilled" ? nil : 0))
        #expect(merged.configuration.noEmbedClass == (form == "deit-distilled" ? nil : form == "dinov2-registers"))
        #expect(merged.notes.isEmpty)
        #expect(try String(contentsOfFile: folder.file("merged/README.md"), encoding: .utf8) == "# Card\n")
    }

    @Test func anEpsilonThatTimmCannotBeToldIsSaid() throws {
        let folder = try TemporaryFolder()
        let base = try Checkpoint.load(Goldens.path("checkpoints/huggingface/vit"))
        let merged = MergedFolder(
            tensors: base.tensors, configuration: base.configuration, labelNames: [], preprocessing: Self.preprocessing)
        #expect(try merged.write(to: folder.file("m")).count == 1)
        #expect(try Checkpoint.load(folder.file("m")).configuration.layerNormEpsilon == 3e-5)
    }

    @Test func aStatedArchitectureKeepsItsArguments() throws {
        let folder = try TemporaryFolder()
        let base = try Checkpoint.load(Goldens.path("checkpoints/huggingface/vit"))
        var configuration = ModelConfiguration()
        configuration.architecture = "vit_tiny_patch16_224"
        configuration.modelArguments = ["num_heads": 4, "img_size": 224, "num_classes": 9, "weird": "kept"]
        configuration.pretrainedConfiguration = ["tag": "x", "test_input_size": [3, 288, 288], "license": "mit"]
        try MergedFolder(
            tensors: base.tensors, configuration: configuration, labelNames: [], preprocessing: Self.preprocessing
        ).write(to: folder.file("m"))
        let merged = try Checkpoint.load(folder.file("m")).configuration
        #expect(
            merged.modelArguments == [
                "num_heads": 4, "img_size": 8, "weird": "kept", "global_pool": "token", "qkv_bias": true,
            ])
        #expect(merged.pretrainedConfiguration["test_input_size"] == nil)
        #expect(merged.pretrainedConfiguration["license"] == "mit")
        #expect(merged.numClasses == 0)
    }

    @Test func refusesWhatDoesNotFit() throws {
        let folder = try TemporaryFolder()
        let base = try Checkpoint.load(Goldens.path("checkpoints/huggingface/vit-sharded"))
        func message(_ change: (inout MergedFolder) -> Void) throws -> String {
            var merged = MergedFolder(
                tensors: base.tensors, configuration: base.configuration, labelNames: ["a", "b", "c", "d", "e"],
                preprocessing: Self.preprocessing)
            change(&merged)
            let error = #expect(throws: UserError.self) { try merged.write(to: folder.file("m")) }
            return try #require(error).description
        }
        #expect(try message { $0.labelNames = ["a"] }.contains("label_names"))
        #expect(try message { $0.preprocessing.inputSize = [3, 16, 16] }.contains("pos_embed"))
        #expect(try message { $0.tensors["patch_embed.proj.weight"] = nil }.contains("patch_embed.proj.weight"))
        #expect(try message { $0.configuration.headCount = nil }.contains("num_heads"))
        #expect(folder.names.isEmpty)
    }

    /// timm's pre-norm models (CLIP's) have no patch bias, which merging a shift makes.
    @Test func aPatchBiasBeforeAPreNormMovesIntoThePositions() throws {
        let folder = try TemporaryFolder()
        let base = try Checkpoint.load(Goldens.path("vit/clip"))
        #expect(base.tensors["patch_embed.proj.bias"] == nil)
        let positions = try #require(base.tensors["pos_embed"])
        let width = positions.shape[2]
        let size = try #require(base.configuration.imageSize)
        let bias = (0..<width).map { Float($0) / 8 }
        let merged = MergedFolder(
            tensors: base.tensors.merging(["patch_embed.proj.bias": Tensor(bias, shape: [width])]) { $1 },
            configuration: base.configuration, labelNames: base.configuration.labelNames ?? [],
            preprocessing: Preprocessing(inputSize: [3] + size, mean: [0, 0, 0], std: [1, 1, 1]))
        #expect(try merged.write(to: folder.file("m")).count == 1)
        let again = try Checkpoint.load(folder.file("m"))
        #expect(Set(again.tensors.keys) == Set(base.tensors.keys))
        let (before, after) = (positions.values, try #require(again.tensors["pos_embed"]).values)
        for index in before.indices {
            // The class token's position, the first, is as it was.
            #expect(after[index] == before[index] + (index < width ? 0 : bias[index % width]))
        }
    }

    @Test func replacesNothing() throws {
        let folder = try TemporaryFolder()
        let base = try Checkpoint.load(Goldens.path("checkpoints/huggingface/vit-sharded"))
        let merged = MergedFolder(
            tensors: base.tensors, configuration: base.configuration, labelNames: ["a", "b", "c", "d", "e"],
            preprocessing: Self.preprocessing)
        try MergedFolder.checkPlace(folder.file("m"))
        try merged.write(to: folder.file("m"))
        #expect(throws: UserError.self) { try MergedFolder.checkPlace(folder.file("m")) }
        #expect(throws: UserError.self) { try merged.write(to: folder.file("m")) }
        try FileManager.default.copyItem(
            atPath: Goldens.path("checkpoints/huggingface/vit"), toPath: folder.file("theirs"))
        #expect(throws: UserError.self) { try merged.write(to: folder.file("theirs")) }
        #expect(folder.names == ["m", "theirs"])
    }

    @Test func theCardIsMarkdownWithFrontMatter() {
        var card = ModelCard(title: "Clothing", summary: "Tuned.")
        card.baseModel = "models/a: b"
        card.datasets = ["clothing"]
        card.tags = ["ssf"]
        card.metrics = [("top-1", "86.3 %"), ("a|b", "x")]
        card.recipe = [("lr", "0.005")]
        card.classes = (0..<60).map { "c\($0)" }
        card.usage = ["ssf predict --model . a.jpg"]
        let text = card.markdown
        #expect(
            text.hasPrefix(
                "---\nlibrary_name: ssf\npipeline_tag: image-classification\ntags:\n- \"image-classification\"\n- \"ssf\"\n"
            ))
        #expect(text.contains("base_model: \"models/a: b\""))
        #expect(text.contains("| top-1 | 86.3 % |\n| a\\|b | x |"))
        #expect(text.contains("60: c0, c1,") && text.contains("and 10 more."))
        #expect(text.contains("```sh\nssf predict --model . a.jpg\n```"))
        #expect(text.contains("lian2022scaling"))
    }
}
