import Foundation
import SSFCheckpoints
import SSFTestSupport
import Testing

@Suite("ssf-analyze attention, as a user drives it", .serialized)
struct AttentionCommandTests {
    private let folder: TemporaryFolder
    private let models: TunedModels

    init() throws {
        folder = try TemporaryFolder()
        models = try TunedModels.shared.get()
    }

    private func analyze(_ arguments: [String]) throws -> Binary.Result {
        try Binary.run(
            program: "ssf-analyze", ["attention"] + arguments + ["--output", "out"], folder: folder.path)
    }

    private func refuse(
        _ arguments: String..., code: Int32 = 1, words: [String], location: SourceLocation = #_sourceLocation
    ) throws {
        let result = try analyze(arguments)
        #expect(result.code == code, "\(result)", sourceLocation: location)
        for word in words { #expect(result.err.contains(word), "\(word): \(result)", sourceLocation: location) }
        #expect(!result.err.contains("Fatal error"), "\(result)", sourceLocation: location)
        #expect(result.out.isEmpty, "\(result)", sourceLocation: location)
        #expect(!FileManager.default.fileExists(atPath: folder.file("out/attention.json")), sourceLocation: location)
    }

    private struct Report: Decodable {
        struct Entry: Decodable {
            var image: String
            var model: String
            var predicted: String
            var label: String?
            var isRight: Bool?
            var onPatches: [Double]
            var maps: String
        }
        struct Model: Decodable {
            var block: Int
            var rows: Int
            var columns: Int
        }
        var models: [Model]
        var entries: [Entry]
    }

    private func report() throws -> Report {
        try JSONDecoder().decode(Report.self, from: Data(contentsOf: URL(filePath: folder.file("out/attention.json"))))
    }

    @Test("A data set and two models: a cell for each, right and wrong as ssf eval says, the same bytes again")
    func grid() throws {
        let arguments = [
            "--model", "ssf=\(models.run)", "--model", "prompts=\(models.prompts)", "--data", TunedModels.data,
            "--limit", "5", "--batch-size", "2",
        ]
        let result = try analyze(arguments)
        #expect(result.code == 0, "\(result)")
        let report = try report()
        #expect(report.models.count == 2 && report.entries.count == 10)
        #expect(report.models.allSatisfy { $0.block == 1 && $0.rows == 4 && $0.columns == 4 })
        for entry in report.entries {
            #expect(entry.isRight == (entry.predicted == entry.label))
            let maps = try NPY.read(folder.file("out/\(entry.maps)"))
            #expect(maps.shape == [1, 4, 4])
            let sum = maps.values.reduce(0) { $0 + Double($1) }
            #expect(abs(sum - entry.onPatches[0]) < 1e-5 && sum > 0 && sum < 1)
        }
        #expect(result.out.split(separator: "\n").count == 11)
        let paths = try #require(FileManager.default.subpaths(atPath: folder.file("out")))
        #expect(paths.filter { $0.hasSuffix(".png") }.count == 21)
        let files = try paths.filter { $0.contains(".") }.map {
            try Data(contentsOf: URL(filePath: folder.file("out/\($0)")))
        }
        #expect(try analyze(arguments).code == 0)
        for (path, bytes) in zip(paths.filter { $0.contains(".") }, files) {
            #expect(try Data(contentsOf: URL(filePath: folder.file("out/\(path)"))) == bytes, "\(path)")
        }
    }

    @Test("Every head, a rollout, and images of any kind in their own size")
    func images() throws {
        let names = ["grey.png", "palette.png", "orientation6.jpg"].map { Goldens.path("images/\($0)") }
        var result = try analyze(names + ["--model", models.base, "--heads", "each", "--block", "0"])
        #expect(result.code == 0, "\(result)")
        #expect(try report().entries.map(\.onPatches.count) == [3, 3, 3])
        #expect(try report().models[0].block == 0)
        let heads = try NPY.read(folder.file("out/\(report().entries[2].maps)"))
        result = try analyze(names + ["--model", models.base, "--heads", "2", "--block", "0"])
        let one = try NPY.read(folder.file("out/\(report().entries[2].maps)"))
        #expect(one.values.elementsEqual(heads.values[32...]))
        #expect(try report().entries.allSatisfy { $0.label == nil && $0.isRight == nil })
        result = try analyze(
            names + ["--model", models.base, "--method", "rollout", "--upsampling", "nearest", "--saturate", "20"])
        #expect(result.code == 0, "\(result)")
        let rollout = try NPY.read(folder.file("out/\(report().entries[2].maps)")).values
        #expect(rollout.allSatisfy { $0 > 0 } && rollout.reduce(0, +) < 1)
    }

    @Test("Mistakes are named, and leave no report behind")
    func mistakes() throws {
        let image = Goldens.path("images/grey.png")
        let model = ["--model", models.base]
        try refuse(image, words: ["--model is missing"])
        try refuse(model[0], model[1], code: 64, words: ["Name images, or a data set"])
        try refuse(image, model[0], model[1], "--data", TunedModels.data, code: 64, words: ["not both"])
        try refuse(image, model[0], model[1], "--block", "2", words: ["--block 2", "0 to 1"])
        try refuse(image, model[0], model[1], "--heads", "3", words: ["--heads 3", "0 to 2"])
        try refuse(image, model[0], model[1], "--heads", "all", code: 64, words: ["all"])
        try refuse(image, model[0], model[1], "--saturate", "100", code: 64, words: ["--saturate"])
        try refuse(image, model[0], model[1], "--method", "rollout", "--heads", "each", code: 64, words: ["rollout"])
        try refuse(
            image, "--model", Goldens.path("vit/no-class-token"), words: ["no class token", "no-class-token"])
        try Data("no image".utf8).write(to: URL(filePath: folder.file("text.png")))
        try refuse(folder.file("text.png"), model[0], model[1], words: ["text.png", "not an image"])
        try refuse("nowhere.png", model[0], model[1], words: ["nowhere.png"])
        let whole = try Data(contentsOf: URL(filePath: image))
        try whole.prefix(whole.count / 2).write(to: URL(filePath: folder.file("half.png")))
        try refuse(folder.file("half.png"), model[0], model[1], words: ["half.png", "damaged"])
        var broken = try Checkpoint.load(models.base).tensors
        let poisoned = broken["blocks.1.attn.qkv.weight"]!.copied()
        poisoned.floats[0] = .nan
        broken["blocks.1.attn.qkv.weight"] = poisoned
        try FileManager.default.copyItem(atPath: models.base, toPath: folder.file("broken"))
        try Safetensors.write(broken, to: folder.file("broken/model.safetensors"))
        try refuse(image, "--model", folder.file("broken"), words: ["not finite", "grey.png"])
    }
}
