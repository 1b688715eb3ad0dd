import Foundation
import SSFTestSupport
import Testing

/// `ssf compare`, as a user drives it.
@Suite("Comparing methods on the command line", .serialized)
struct CompareCommandTests {
    private let fixture: Fixture
    private let folder: TemporaryFolder

    init() throws {
        fixture = try Fixture.shared.get()
        folder = try TemporaryFolder()
    }

    private func arguments(_ rest: [String], data: String = Fixture.data) -> [String] {
        ["compare", "--model", fixture.base, "--data", data, "--batch-size", "32", "--threads", "1"] + rest
    }

    private func compare(_ rest: [String], data: String = Fixture.data) throws -> Binary.Result {
        let result = try Binary.run(arguments(rest, data: data), folder: folder.path)
        try #require(result.code == 0, "\(result)")
        return result
    }

    private func refusal(_ rest: [String], data: String = Fixture.data) throws -> String {
        let result = try Binary.run(arguments(rest, data: data), folder: folder.path)
        #expect(result.code == 1 && result.out.isEmpty, "\(result)")
        return result.err
    }

    private func text(_ name: String) throws -> String {
        try String(contentsOfFile: folder.file(name), encoding: .utf8)
    }

    /// The rows of a CSV file whose fields have no commas, by column.
    private func table(_ name: String) throws -> [[String: String]] {
        let lines = try text(name).split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        return lines.dropFirst().map { Dictionary(zip(lines[0], $0), uniquingKeysWith: { first, _ in first }) }
    }

    /// A set in the lists of VTAB-1k, and its copy in which every test image has another label.
    private func benchmark() throws -> (right: String, wrong: String) {
        let places = [folder.file("lists"), folder.file("wrong")]
        for place in places {
            try Binary.succeed("draw", "synthetic:orientation?train=64&val=32&test=48", "--output", place)
            let lists = try ["train", "val", "test"].map {
                try String(contentsOfFile: "\(place)/\($0).txt", encoding: .utf8)
            }
            for name in ["train", "val"] { try FileManager.default.removeItem(atPath: "\(place)/\(name).txt") }
            for (name, list) in [
                ("train800", lists[0]), ("val200", lists[1]), ("train800val200", lists[0] + lists[1]),
            ] { try Data(list.utf8).write(to: URL(filePath: "\(place)/\(name).txt")) }
            guard place == places[1] else { continue }
            let other = lists[2].split(separator: "\n").map { line in
                "\(line.dropLast())\((line.last!.wholeNumberValue! + 1) % 4)\n"
            }.joined()
            try Data(other.utf8).write(to: URL(filePath: "\(place)/test.txt"))
        }
        return (places[0], places[1])
    }

    @Test("A sweep chooses without the test part, the report has every run, and nothing is run twice")
    func sweep() throws {
        let (right, wrong) = try benchmark()
        let rest = [
            "--methods", "linear,ssf", "--seeds", "2", "--sweep", "lr=1e-4,2e-2", "--epochs", "2", "--output", "out",
        ]
        let result = try compare(rest, data: right)
        #expect(result.out.contains("±") && result.out.contains("unified"), "\(result)")
        #expect(result.out.split(separator: "\n").allSatisfy { $0.count <= 120 }, "\(result.out)")
        let trials = try table("out/trials.csv")
        #expect(trials.count == 8 && trials.allSatisfy { $0["status"] == "ok" })
        for trial in trials where trial["stage"] == "sweep" {
            let run = folder.file("out/\(trial["folder"]!)")
            #expect(trial["test_top1_last"]?.isEmpty == true && trial["val_top1_last"]?.isEmpty == false)
            #expect(!FileManager.default.fileExists(atPath: run + "/predictions.csv"))
        }
        #expect(trials.count { $0["chosen"] == "yes" } == 2)
        for name in [
            "comparison.md", "comparison.json", "differences.md", "differences.json", "accuracy.png", "accuracy.svg",
            "accuracy.pdf",
        ] { #expect(FileManager.default.fileExists(atPath: folder.file("out/\(name)")), "\(name)") }
        let rows = try table("out/comparison.csv")
        #expect(rows.map { $0["method"] } == ["linear", "ssf"] && rows.allSatisfy { $0["seeds"] == "2" })

        // The same choice where the test part says something else.
        _ = try compare(rest.dropLast() + ["other", "--seeds", "1"], data: wrong)
        let choices = try ["out", "other"].map { try table("\($0)/comparison.csv").map { $0["chosen"] } }
        #expect(choices[0] == choices[1])
        #expect(try table("other/comparison.csv").map { $0["top1_last_mean"] } != rows.map { $0["top1_last_mean"] })

        // One run is lost: it alone is made again, with the same outcome.
        let lost = try #require(trials.last?["folder"])
        try FileManager.default.removeItem(atPath: folder.file("out/\(lost)"))
        let again = try compare(rest + ["--resume"], data: right)
        #expect(again.err.split(separator: "\n").count { $0.hasSuffix("kept") } == 7, "\(again)")
        #expect(try table("out/comparison.csv").map { $0["top1_last_mean"] } == rows.map { $0["top1_last_mean"] })

        #expect(try refusal(rest, data: right).contains("--resume"))
        let different = try refusal(rest + ["--resume", "--weight-decay", "0.1"], data: right)
        #expect(different.contains("weight-decay: 0.1") && different.contains("5e-05"), "\(different)")
    }

    @Test("A run that diverges is recorded, and the others go on; a folder's sets report the best epoch too")
    func divergence() throws {
        let result = try compare([
            "--methods", "ssf:lr=1e30,linear", "--seeds", "1", "--epochs", "3", "--output", "out",
        ])
        #expect(result.out.contains("diverged") && result.out.contains("best epoch"), "\(result)")
        let trials = try table("out/trials.csv")
        #expect(trials.map { $0["status"] } == ["diverged", "ok"])
        #expect(trials[0]["reason"]?.contains("finite") == true)
        #expect(try text("out/orientation/linear/seed-0/run.json").contains("\"finished\""))
    }

    @Test("A run that fails is recorded with its reason, the others go on, and the exit code says so")
    func failure() throws {
        let drawn = folder.file("drawn")
        try Binary.succeed("draw", "synthetic:shape?train=32&val=16&test=16", "--output", drawn)
        try Data("no image".utf8).write(to: URL(filePath: drawn + "/images/train/000003.png"))
        let result = try Binary.run(
            arguments(
                ["--methods", "linear", "--seeds", "1", "--epochs", "1", "--output", "out"],
                data: "\(drawn),\(Fixture.data)"), folder: folder.path)
        #expect(result.code == 1 && result.err.contains("1 run failed"), "\(result)")
        #expect(result.out.contains("linear on drawn: failed with seed 0"), "\(result)")
        let trials = try table("out/trials.csv")
        #expect(trials.map { $0["status"] } == ["failed", "ok"])
        #expect(trials[0]["reason"]?.contains("000003.png") == true)
        #expect(try table("out/comparison.csv").map { $0["seeds"] } == ["0", "1", "0"])
    }

    @Test("Ctrl-C stops between steps; --resume goes on with the epochs that are done")
    func interruption() throws {
        let rest = ["--methods", "ssf", "--seeds", "1", "--epochs", "40", "--output", "out"]
        let run = folder.file("out/orientation/ssf/seed-0")
        let stopped = try Binary.run(arguments(rest), folder: folder.path) { process in
            for _ in 0..<1000 where !FileManager.default.fileExists(atPath: run + "/last") { usleep(10_000) }
            process.interrupt()
        }
        try #require(stopped.code == 130, "\(stopped)")
        #expect(try text("out/orientation/ssf/seed-0/run.json").contains("\"stopped\""))
        let first = try text("out/orientation/ssf/seed-0/summary.csv").split(separator: "\n")
        _ = try compare(rest + ["--resume"])
        let all = try text("out/orientation/ssf/seed-0/summary.csv").split(separator: "\n")
        #expect(all.count == 41 && first.count < 41 && all.prefix(first.count).elementsEqual(first))
    }

    @Test("Settings come from a file, and mistakes are named before the first run")
    func mistakes() throws {
        let yaml = folder.file("a.yaml")
        try Data("methods: [ssf, 'lora:rank=2']\nseeds: 2\nepochs: 2\nsweep: {lr: [1e-3, 1e-2]}\n".utf8).write(
            to: URL(filePath: yaml))
        let plan = try compare(["-c", yaml, "--dry-run"]).out
        #expect(plan.contains("orientation/lora-rank=2/sweep-lr=1e-2-seed-0") && plan.contains("8 runs"), "\(plan)")
        #expect(!FileManager.default.fileExists(atPath: folder.file("comparison")))
        for (rest, words) in [
            (["--methods", "ssff"], ["did you mean ssf"]),
            (["--methods", "lora:rank=500"], ["lora:rank=500", "at most 48"]),
            (["--methods", "ssf", "--epohcs", "3"], ["--epochs"]),
            (["--methods", "ssf", "--sweep", "lrr=1"], ["did you mean `lr`"]),
            (["--methods", "ssf", "--sweep", "rank=1"], ["none of the methods"]),
            (["--methods", "ssf", "--sweep", "lr=0.1,-1"], ["lr=-1", "positive"]),
            (["--preset", "table6e"], ["table6a"]), (["--seeds", "0"], ["1 to 1000"]),
            (["--rank", "3"], ["lora:rank"]), (["--methods", "ssf", "--seed", "3"], ["--seeds"]),
            (["--methods", ","], ["empty"]),
        ] {
            let message = try refusal(rest)
            for word in words { #expect(message.contains(word), "\(rest): \(message)") }
        }
        let untested = try refusal(["--methods", "ssf"], data: "synthetic:shape?train=32&val=16&test=0")
        #expect(untested.contains("no test part"))
    }
}
