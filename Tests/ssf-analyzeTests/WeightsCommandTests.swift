import Foundation
import SSFTestSupport
import Testing

@Suite("ssf-analyze weights, as a user drives it", .serialized)
struct WeightsCommandTests {
    private let folder: TemporaryFolder
    private let models: TunedModels

    init() throws {
        folder = try TemporaryFolder()
        models = try TunedModels.shared.get()
    }

    private func analyze(_ arguments: String...) throws -> Binary.Result {
        try Binary.run(program: "ssf-analyze", ["weights"] + arguments, folder: folder.path)
    }

    private func refuse(
        _ arguments: String..., code: Int32 = 1, words: [String], location: SourceLocation = #_sourceLocation
    ) throws {
        let result = try Binary.run(program: "ssf-analyze", ["weights"] + arguments, folder: folder.path)
        #expect(result.code == code, "\(result)", sourceLocation: location)
        for word in words { #expect(result.err.contains(word), "\(word): \(result)", sourceLocation: location) }
        #expect(!result.err.contains("Fatal error"), "\(result)", sourceLocation: location)
        #expect(result.out.isEmpty, "\(result)", sourceLocation: location)
    }

    @Test("An adapter merged in memory is the folder that ssf merge writes, and both leave figures and numbers")
    func adapterAndMergedFolder() throws {
        let merged = folder.file("merged")
        try Binary.succeed("merge", "--adapter", models.run, "--output", merged)
        let result = try analyze(
            "--model", "ssf=\(models.run)", "--model", "merged=\(merged)", "--output", "out")
        #expect(result.code == 0, "\(result)")
        let rows = result.out.split(separator: "\n").map { $0.split(separator: " ") }
        let numbers = ["ssf", "merged"].map { name in rows.filter { $0[0] == name }.map { Array($0.dropFirst()) } }
        #expect(numbers[0] == numbers[1] && numbers[0].count == 10, "\(result)")
        #expect(numbers[0][0].prefix(2) == ["weights", "all"])
        let names = Set(try FileManager.default.contentsOfDirectory(atPath: folder.file("out")))
        for figure in ["weights", "weights-layers", "weights-distance", "scale-shift"] {
            for ending in ["png", "svg", "pdf"] { #expect(names.contains("\(figure).\(ending)")) }
        }
        #expect(
            names.isSuperset(of: ["weights.csv", "weights.json", "weights-histograms.csv", "scale-shift.csv"])
                && names.count == 16)
        let sites = try String(contentsOfFile: folder.file("out/scale-shift.csv"), encoding: .utf8)
            .split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false)[1] }
        let expected = ["site", "patch_embed.proj", "blocks.0.norm1", "blocks.0.attn.qkv"]
        #expect(sites.prefix(4).elementsEqual(expected.map { Substring($0) }))
        #expect(sites.last == "norm" && sites.count == 15)
    }

    @Test("The same call gives the same bytes")
    func deterministic() throws {
        for output in ["first", "second"] {
            #expect(try analyze("--model", models.run, "--output", output, "--quiet").code == 0)
        }
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.file("first")) {
            let bytes = try ["first", "second"].map {
                try Data(contentsOf: URL(filePath: folder.file("\($0)/\(name)")))
            }
            #expect(bytes[0] == bytes[1], "\(name)")
        }
    }

    @Test("Mistakes are named")
    func mistakes() throws {
        try refuse("--output", "out", words: ["--model is missing"])
        try refuse("--model", models.base, "--output", "out", words: ["which model it began with", "--base"])
        try refuse("--model", "nowhere", "--output", "out", words: ["nowhere"])
        try refuse("--model", models.scratch, "--output", "out", words: ["random weights"])
        try refuse(
            "--model", models.prompts, "--output", "out", words: [models.prompts, "does not merge", "leave it out"])
        try refuse(
            "--model", models.run, "--base", Goldens.path("vit/vit"), "--output", "out", words: ["base", "mend"])
        try refuse(
            "--model", Goldens.path("vit/mlp-ratio"), "--base", models.base, "--output", "out",
            words: ["blocks.0.mlp.fc1", "another shape"])
        try refuse("--model", models.run, "--output", "out", "--bins", "1", code: 64, words: ["--bins must be"])
        try refuse("--model", models.run, "--output", "out", "--smoothing", "0", code: 64, words: ["--smoothing"])
        try refuse("--model", models.run, "--output", "out", "--threshold", "-1", code: 64, words: ["--threshold"])
        #expect(!FileManager.default.fileExists(atPath: folder.file("out/weights.json")))
    }
}
