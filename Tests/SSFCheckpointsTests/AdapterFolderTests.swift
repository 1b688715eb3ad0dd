import Foundation
import SSFCheckpoints
import SSFTensors
import SSFTestSupport
import Testing

struct AdapterFolderTests {
    static let configuration = AdapterConfiguration(
        peftType: "SSF", tuningMode: "ssf", baseModelPath: "models/base", baseModelArchitecture: "vit_tiny_patch16_224",
        baseModelChecksum: "crc32:0123abcd", targetModules: ["blocks.0.attn.qkv", "norm"],
        labelNames: ["cat", "hot dog", "größer \"als\""], labelDescriptions: ["cat": "felis"],
        preprocessing: Preprocessing(
            inputSize: [3, 64, 64], mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], cropFraction: 0.9),
        globalPool: "token", methodOptions: ["scale_deviation": 0.02])

    private func adapter(_ value: Float = 1) -> AdapterFolder {
        AdapterFolder(
            configuration: Self.configuration,
            tensors: [
                "blocks.0.attn.qkv.scale": Tensor([value, 2], shape: [2]),
                "head.weight": Tensor([1, 2, 3], shape: [3, 1]),
            ],
            modelCard: "# Card\n", trainerState: Data(#"{"epoch":3,"seed":18446744073709551615}"#.utf8),
            trainingState: ["first": Tensor([value], shape: [1])])
    }

    @Test func readsWhatItWrote() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("runs/one/best")
        try adapter().write(to: path)
        let again = try AdapterFolder.read(path)
        #expect(again.configuration == Self.configuration)
        #expect(again.tensors["blocks.0.attn.qkv.scale"]?.values == [1, 2])
        #expect(again.modelCard == "# Card\n")
        #expect(again.trainingState["first"]?.values == [1])
        struct State: Decodable {
            var epoch: Int
            var seed: UInt64
        }
        let state = try again.trainerState(as: State.self, path: path)
        #expect(state?.epoch == 3 && state?.seed == .max)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: path).sorted() == [
                "README.md", "adapter_config.json", "adapter_model.safetensors", "trainer_state.json",
                "training_state.safetensors",
            ])
    }

    @Test func whatIsOptionalIsLeftOut() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("a")
        try AdapterFolder(configuration: Self.configuration, tensors: [:]).write(to: path)
        #expect(try FileManager.default.contentsOfDirectory(atPath: path).count == 2)
        let again = try AdapterFolder.read(path)
        #expect(again.modelCard == nil && again.trainerState == nil && again.trainingState.isEmpty)
    }

    @Test func writesTheNamesThatOtherToolsKnow() throws {
        let folder = try TemporaryFolder()
        try adapter().write(to: folder.file("a"))
        let config = try String(contentsOfFile: folder.file("a/adapter_config.json"), encoding: .utf8)
        for text in [
            #""peft_type" : "SSF""#, #""base_model_name_or_path" : "models/base""#, #""num_classes" : 3"#,
            #""crop_pct" : 0.9"#,
            #""format_version" : 1"#,
        ] {
            #expect(config.contains(text), "\(text)")
        }
    }

    /// Whoever reads `last/` while it is replaced finds an adapter, the old one or the new one, and no mixture.
    @Test func thereIsNoMomentWithNeither() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("last")
        try adapter(0).write(to: path)
        let watcher = Watcher(path)
        for value in 1...20 { try adapter(Float(value)).write(to: path) }
        let (looks, failures) = watcher.stop()
        #expect(looks > 0)
        #expect(failures == 0)
        #expect(try AdapterFolder.read(path).tensors["blocks.0.attn.qkv.scale"]?.values[0] == 20)
        #expect(folder.names == ["last"])
    }

    /// A thread that reads an adapter over and over, and counts where it is absent or of two pieces.
    private final class Watcher: @unchecked Sendable {
        private let condition = NSCondition()
        private var isStopping = false
        private var isDone = false
        private var looks = 0
        private var failures = 0

        /// Returns once the thread has begun to look.
        init(_ path: String) {
            Thread.detachNewThread { [self] in
                var stopping = false
                while !stopping {
                    let folder = AdapterFolder.isAdapter(path) ? try? AdapterFolder.read(path) : nil
                    let value = folder?.tensors["blocks.0.attn.qkv.scale"]?.values[0]
                    let isWhole = value != nil && value == folder?.trainingState["first"]?.values[0]
                    condition.withLock {
                        looks += 1
                        if !isWhole { failures += 1 }
                        stopping = isStopping
                        isDone = stopping
                        condition.broadcast()
                    }
                }
            }
            condition.withLock { while looks == 0 { condition.wait() } }
        }

        func stop() -> (looks: Int, failures: Int) {
            condition.withLock {
                isStopping = true
                while !isDone { condition.wait() }
                return (looks, failures)
            }
        }
    }

    @Test func mappedTensorsOutliveTheFolder() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("last")
        try adapter(7).write(to: path)
        let old = try AdapterFolder.read(path)
        try adapter(8).write(to: path)
        #expect(old.tensors["blocks.0.attn.qkv.scale"]?.values[0] == 7)
    }

    @Test func findsTheOldFolderAfterACrash() throws {
        let folder = try TemporaryFolder()
        try adapter(5).write(to: folder.file("last.previous"))
        #expect(try AdapterFolder.read(folder.file("last")).tensors["blocks.0.attn.qkv.scale"]?.values[0] == 5)
    }

    @Test func replacesNothingButAdapters() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("photos")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try Data("precious".utf8).write(to: URL(filePath: path + "/holiday.txt"))
        let error = #expect(throws: UserError.self) { try adapter().write(to: path) }
        #expect(error?.description.contains(path) == true)
        #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["holiday.txt"])
        #expect(folder.names == ["photos"])
        try Data().write(to: URL(filePath: folder.file("file")))
        #expect(throws: UserError.self) { try adapter().write(to: folder.file("file")) }
        // An empty folder is nobody's loss.
        try FileManager.default.createDirectory(atPath: folder.file("empty"), withIntermediateDirectories: true)
        try adapter().write(to: folder.file("empty"))
        #expect(AdapterFolder.isAdapter(folder.file("empty")))
    }

    @Test func saysWhetherTheBaseIsTheOneThatWasTuned() throws {
        #expect(adapter().mismatch(baseChecksum: "crc32:0123abcd", basePath: "x") == nil)
        let error = try #require(adapter().mismatch(baseChecksum: "crc32:ffffffff", basePath: "other"))
        #expect(error.description.contains("other") && error.description.contains("crc32:0123abcd (models/base)"))
    }

    /// Each change to the configuration, and the field that the error must name.
    @Test(arguments: [
        (#""format_version" : 1"#, #""format_version" : 2"#, "format_version"),
        (#""format_version" : 1,"#, "", "format_version"),
        (#""num_classes" : 3"#, #""num_classes" : 4"#, "num_classes"),
        (#""tuning_mode""#, #""tuning""#, "tuning_mode"),
        (#""peft_type" : "SSF""#, #""peft_type" : 3"#, "peft_type"),
        (#""crop_pct" : 0.9"#, #""crop_pct" : 0"#, "crop_pct"),
        (#"0.229,"#, "0,", "std"),
        (#"0.485,"#, "", "mean"),
        (#"64,"#, "", "input_size"),
        (#"{"#, "", "JSON"),
    ])
    func refuses(_ text: String, _ replacement: String, _ mentions: String) throws {
        let folder = try TemporaryFolder()
        let path = folder.file("a")
        try adapter().write(to: path)
        let file = path + "/adapter_config.json"
        var config = try String(contentsOfFile: file, encoding: .utf8)
        let range = try #require(config.range(of: text), "the configuration holds \(text)")
        config.replaceSubrange(range, with: replacement)
        try Data(config.utf8).write(to: URL(filePath: file))
        let error = #expect(throws: UserError.self) { try AdapterFolder.read(path) }
        let message = try #require(error).description
        #expect(message.contains("adapter_config.json") && message.contains(mentions), "\(message)")
    }

    @Test func refusesWhatIsNoAdapter() throws {
        let folder = try TemporaryFolder()
        #expect(throws: UserError.self) { try AdapterFolder.read(folder.file("nothing")) }
        #expect(throws: UserError.self) { try AdapterFolder.read(folder.path) }
        let model = #expect(throws: UserError.self) {
            try AdapterFolder.read(Goldens.path("checkpoints/huggingface/vit"))
        }
        #expect(model?.description.contains("--model") == true)
        try adapter().write(to: folder.file("a"))
        try FileManager.default.removeItem(atPath: folder.file("a/adapter_model.safetensors"))
        let error = #expect(throws: UserError.self) { try AdapterFolder.read(folder.file("a")) }
        #expect(error?.description.contains("adapter_model.safetensors") == true)
    }
}
