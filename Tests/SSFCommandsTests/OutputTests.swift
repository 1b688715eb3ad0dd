import Foundation
import SSFCommands
import SSFTensors
import Testing

@Suite("Run folders, files and text")
struct OutputTests {
    /// A folder of its own for each test.
    private let root = NSTemporaryDirectory() + "ssf-output-tests-\(UUID().uuidString)"

    @Test("A run folder is never taken over: -1, -2 are appended")
    func runFolders() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let paths = try (0..<3).map { _ in try RunFolder.create(output: root + "/runs", experiment: "a").path }
        #expect(paths == ["a", "a-1", "a-2"].map { root + "/runs/" + $0 })
        let first = RunFolder(existing: paths[0])
        try first.write("x", to: "f")
        #expect(try String(contentsOfFile: first.file("f"), encoding: .utf8) == "x")
    }

    @Test("A place that cannot be written to, or a name that is no folder's, is refused")
    func refused() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        try Data().write(to: URL(fileURLWithPath: root + "/file"))
        #expect(throws: UserError.self) { try RunFolder.create(output: root + "/file", experiment: "a") }
        #expect(throws: UserError.self) { try RunFolder.create(output: root, experiment: "a/b") }
        #expect(throws: UserError.self) { try RunFolder.create(output: root, experiment: "") }
        #expect(throws: UserError.self) { try OutputFile.write(Data(), to: root + "/file/below") }
    }

    @Test("A growing file gets its header once and can be cut back")
    func appending() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        let path = root + "/summary.csv"
        for epoch in 0..<3 {
            try AppendingFile(path: path, header: "epoch,loss").append("\(epoch),1")
        }
        try AppendingFile.truncate(path: path, headerLines: 1) { !$0.hasPrefix("2,") }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "epoch,loss\n0,1\n1,1\n")
    }

    @Test("Fields of CSV are quoted where they must be")
    func csv() {
        #expect(CSV.row(["a", "b,c", "d\"e", "f\ng", ""]) == "a,\"b,c\",\"d\"\"e\",\"f\ng\",")
    }

    @Test("Columns of a table line up, numbers to the right")
    func table() {
        var table = TextTable(["name", "count"])
        table.add(["head.weight", "9"])
        table.add(["b", "1,920"])
        #expect(table.lines() == ["  name         count", "  head.weight      9", "  b            1,920"])
    }

    @Test("Numbers for people")
    func numbers() {
        #expect(Formatting.duration(432.4) == "00:07:12")
        #expect(Formatting.duration(.infinity) == "--:--:--")
        #expect(Formatting.grouped(282724) == "282,724")
        #expect(Formatting.grouped(-1000) == "-1,000")
        #expect(Formatting.count(282724) == "0.28M")
        #expect(Formatting.count(86_123_456) == "86.1M")
        #expect(Formatting.count(53386) == "53.4k")
        #expect(Formatting.percent(0.6125) == "61.3" || Formatting.percent(0.6125) == "61.2")
        #expect(Formatting.fixed(.nan, 3) == "nan")
        #expect(Formatting.scientific(0.0041) == "4.1e-03")
        #expect(Formatting.counted(1, "epoch") == "1 epoch")
        #expect(Formatting.counted(2, "epoch") == "2 epochs")
        #expect(Formatting.loss(0.7312) == "0.731")
        #expect(Formatting.loss(1.23e9) == "1.2e+09")
    }
}
