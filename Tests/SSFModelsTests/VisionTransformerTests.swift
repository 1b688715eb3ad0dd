import Foundation
import SSFCheckpoints
import SSFGraph
import SSFModels
import SSFTensors
import SSFTestSupport
import Testing

/// Every form of the plain vision transformer against timm's and Hugging Face's own numbers.
@Suite struct VisionTransformerTests {
    /// Runs a checkpoint on images and compares every block, the features and the logits.
    ///
    /// The goldens are float64; float32 sums over tens of channels through a few blocks stay within 1e-5 of the largest
    /// value.
    private func compare(
        folder: String, golden: String, size: (Int, Int)?, comparesLogits: Bool = true,
        resize: PositionEmbeddingResize = .timm
    ) throws {
        let expected = try Goldens.tensors(golden)
        let checkpoint = try Checkpoint.load(Goldens.path(folder))
        let model = try ModelRegistry.model(for: checkpoint)
        let images = try #require(expected["images"])
        let options = RecordingOptions(
            batch: images.shape[0], imageHeight: images.shape[2], imageWidth: images.shape[3],
            classCount: comparesLogits ? checkpoint.tensors["head.weight"]?.shape[0] ?? 0 : 0)
        if size == nil { #expect(model.nativeImageSize == (images.shape[2], images.shape[3])) }
        let program = try model.record(options)
        let store = try ParameterStore(
            program: program, tensors: model.adapted(checkpoint.tensors, options: options, resize: resize), seed: 0)
        let blocks = expected.keys.filter { $0.hasPrefix("block.") }.sorted()
        #expect(blocks.count >= 2)
        let taps = Set(blocks.map { "blocks." + $0.dropFirst("block.".count) } + ["norm"])
        let executor = Executor(program, parameters: store, mode: .inference, taps: taps)
        _ = executor.images.update(fromContentsOf: images.floats)
        executor.forward()

        for block in blocks {
            check(
                executor.tap("blocks." + block.dropFirst("block.".count)).values, expected[block]!, "\(folder) \(block)"
            )
        }
        check(executor.tap("norm").values, expected["features"]!, "\(folder) features")
        if comparesLogits, let logits = expected["logits"] { check(executor.logits, logits, "\(folder) logits") }
        if let position = expected["pos_embed"], resize == .timm {
            check(store.tensor(named: "pos_embed")!.values, position, "\(folder) pos_embed")
        }
    }

    private func check(_ seen: some Collection<Float>, _ expected: Tensor, _ what: String) {
        #expect(seen.count == expected.count, "\(what)")
        let values = expected.values
        let largest = values.reduce(0) { max($0, abs($1)) }
        let worst = zip(seen, values).reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
        #expect(worst <= 1e-5 * max(1, largest), "\(what): off by \(worst), largest \(largest)")
    }

    static let forms = try! FileManager.default.contentsOfDirectory(atPath: Goldens.path("vit")).sorted()

    @Test(arguments: forms)
    func formEqualsTimm(_ form: String) throws {
        try compare(folder: "vit/\(form)", golden: "vit/\(form)/golden.safetensors", size: nil)
        let others = try FileManager.default.contentsOfDirectory(atPath: Goldens.path("vit/\(form)"))
            .filter { $0.hasPrefix("golden-") }
        for other in others.sorted() {
            try compare(folder: "vit/\(form)", golden: "vit/\(form)/\(other)", size: (0, 0))
        }
    }

    @Test func formsAreAllThere() {
        #expect(Self.forms.count >= 19)
    }

    @Test(arguments: ["vit", "vit-no-qkv-bias", "dinov2", "dinov2-registers"])
    func formEqualsHuggingFace(_ form: String) throws {
        try compare(
            folder: "huggingface/\(form)", golden: "huggingface/\(form)/golden.safetensors", size: nil,
            comparesLogits: form.hasPrefix("vit"))
    }

    @Test(arguments: ["golden-16x16", "golden-12x20", "golden-32x28"])
    func referenceResizeEqualsTorchWithoutAntialias(_ golden: String) throws {
        let expected = try Goldens.tensors("vit/resize/\(golden).safetensors")
        let checkpoint = try Checkpoint.load(Goldens.path("vit/resize"))
        let model = try ModelRegistry.model(for: checkpoint)
        let images = expected["images"]!
        let options = RecordingOptions(
            batch: 1, imageHeight: images.shape[2], imageWidth: images.shape[3], classCount: 5)
        let resized = model.adapted(checkpoint.tensors, options: options, resize: .reference)["pos_embed"]!
        check(resized.values, expected["pos_embed_no_antialias"]!, golden)
    }

    @Test func refusesATensorTooManyByName() throws {
        var checkpoint = try Checkpoint.load(Goldens.path("vit/vit"))
        checkpoint.tensors["attn_pool.q.weight"] = Tensor(zeros: [2, 2])
        let error = #expect(throws: UserError.self) { try ModelRegistry.model(for: checkpoint) }
        #expect(error?.description.contains("attn_pool.q.weight") == true)
    }

    @Test func refusesAMissingTensorByName() throws {
        var checkpoint = try Checkpoint.load(Goldens.path("vit/vit"))
        checkpoint.tensors["blocks.1.mlp.fc2.bias"] = nil
        let error = #expect(throws: UserError.self) { try ModelRegistry.model(for: checkpoint) }
        #expect(error?.description.contains("blocks.1.mlp.fc2.bias") == true)
    }

    @Test func refusesAMisshapenTensorByName() throws {
        var checkpoint = try Checkpoint.load(Goldens.path("vit/vit"))
        checkpoint.tensors["blocks.0.attn.proj.weight"] = Tensor(zeros: [24, 25])
        let error = #expect(throws: UserError.self) { try ModelRegistry.model(for: checkpoint) }
        #expect(error?.description.contains("blocks.0.attn.proj.weight") == true)
        #expect(error?.description.contains("[24, 24]") == true)
    }

    @Test func refusesAnIntegerTensorByName() throws {
        var checkpoint = try Checkpoint.load(Goldens.path("vit/vit"))
        checkpoint.tensors["norm.weight"] = Tensor(zeros: [24], dtype: .i64)
        let error = #expect(throws: UserError.self) { try ModelRegistry.model(for: checkpoint) }
        #expect(error?.description.contains("norm.weight") == true)
    }

    @Test(arguments: [[1 << 40, 1 << 40], [16, 4097], [0, 16]])
    func refusesAnImpossibleImageSize(_ size: [Int]) throws {
        for form in ["vit", "no-class-token"] {
            var checkpoint = try Checkpoint.load(Goldens.path("vit/" + form))
            checkpoint.configuration.imageSize = size
            let error = #expect(throws: UserError.self) { try ModelRegistry.model(for: checkpoint) }
            #expect(error?.found == "\(size[0])x\(size[1])")
        }
    }

    @Test func refusesGapsInTheBlocks() throws {
        for name in ["blocks.\(Int.max).norm1.weight", "blocks.1000000000.norm1.weight"] {
            var checkpoint = try Checkpoint.load(Goldens.path("vit/vit"))
            checkpoint.tensors[name] = Tensor(zeros: [24])
            let error = #expect(throws: UserError.self) { try ModelRegistry.model(for: checkpoint) }
            #expect(error?.expected == "blocks from 0, without gaps")
        }
    }

    @Test(arguments: ["head.weight", "blocks.0.mlp.fc1.weight", "cls_token"])
    func refusesScalarsAndEmptyTensors(_ name: String) throws {
        for shape in [[], [0, 24]] as [Shape] {
            var checkpoint = try Checkpoint.load(Goldens.path("vit/vit"))
            checkpoint.tensors[name] = Tensor(zeros: shape)
            let error = #expect(throws: UserError.self) { try ModelRegistry.model(for: checkpoint) }
            #expect(error?.what.contains(name) == true)
        }
    }

    @Test func notesWhatTheConfigurationContradicts() throws {
        var checkpoint = try Checkpoint.load(Goldens.path("vit/vit"))
        func notes() throws -> [String] {
            try ModelRegistry.model(for: checkpoint).notes.filter { $0.hasPrefix("the configuration states") }
        }
        #expect(try notes().isEmpty)
        checkpoint.configuration.depth = 99
        checkpoint.configuration.patchSize = [5, 5]
        checkpoint.configuration.numFeatures = 32
        checkpoint.configuration.numClasses = 7
        checkpoint.configuration.mlpRatio = 3
        checkpoint.configuration.imageSize = [224, 224]
        let found = try notes()
        #expect(found.count == 6)
        #expect(found.contains("the configuration states 99 blocks, the tensors show 2, which counts"))
        #expect(
            found.contains("the configuration states 5 pixels a side of a patch, the tensors show 4, which counts"))
    }

    @Test func refusesAnotherActivation() throws {
        var checkpoint = try Checkpoint.load(Goldens.path("vit/clip"))
        checkpoint.configuration.architecture = "vit_base_patch16_clip_quickgelu_224"
        #expect(throws: UserError.self) { try ModelRegistry.model(for: checkpoint) }
    }

    @Test func refusesImagesThatDoNotDivide() throws {
        let model = try ModelRegistry.model(for: Checkpoint.load(Goldens.path("vit/vit")))
        let error = #expect(throws: UserError.self) {
            try model.record(RecordingOptions(batch: 1, imageHeight: 18, imageWidth: 16, classCount: 2))
        }
        #expect(error?.description.contains("--img-size 16") == true)
    }

    @Test(
        .enabled(if: TestData.has("models"), "needs ../shared/data/models or SSF_TEST_DATA"),
        arguments: ["vit_tiny_tin200", "deit_tiny_in1k"])
    func realModelEqualsItsReference(_ name: String) throws {
        let folder = "models/\(name)"
        let reference = try NPZ.read(TestData.path("\(folder)/reference.npz"))
        let checkpoint = try Checkpoint.load(TestData.path(folder))
        let model = try ModelRegistry.model(for: checkpoint)
        let preprocessing = try #require(checkpoint.configuration.preprocessing)
        let pixels = reference["images"]!
        let count = pixels.shape[0]
        let options = RecordingOptions(
            batch: count, imageHeight: 224, imageWidth: 224, classCount: checkpoint.tensors["head.weight"]!.shape[0])
        let store = try ParameterStore(
            program: try model.record(options), tensors: checkpoint.tensors, seed: 0)
        let blocks = (0..<12).map { "blocks.\($0)" }
        let executor = Executor(
            try model.record(options), parameters: store, mode: .inference, taps: Set(blocks + ["features"]))
        for image in 0..<count {
            for channel in 0..<3 {
                for pixel in 0..<(224 * 224) {
                    let byte = pixels.bytes[(image * 224 * 224 + pixel) * 3 + channel]
                    executor.images[(image * 3 + channel) * 224 * 224 + pixel] =
                        (Float(byte) / 255 - preprocessing.mean[channel]) / preprocessing.std[channel]
                }
            }
        }
        executor.forward()
        compare(Array(executor.logits), reference["logits"]!, "logits")
        compare(Array(executor.tap("features").values), reference["features"]!, "features")
        let classTokens = reference["cls_after_block"]!.values
        for (block, tap) in blocks.enumerated() {
            let tokens = executor.tap(tap)
            for image in 0..<count {
                for c in 0..<192 {
                    let expected = classTokens[(image * 12 + block) * 192 + c]
                    #expect(
                        abs(tokens.values[image * 197 * 192 + c] - expected) <= 1e-4 * max(1, abs(expected)),
                        "\(tap) image \(image) channel \(c)")
                }
            }
        }
    }

    private func compare(_ seen: [Float], _ expected: Tensor, _ what: String) {
        let values = expected.values
        #expect(seen.count == values.count)
        let worst = zip(seen, values).reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
        #expect(worst <= 1e-4, "\(what): off by \(worst)")
    }
}
