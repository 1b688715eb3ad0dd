import Foundation
import SSFAnalysis
import SSFCheckpoints
import SSFTensors
import SSFTestSupport
import Testing

@Suite("ssf-analyze similarity, as a user drives it", .serialized)
struct SimilarityCommandTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static let small = Goldens.path("vit/vit")
    /// Of the same form, with other weights.
    private static let alike = Goldens.path("vit/average")
    /// 6 blocks of 128 channels instead of 2 of 24.
    private static let deeper = Goldens.root.deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "notebooks-data/vit_cifar").path

    private func similarity(
        _ models: [String], _ options: [String] = [], data: String = "synthetic:shape?test=24&train=4&val=4&size=16"
    ) throws -> Binary.Result {
        try Binary.run(
            program: "ssf-analyze",
            ["similarity", "--data", data, "--output", "out"] + models.flatMap { ["--model", $0] } + options,
            folder: folder.path)
    }

    private func report() throws -> SimilarityReport {
        try JSONDecoder().decode(
            SimilarityReport.self, from: Data(contentsOf: URL(filePath: folder.file("out/similarity.json"))))
    }

    @Test("Tables, figures, numbers and settings; the same bytes again")
    func whole() throws {
        let models = ["one=\(Self.small)", "two=\(Self.alike)"]
        let options = ["--measure", "all", "--batch-size", "10", "--subject", "two", "--quiet"]
        let result = try similarity(models, options)
        #expect(result.code == 0 && result.err.isEmpty, "\(result)")
        #expect(result.out.contains("linear CKA (unbiased), class tokens, with one"))
        let files = ["similarity", "similarity-layers"].flatMap { name in
            ["png", "svg", "pdf", "csv"].map { "\(name).\($0)" }
        }
        for name in files {
            #expect(FileManager.default.contents(atPath: folder.file("out/\(name)"))?.isEmpty == false, "\(name)")
        }
        let report = try report()
        #expect(report.models.map(\.name) == ["one", "two"] && report.models.map(\.role) == [.reference, .compared])
        #expect(report.setting.images == 24 && report.setting.batchSize == 10 && report.setting.seed == 0)
        #expect(report.curves.count == 4 && report.curves.allSatisfy { $0.values.count == 2 })
        // The claim needs a third model to be nearer than.
        #expect(report.claims.isEmpty)
        let csv = try String(contentsOfFile: folder.file("out/similarity.csv"), encoding: .utf8)
        #expect(try similarity(models, options + ["--threads", "1"]).code == 0)
        #expect(try String(contentsOfFile: folder.file("out/similarity.csv"), encoding: .utf8) == csv)
    }

    @Test("A model of another depth and width: in the map, not in the curves, and it is said why")
    func otherForm() throws {
        let result = try similarity(
            ["one=\(Self.small)", "two=\(Self.alike)", "deep=\(Self.deeper)"],
            ["--reference", "one", "--ceiling", "two"])
        #expect(result.code == 0, "\(result)")
        #expect(result.err.contains("deep and one have 6 and 2 blocks: compared only in the map of all blocks"))
        let report = try report()
        #expect(Set(report.curves.map(\.model)) == ["two"])
        #expect(report.maps.first { $0.model == "deep" }?.values.map(\.count) == [6, 6])
        #expect(report.models.map(\.role) == [.reference, .compared, .ceiling])
    }

    @Test("Tokens all: minibatches, each image with all its tokens")
    func allTokens() throws {
        let result = try similarity(
            ["one=\(Self.small)", "one2=\(Self.small)"], ["--tokens", "all", "--batch-size", "8"])
        #expect(result.code == 0, "\(result)")
        let report = try report()
        #expect(report.setting.measures == [.minibatchCKA, .cosine])
        #expect(report.curves.flatMap(\.values).allSatisfy { abs($0! - 1) < 1e-6 })
    }

    @Test("Mistakes are named before anything is computed")
    func mistakes() throws {
        func refuse(
            _ models: [String], _ options: [String] = [], _ words: String...,
            location: SourceLocation = #_sourceLocation
        ) throws {
            let result = try similarity(models, options)
            #expect(result.code == 1 && result.out.isEmpty, "\(result)", sourceLocation: location)
            for word in words { #expect(result.err.contains(word), "\(word): \(result)", sourceLocation: location) }
            #expect(
                !FileManager.default.fileExists(atPath: folder.file("out/similarity.json")), sourceLocation: location)
        }
        let two = ["one=\(Self.small)", "two=\(Self.alike)"]
        try refuse([], [], "--model is missing")
        try refuse(["one=\(Self.small)"], [], "nothing to compare one with")
        try refuse(["one=\(Self.small)", "one=\(Self.alike)"], [], "two models are called one")
        try refuse(two, ["--reference", "on"], "no model has this name", "one, two")
        try refuse(two, ["--ceiling", "one"], "the reference itself")
        try refuse(two, ["--measure", "cka-unbiasd"], "did you mean `cka-unbiased`?")
        try refuse(two, ["--limit", "3"], "too few images for cka-unbiased", "4 or more")
        try refuse(two, ["--measure", "cka-minibatch", "--batch-size", "3"], "--batch-size is too small")
        try refuse(
            ["one=\(Self.small)", "none=\(Goldens.path("vit/no-class-token"))"], [], "none has no class token",
            "--tokens mean")
        try refuse(["one=\(Self.small)", "no/where"], [], "no/where")
    }

    @Test("Features that are no numbers are named with their model and block")
    func notFinite() throws {
        var tensors = try Safetensors.read(Self.small + "/model.safetensors").tensors
        let bias = Tensor([Float](repeating: .nan, count: 24), shape: [24])
        tensors["blocks.1.mlp.fc2.bias"] = bias
        try FileManager.default.createDirectory(atPath: folder.file("broken"), withIntermediateDirectories: true)
        try Safetensors.write(tensors, to: folder.file("broken/model.safetensors"))
        try FileManager.default.copyItem(atPath: Self.small + "/config.json", toPath: folder.file("broken/config.json"))
        let result = try similarity(["one=\(Self.small)", "broken"])
        #expect(result.code == 1, "\(result)")
        #expect(result.err.contains("the features of the model broken at blocks.1 are not finite"), "\(result)")
    }
}
