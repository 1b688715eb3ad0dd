import Foundation
import SSFTestSupport
import Testing

/// Several tasks' adapters over one backbone, as a user runs them.
@Suite("Several adapters on the command line", .serialized)
struct SeveralAdaptersTests {
    private let fixture: Fixture
    private let folder: TemporaryFolder

    init() throws {
        fixture = try Fixture.shared.get()
        folder = try TemporaryFolder()
        for (name, data, method) in [
            ("low-rank", Fixture.data, "lora"), ("count", "synthetic:count?train=64&val=32&test=32", "bias"),
        ] {
            try Binary.succeed(
                "train", "--model", fixture.base, "--data", data, "--method", method, "--epochs", "1", "--batch-size",
                "32", "--output", folder.file("runs"), "--experiment", name)
        }
    }

    private struct Answer: Decodable {
        struct Class: Decodable {
            var label: String
            var probability: Double
        }
        var file: String
        var adapter: String?
        var top: [Class]
    }

    private func answers(_ arguments: [String]) throws -> [Answer] {
        let result = try Binary.run(["predict", "--format", "json"] + arguments)
        try #require(result.code == 0, "\(result)")
        return try JSONDecoder().decode([Answer].self, from: Data(result.out.utf8))
    }

    @Test("Each adapter answers for each image as it does alone, in text, JSON and CSV")
    func predicting() throws {
        try Binary.succeed("draw", "synthetic:orientation?train=3&val=0&test=0", "--output", folder.file("drawn"))
        let images = folder.file("drawn")
        let (tuned, count) = (fixture.run, folder.file("runs/count"))
        let both = try answers(["--adapter", tuned, "--adapter", count, images])
        #expect(both.count == 6)
        #expect(both.map(\.adapter) == [tuned, count, tuned, count, tuned, count])
        for adapter in [tuned, count] {
            let alone = try answers(["--adapter", adapter, images])
            #expect(!alone.contains { $0.adapter != nil })
            let among = both.filter { $0.adapter == adapter }
            #expect(alone.map(\.file) == among.map(\.file))
            for (a, b) in zip(alone, among) {
                #expect(a.top.map(\.label) == b.top.map(\.label))
                #expect(a.top.map(\.probability) == b.top.map(\.probability))
            }
        }
        // A folder of runs stands for all of them, in the order of their names.
        let all = try answers(["--adapter", folder.file("runs"), "--topk", "1", images])
        #expect(
            all.prefix(2).map(\.adapter) == [folder.file("runs") + "/count", folder.file("runs") + "/low-rank"])
        let text = try Binary.run(["predict", "--adapter", folder.file("runs"), "--topk", "1", images])
        #expect(text.out.split(separator: "\n").count == 3 * 5)
        #expect(text.err.contains("once for 2 adapters"))
        let csv = try Binary.succeed(
            "predict", "--adapter", folder.file("runs"), "--topk", "1", "--format", "csv", images
        ).out
        #expect(csv.hasPrefix("file,adapter,rank,index,label,probability\n"))
        #expect(csv.split(separator: "\n").count == 7)
    }

    @Test("One pass evaluates all that know the classes; one that was named and does not is an error")
    func evaluating() throws {
        let runs = folder.file("runs")
        let json = folder.file("results.json")
        let result = try Binary.succeed(
            "eval", "--adapter", fixture.run, "--adapter", runs + "/low-rank", "--data", Fixture.data,
            "--results-file", json)
        #expect(result.out.contains("macro recall"))
        struct Row: Decodable {
            var adapter: String
            var method: String
            var top1: Double
        }
        let rows = try JSONDecoder().decode([Row].self, from: try Data(contentsOf: URL(filePath: json)))
        #expect(rows.map(\.method) == ["ssf", "lora"])
        for row in rows {
            let alone = try Binary.succeed("eval", "--adapter", row.adapter, "--data", Fixture.data).out
            #expect(alone.contains("top1 \(String(format: "%.2f", row.top1))"), "\(alone)")
        }
        let csv = folder.file("results.csv")
        let found = try Binary.succeed(
            "eval", "--adapter", runs, "--data", Fixture.data, "--results-file", csv)
        #expect(found.err.contains("/count is left out"))
        let lines = try String(contentsOfFile: csv, encoding: .utf8).split(separator: "\n")
        #expect(lines[0] == "adapter,file,label,prediction,probability,correct" && lines.count == 49)
        let refused = try Binary.run(
            ["eval", "--adapter", fixture.run, "--adapter", runs + "/count", "--data", Fixture.data])
        #expect(refused.code == 1 && refused.err.contains("the classes of the data are not those of"), "\(refused)")
    }

    @Test("An adapter of another backbone, and a model that has none to share, are refused by name")
    func refusals() throws {
        try Binary.succeed("merge", "--adapter", fixture.run, "--output", folder.file("other"))
        try Binary.succeed(
            "train", "--model", folder.file("other"), "--data", Fixture.data, "--method", "linear", "--epochs", "1",
            "--batch-size", "32", "--output", folder.path, "--experiment", "foreign")
        for (path, text) in [
            (folder.file("foreign"), "was tuned on another backbone than"),
            (fixture.folder.file("runs/scratch"), "it has no backbone to share"),
        ] {
            let result = try Binary.run(["eval", "--adapter", fixture.run, "--adapter", path, "--data", Fixture.data])
            #expect(result.code == 1, "\(result)")
            #expect(result.err.contains(path) && result.err.contains(text), "\(result)")
        }
    }
}
