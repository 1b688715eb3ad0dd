import Foundation
import SSFTestSupport
import Testing

@Suite("The program, used wrongly", .serialized)
struct BadInputTests {
    private let fixture: Fixture
    private let folder: TemporaryFolder

    init() throws {
        fixture = try Fixture.shared.get()
        folder = try TemporaryFolder()
    }

    /// Runs, and expects a failure that names what is wrong; no trace of a crash.
    private func refuse(
        _ arguments: [String], code: Int32 = 1, _ words: String..., location: SourceLocation = #_sourceLocation
    ) throws {
        let result = try Binary.run(arguments, folder: folder.path)
        #expect(result.code == code, "\(result)", sourceLocation: location)
        for word in words { #expect(result.err.contains(word), "\(word): \(result)", sourceLocation: location) }
        #expect(!result.err.contains("Fatal error"), "\(result)", sourceLocation: location)
        #expect(result.out.isEmpty, "\(result)", sourceLocation: location)
    }

    private func write(_ text: String, _ name: String) throws -> String {
        let url = URL(filePath: folder.file(name))
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
        return url.path
    }

    private var train: [String] { ["train", "--model", fixture.base, "--data", Fixture.data] }

    @Test("Options that do not exist or make no sense are wrong usage")
    func usage() throws {
        try refuse(train + ["--epohcs", "3"], code: 64, "--epohcs", "--epochs")
        try refuse(train + ["--threads", "0"], code: 64, "--threads")
        try refuse(train + ["--lr", "fast"], code: 64, "fast")
        try refuse(["trian"], code: 64, "trian")
        try refuse(train + ["--mean", "1", "2"], code: 64, "--mean")
        try refuse(["predict", "--model", fixture.base], code: 64, "files")
        try refuse(train + ["--profile", "0"], code: 64, "--profile")
        try refuse(train + ["--profile", "2", "--dry-run"], code: 64, "exclude")
        try refuse(train + ["--format", "json"], code: 64, "--dry-run")
        try refuse(["triage", "--model", fixture.base], code: 64, "--data")
    }

    @Test("Settings that cannot be used are named")
    func settings() throws {
        try refuse(["train", "--data", Fixture.data], "--model")
        try refuse(["train", "--model", fixture.base], "--data")
        try refuse(train + ["--method", "sff"], "sff", "ssf")
        try refuse(train + ["--epochs", "0"], "--epochs")
        try refuse(train + ["--img-size", "30"], "multiple of 8", "30")
        try refuse(train + ["--data-format", "foldr"], "folder")
        try refuse(train + ["--val-split", "vali"], "vali", "val")
        try refuse(train + ["--interpolation", "nearest"], "nearest", "bicubic")
        try refuse(train + ["-c", try write("lr: 1\nepcohs: 3\n", "a.yaml")], "line 2", "epcohs", "epochs")
        try refuse(train + ["-c", try write("lr: quick\n", "b.yaml")], "a number", "quick")
        try refuse(train + ["-c", try write("threads: 0\n", "c.yaml")], "threads")
        try refuse(train + ["-c", folder.file("missing.yaml")], "missing.yaml")
        try refuse(["triage", "--model", folder.file("no-model"), "--data", Fixture.data], "no-model")
        try refuse(["train", "--from-scratch", "--method", "ssf", "--data", Fixture.data], "full")
    }

    @Test("Models that are missing, damaged or of another kind are named")
    func models() throws {
        try refuse(["train", "--model", "nowhere", "--data", Fixture.data], "nowhere")
        try refuse(["train", "--model", "timm/vit_tiny_patch16_224", "--data", Fixture.data], "hf download")
        let weights = try Data(contentsOf: URL(filePath: fixture.base + "/model.safetensors"))
        for (name, data) in [
            ("half", weights.prefix(weights.count / 2)), ("header", weights.prefix(5)), ("empty", Data()),
        ] {
            try FileManager.default.createDirectory(atPath: folder.file(name), withIntermediateDirectories: true)
            try data.write(to: URL(filePath: folder.file(name + "/model.safetensors")))
            try refuse(["train", "--model", folder.file(name), "--data", Fixture.data], "model.safetensors")
        }
        try refuse(["eval", "--model", fixture.run + "/best", "--data", Fixture.data], "--adapter")
        try refuse(["merge", "--adapter", fixture.base, "--output", folder.file("m")], "adapter")
        try refuse(["predict", "x.png"], "x.png")
        // The adapter belongs to other weights.
        try Binary.succeed("merge", "--adapter", fixture.run + "/best", "--output", folder.file("other"))
        try refuse(
            [
                "merge", "--adapter", fixture.run + "/best", "--model", folder.file("other"), "--output",
                folder.file("m"),
            ],
            "crc32")
        #expect(!FileManager.default.fileExists(atPath: folder.file("m")))
    }

    @Test("Data that cannot be read are named with their line")
    func data() throws {
        try refuse(["train", "--model", fixture.base, "--data", folder.file("none")], "none")
        try Binary.succeed("draw", "shape?train=40&val=0&test=8", "--output", folder.file("set"))
        let lists = try FileManager.default.contentsOfDirectory(atPath: folder.file("set")).filter {
            $0.hasSuffix(".txt")
        }
        let list = try #require(lists.first { $0.hasPrefix("train") })
        var lines = try String(contentsOfFile: folder.file("set/" + list), encoding: .utf8).split(separator: "\n")
            .map(String.init)
        let bad = String(try #require(lines[4].split(separator: " ").first))
        try Data("no image".utf8).write(to: URL(filePath: folder.file("set/" + bad)))
        let arguments = [
            "train", "--model", fixture.base, "--data", folder.file("set"), "--epochs", "1", "--method", "linear",
            "--batch-size", "8", "--output", folder.file("runs"),
        ]
        try refuse(arguments, bad, "line 5")
        let skipped = try Binary.run(arguments + ["--skip-bad-images"])
        #expect(skipped.code == 0, "\(skipped)")
        #expect(skipped.err.contains("1 image of the train part"), "\(skipped)")
        #expect(skipped.err.contains(bad), "\(skipped)")

        lines[2] = lines[2].split(separator: " ")[0] + " 1000"
        try Data(lines.joined(separator: "\n").utf8).write(to: URL(filePath: folder.file("set/" + list)))
        try refuse(arguments, "line 3", "1000")
    }

    @Test("A place that cannot be written to is refused before anything is computed")
    func output() throws {
        let file = try write("", "file")
        try refuse(train + ["--output", file], "file")
        try FileManager.default.createDirectory(atPath: folder.file("mine"), withIntermediateDirectories: true)
        _ = try write("precious", "mine/data")
        try refuse(["merge", "--adapter", fixture.run + "/best", "--output", folder.file("mine")], "mine")
        #expect(try String(contentsOfFile: folder.file("mine/data"), encoding: .utf8) == "precious")
    }

    @Test("Numbers beyond all use are refused, not computed with")
    func bounds() throws {
        let huge = String(Int.max)
        for option in ["--epochs", "--cooldown-epochs", "--grad-accum-steps", "--batch-size"] {
            try refuse(train + [option, huge], option)
        }
        try refuse(train + ["--warmup-epochs", "1e300"], "--warmup-epochs")
        try refuse(train + ["--lr", "-1"], "--lr", "-1")
        try refuse(train + ["--pad-crop", huge], code: 64, "--pad-crop")
        try refuse(train + ["--img-size", "100000"], code: 64, "--img-size")
        try refuse(train + ["--img-size", "4096", "--dry-run"], "memory", "--batch-size")
        let scratch = ["train", "--from-scratch", "--method", "full", "--data", Fixture.data]
        for (option, value) in [
            ("--mlp-ratio", "nan"), ("--mlp-ratio", "1e30"), ("--embed-dim", huge), ("--depth", huge),
        ] {
            try refuse(scratch + [option, value], option)
        }
        try refuse(scratch + ["--embed-dim", "65536", "--depth", "1000"], "memory", "--depth")
    }

    @Test("A run goes on with what it was begun with; what is refused changes nothing in its folder")
    func resume() throws {
        let run = folder.file("r")
        try FileManager.default.copyItem(atPath: fixture.run, toPath: run)
        let settings = try String(contentsOfFile: run + "/args.yaml", encoding: .utf8)
        try refuse(["train", "--resume", run], "already finished", "--epochs")
        let on = ["train", "--resume", run + "/last", "--epochs", "3"]
        try refuse(on + ["--batch-size", "16"], "steps per epoch")
        try refuse(on + ["--method", "linear"], "method")
        try refuse(on + ["--data", "synthetic:shape?train=96&val=32&test=48"], "classes")
        try Binary.succeed("merge", "--adapter", run, "--output", folder.file("other"))
        try refuse(on + ["--model", folder.file("other")], "weights")
        #expect(try String(contentsOfFile: run + "/args.yaml", encoding: .utf8) == settings)
        #expect(try String(contentsOfFile: run + "/summary.csv", encoding: .utf8).split(separator: "\n").count == 3)
    }

    @Test("merge and unmerge replace nothing, and an adapter comes out of no model that it was not merged into")
    func merging() throws {
        let adapter = fixture.run + "/best"
        try refuse(["merge", "--adapter", adapter, "--output", fixture.base], "exists")
        try refuse(
            ["merge", "--adapter", adapter, "--output", folder.file("m"), "--verify", "--data", "nope"], "nope")
        #expect(folder.names.isEmpty)
        try refuse(
            ["merge", "--adapter", adapter, "--output", folder.file("m"), "--data", "nope"], code: 64, "--verify")
        try Binary.succeed("merge", "--adapter", adapter, "--output", folder.file("m"), "--dtype", "bf16")
        try Binary.succeed(
            "train", "--model", fixture.base, "--data", Fixture.data, "--epochs", "1", "--seed", "5", "--output",
            folder.file("runs"), "--experiment", "o")
        for (model, other) in [(folder.file("m"), folder.file("runs/o")), (fixture.base, adapter)] {
            try refuse(["unmerge", "--model", model, "--adapter", other, "--output", folder.file("u")], "adapter")
        }
        try refuse(
            [
                "unmerge", "--model", folder.file("m"), "--adapter", adapter, "--base", folder.file("m"), "--output",
                folder.file("u"),
            ], "--base")
        #expect(folder.names == ["m", "runs"])
        try Binary.succeed("unmerge", "--model", folder.file("m"), "--adapter", adapter, "--output", folder.file("u"))
    }

    @Test("Messages that nobody hears end no run; results that are lost do")
    func streams() throws {
        func code(_ redirection: String) throws -> Int32 {
            let shell = Process()
            shell.executableURL = URL(filePath: "/bin/sh")
            shell.arguments = [
                "-c", "\"$0\" \"$@\" " + redirection, Binary.path("ssf"), "eval", "--adapter", fixture.run + "/best",
                "--data",
                Fixture.data,
            ]
            try shell.run()
            shell.waitUntilExit()
            return shell.terminationStatus
        }
        #expect(try code(">/dev/null 2>/dev/full") == 0)
        #expect(try code(">/dev/null 2>&-") == 0)
        #expect(try code(">/dev/full 2>/dev/null") == 1)
        #expect(try code(">&- 2>/dev/null") == 1)
    }

    @Test("One class is nothing to learn")
    func oneClass() throws {
        try Binary.succeed("draw", "shape?train=4&val=0&test=2", "--output", folder.file("set"))
        try FileManager.default.createDirectory(atPath: folder.file("one"), withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            atPath: folder.file("set/images/train"), toPath: folder.file("one/only"))
        try refuse(["train", "--model", fixture.base, "--data", folder.file("one")], "2 classes", "only")
    }

    @Test("A loss that is not finite ends the run, says at which step, and keeps an adapter that works")
    func diverges() throws {
        try refuse(
            train + ["--lr", "1e30", "--output", folder.file("runs"), "--experiment", "nan"], "step", "--lr")
        let result = try Binary.run(
            ["eval", "--adapter", folder.file("runs/nan/last"), "--data", Fixture.data, "--quiet"])
        #expect(result.code == 0, "\(result)")
        #expect(!result.out.contains("nan"), "\(result)")
    }
}
