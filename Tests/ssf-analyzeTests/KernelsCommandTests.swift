import Foundation
import SSFAnalysis
import SSFTestSupport
import Testing

@Suite("ssf-analyze kernels, as a user drives it", .serialized)
struct KernelsCommandTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func analyze(_ arguments: [String], environment: [String: String] = [:]) throws -> Binary.Result {
        try Binary.run(program: "ssf-analyze", arguments, environment: environment, folder: folder.path)
    }

    /// Runs, and expects a failure that names what is wrong, before anything was measured.
    private func refuse(
        _ arguments: [String], code: Int32 = 1, environment: [String: String] = [:], _ words: String...,
        location: SourceLocation = #_sourceLocation
    ) throws {
        let result = try analyze(arguments, environment: environment)
        #expect(result.code == code, "\(result)", sourceLocation: location)
        for word in words { #expect(result.err.contains(word), "\(word): \(result)", sourceLocation: location) }
        #expect(!result.err.contains("Fatal error"), "\(result)", sourceLocation: location)
        #expect(!result.err.contains("measuring"), "\(result)", sourceLocation: location)
        #expect(result.out.isEmpty, "\(result)", sourceLocation: location)
    }

    @Test("The table fits a terminal and names every kernel that was asked for")
    func table() throws {
        let result = try analyze(["kernels", "--quick", "--filter", "*.forward"])
        #expect(result.code == 0, "\(result)")
        let lines = result.out.split(separator: "\n", omittingEmptySubsequences: false)
        for line in lines { #expect(line.count <= 100, "\(line)") }
        for name in ["layernorm.forward", "softmax.forward", "gelu.forward", "attention.forward"] {
            #expect(lines.count { $0.hasPrefix(name + " ") } == 1, "\(result)")
        }
        #expect(!result.out.contains("gemm.") && result.out.contains("triad") && result.out.contains("limited by"))
        #expect(result.err.contains("measuring 4 kernels") && result.err.contains("next: ssf-analyze"))
    }

    @Test("The folder gets the figure three times, CSV and JSON; standard output is the JSON alone")
    func output() throws {
        let result = try analyze(
            [
                "kernels", "--quick", "--filter", "layernorm", "--output", "a/b", "--format", "json", "--quiet",
                "--threads", "1",
            ])
        #expect(result.code == 0, "\(result)")
        let report = try JSONDecoder().decode(RooflineReport.self, from: Data(result.out.utf8))
        #expect(report.kernels.map(\.name) == ["layernorm.forward", "layernorm.backward"])
        #expect(report.machine.threads == 1)
        for kernel in report.kernels { #expect(kernel.percentOfRoof > 0 && kernel.percentOfRoof.isFinite) }
        let written = try FileManager.default.contentsOfDirectory(atPath: folder.file("a/b")).sorted()
        #expect(written == ["kernels.csv", "kernels.json", "roofline.pdf", "roofline.png", "roofline.svg"])
        #expect(try Data(contentsOf: URL(filePath: folder.file("a/b/kernels.json"))) == Data(result.out.utf8))
        let rows = try String(contentsOfFile: folder.file("a/b/kernels.csv"), encoding: .utf8).split(separator: "\n")
        #expect(rows.count == 3)
        let png = try Data(contentsOf: URL(filePath: folder.file("a/b/roofline.png")))
        #expect(png.starts(with: [0x89, 0x50, 0x4E, 0x47]) && png.count > 10_000)
    }

    @Test("A narrower instruction set is named and used")
    func instructionSet() throws {
        let result = try analyze(
            ["kernels", "--quick", "--filter", "gelu.forward", "--format", "json"], environment: ["SSF_ISA": "baseline"]
        )
        #expect(result.code == 0, "\(result)")
        let report = try JSONDecoder().decode(RooflineReport.self, from: Data(result.out.utf8))
        #expect(report.machine.instructionSet == .baseline)
    }

    @Test("More threads than CPUs are as many as there are, and the program says so")
    func threads() throws {
        let result = try analyze(["kernels", "--quick", "--filter", "gelu.forward", "--threads", "9999"])
        #expect(result.code == 0, "\(result)")
        #expect(result.err.contains("--threads 9999: this process may use"), "\(result)")
    }

    @Test("Mistakes are named before anything is measured")
    func mistakes() throws {
        try refuse(["kernels", "--threads", "0"], code: 64, "--threads must be 1 or more")
        try refuse(["kernels", "--threads", "two"], code: 64, "two")
        try refuse(["kernels", "--format", "xml"], code: 64, "xml")
        try refuse(["kernals"], code: 64, "kernals")
        try refuse(["kernels", "--filter", "sofmax"], "sofmax", "gelu.backward", "did you mean --filter softmax?")
        try refuse(["kernels", "--filter", "zzz"], "zzz", "gemm.qkv")
        try refuse(["kernels"], environment: ["SSF_ISA": "sse9"], "SSF_ISA=sse9", "baseline")
        try Data().write(to: URL(filePath: folder.file("file")))
        try refuse(["kernels", "--output", "file"], "file")
        try refuse(["kernels", "--output", "file/below"], "file/below")
        try refuse(["kernels", "--output", "/proc/nothing"], "/proc/nothing")
        #expect(folder.names == ["file"])
    }
}
