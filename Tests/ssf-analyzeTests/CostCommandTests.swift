import Foundation
import SSFAnalysis
import SSFTestSupport
import SSFTuning
import Testing

@Suite("ssf-analyze cost, as a user drives it", .serialized)
struct CostCommandTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// Temporary files go to a folder of the test's own, which shows what is left behind.
    private func analyze(_ arguments: [String]) throws -> Binary.Result {
        let temporary = folder.file("tmp")
        try FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: true)
        let result = try Binary.run(
            program: "ssf-analyze", ["cost"] + arguments, environment: ["TMPDIR": temporary], folder: folder.path)
        #expect(try FileManager.default.contentsOfDirectory(atPath: temporary).isEmpty)
        return result
    }

    private static let tiny = [
        "--architecture", "vit_tiny_patch16_32", "--batch-size", "2", "--classes", "3", "--quick",
    ]

    /// Runs, and expects a failure that names what is wrong, before anything was measured.
    private func refuse(
        _ arguments: [String], code: Int32 = 1, _ words: String..., location: SourceLocation = #_sourceLocation
    ) throws {
        let result = try analyze(arguments)
        #expect(result.code == code, "\(result)", sourceLocation: location)
        for word in words { #expect(result.err.contains(word), "\(word): \(result)", sourceLocation: location) }
        #expect(!result.err.contains("measuring 1"), "\(result)", sourceLocation: location)
        #expect(result.out.isEmpty, "\(result)", sourceLocation: location)
    }

    @Test("Every method is measured; the tables fit a terminal")
    func table() throws {
        let result = try analyze(Self.tiny)
        #expect(result.code == 0, "\(result)")
        let lines = result.out.split(separator: "\n", omittingEmptySubsequences: false)
        for line in lines { #expect(line.count <= 100, "\(line)") }
        for subject in NamedTuning.standard {
            #expect(lines.count { $0.hasPrefix(subject.name + " ") } == 2, "\(subject.name): \(result)")
        }
        #expect(result.out.contains("products of tokens by tokens alone"))
        #expect(result.err.contains("measuring 11 methods") && result.err.contains("about 00:0"))
        #expect(result.err.contains("ssf: training ") && result.err.contains("next: ssf-analyze"))
    }

    @Test("The folder gets the figure three times, CSV and JSON; a later run goes on from them")
    func output() throws {
        let first = try analyze(Self.tiny + ["--methods", "ssf", "--output", "a", "--format", "json", "--quiet"])
        #expect(first.code == 0 && first.err.isEmpty, "\(first)")
        let report = try JSONDecoder().decode(CostReport.self, from: Data(first.out.utf8))
        let ssf = try #require(report.methods.first)
        #expect(report.methods.count == 1 && report.setting.batch == 2 && report.setting.precision == .bfloat16)
        #expect(ssf.training.seconds.count == 2 && ssf.test.seconds.allSatisfy { $0 > 0 })
        // The plan of the process is the one that was counted before it ran, and lies within its peak.
        #expect(ssf.training.plannedBytes == ssf.counts.trainingPlannedBytes)
        #expect(ssf.test.plannedBytes == ssf.counts.inferencePlannedBytes)
        #expect(ssf.training.peakBytes > ssf.training.plannedBytes && ssf.test.peakBytes < 1_000_000_000)
        let written = try FileManager.default.contentsOfDirectory(atPath: folder.file("a")).sorted()
        #expect(written == ["cost.csv", "cost.json", "cost.pdf", "cost.png", "cost.svg"])
        #expect(try Data(contentsOf: URL(filePath: folder.file("a/cost.json"))) == Data(first.out.utf8))

        // What this call does not name stays in the folder.
        let second = try analyze(
            Self.tiny + ["--methods", "vpt-deep:prompts=3", "--output", "a", "--resume", "--format", "json"])
        #expect(second.code == 0 && second.err.contains("1 method is kept from a"), "\(second)")
        let both = try JSONDecoder().decode(CostReport.self, from: Data(second.out.utf8)).methods
        #expect(both.map(\.name) == ["vpt-deep:prompts=3", "ssf"] && both[1] == ssf)
        #expect(both[0].counts.extraInferenceParameters == 12 * 3 * 192)

        let other = Self.tiny + ["--methods", "ssf", "--output", "a", "--resume", "--precision", "f32"]
        try refuse(other, "a/cost.json", "another setting", "leave --resume out")
    }

    @Test("A checkpoint is measured at an image size of its user's choice", .needsData("models/vit_tiny_tin200"))
    func checkpoint() throws {
        let result = try analyze([
            "--model", TestData.path("models/vit_tiny_tin200"), "--img-size", "32", "--batch-size", "2", "--steps", "1",
            "--methods", "linear,adapter", "--precision", "f32", "--format", "json",
        ])
        #expect(result.code == 0, "\(result)")
        let report = try JSONDecoder().decode(CostReport.self, from: Data(result.out.utf8))
        #expect(!report.setting.hasRandomWeights && report.setting.imageSize == 32 && report.methods.count == 2)
    }

    @Test("Mistakes are named before anything is measured")
    func mistakes() throws {
        try refuse(["--methods", "sff"], "sff", "did you mean ssf?")
        try refuse(["--methods", "ssf,,full"], "a name is empty")
        try refuse(["--methods", "ssf,ssf"], "twice")
        try refuse(["--methods", "vpt-deep:promts=3"], "promts", "did you mean `prompts`?")
        try refuse(["--methods", "vpt-deep:prompts=9999"], "1 to 4096")
        try refuse(["--methods", "full", "--batch-size", "60000"], "memory", "full", "lower --batch-size")
        try refuse(["--batch-size", "0"], code: 64, "--batch-size must be 1")
        try refuse(["--precision", "fp8"], code: 64, "bf16 or f32", "fp8")
        try refuse(["--model", "a", "--architecture", "b"], code: 64, "exclude each other")
        try refuse(["--resume"], code: 64, "--output")
        try refuse(["--model", "nowhere"], "nowhere")
        try refuse(["--architecture", "vit_bass_patch16_224"], "vit_bass_patch16_224", "base")
        try refuse(["--architecture", "vit_tiny_patch16_32", "--img-size", "33"], "multiple of 16", "33")
        try Data().write(to: URL(filePath: folder.file("file")))
        try refuse(Self.tiny + ["--output", "file"], "file")
        try refuse(Self.tiny + ["--output", "/proc/nothing"], "/proc/nothing")
        #expect(folder.names == ["file", "tmp"])
    }

    @Test("The command that measures in a process of its own says whose it is")
    func hidden() throws {
        let result = try Binary.run(program: "ssf-analyze", ["measure-cost", "{}"])
        #expect(result.code == 1 && result.err.contains("ssf-analyze cost"), "\(result)")
        let help = try Binary.run(program: "ssf-analyze", ["--help"])
        #expect(help.out.contains("cost") && !help.out.contains("measure-cost"), "\(help)")
    }
}
