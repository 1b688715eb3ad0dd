import Foundation
import SSFCheckpoints
import SSFTensors
import SSFTestSupport
import Testing

@Suite("The program, used rightly", .serialized)
struct CommandTests {
    private let fixture: Fixture

    init() throws {
        fixture = try Fixture.shared.get()
    }

    private func lines(_ path: String) throws -> [String] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
    }

    @Test("A run leaves settings, figures, results and two adapters")
    func runFolder() throws {
        let summary = try lines(fixture.run + "/summary.csv")
        #expect(summary[0] == "epoch,train_loss,eval_loss,eval_top1,eval_top5,lr,images_per_second")
        #expect(summary.count == 3)
        #expect(summary[1].split(separator: ",").count == 7)
        #expect(try lines(fixture.run + "/metrics.jsonl").count == 2 * 3 + 2)
        let arguments = try lines(fixture.run + "/args.yaml")
        #expect(arguments.contains("epochs: 2  # flag"))
        #expect(arguments.contains("lr: 0.005  # default"))

        struct Results: Decodable {
            struct Class: Decodable { var images: Int }
            var images: Int
            var top1: Double
            var per_class: [Class]
        }
        let results = try JSONDecoder().decode(
            Results.self, from: Data(contentsOf: URL(filePath: fixture.run + "/results.json")))
        #expect(results.images == 48)
        #expect((0...100).contains(results.top1))
        #expect(results.per_class.reduce(0) { $0 + $1.images } == 48)
        #expect(try lines(fixture.run + "/predictions.csv").count == 49)
        #expect(try lines(fixture.run + "/confusion.csv").count == results.per_class.count + 1)
        for name in ["best", "last"] { #expect(AdapterFolder.isAdapter(fixture.run + "/" + name)) }
        #expect(FileManager.default.fileExists(atPath: fixture.run + "/environment.json"))
    }

    @Test("A run folder is never taken over, a YAML file is under the options, and the console says what is next")
    func configuration() throws {
        let folder = try TemporaryFolder()
        let config = folder.file("run.yaml")
        try Data(
            """
            model: "\(fixture.base)"
            data_dir: "\(Fixture.data)"
            tuning-mode: linear
            epochs: 7
            lr: 1e-3
            """.utf8
        ).write(to: URL(filePath: config))
        for _ in 0..<2 {
            let result = try Binary.succeed(
                "train", "-c", config, "--epochs", "1", "--output", folder.path, "--experiment", "x")
            #expect(result.out.hasPrefix("Test  test  48 images"), "\(result)")
            #expect(result.out.split(separator: "\n").count == 1, "\(result)")
            #expect(result.err.contains("next: ssf merge --adapter"))
            #expect(result.err.contains("trainable"))
        }
        #expect(Set(folder.names).isSuperset(of: ["x", "x-1"]))
        let arguments = try lines(folder.file("x-1/args.yaml"))
        #expect(arguments.contains("method: \"linear\"  # file"))
        #expect(arguments.contains("lr: 0.001  # file"))
        #expect(arguments.contains("epochs: 1  # flag"))
    }

    @Test("A run goes on in its own folder")
    func resume() throws {
        let folder = try TemporaryFolder()
        try Binary.succeed(
            "train", "--model", fixture.base, "--data", Fixture.data, "--epochs", "1", "--batch-size", "32", "--output",
            folder.path, "--experiment", "r")
        let result = try Binary.succeed("train", "--resume", folder.file("r/last"), "--epochs", "3")
        #expect(result.err.contains("Eval  2"))
        #expect(try lines(folder.file("r/summary.csv")).map { $0.prefix(2) } == ["ep", "0,", "1,", "2,"])
        #expect(folder.names == ["r"])
        #expect(try lines(folder.file("r/args.yaml")).contains("batch-size: 32  # resumed"))
    }

    @Test("Ctrl-C ends a run with the epochs that are complete, and it can go on")
    func interrupted() throws {
        let folder = try TemporaryFolder()
        let last = folder.file("r/last")
        let result = try Binary.run(
            [
                "train", "--model", fixture.base, "--data", Fixture.data, "--epochs", "100000", "--method", "linear",
                "--output", folder.path, "--experiment", "r", "--quiet",
            ],
            meanwhile: { process in
                while process.isRunning && !AdapterFolder.isAdapter(last) { usleep(10_000) }
                process.interrupt()
            })
        #expect(result.code == 1, "\(result)")
        #expect(result.err.contains("stopped"), "\(result)")
        let epochs = try lines(folder.file("r/summary.csv")).count - 1
        #expect(epochs > 0)
        try Binary.succeed("train", "--resume", last, "--epochs", String(epochs + 1), "--quiet")
        #expect(try lines(folder.file("r/summary.csv")).count == epochs + 2)
    }

    @Test("A run that is asked to end in its first epoch says that nothing was saved", arguments: [SIGINT, SIGTERM])
    func interruptedAtOnce(signal: CInt) throws {
        let folder = try TemporaryFolder()
        let result = try Binary.run(
            [
                "train", "--model", fixture.base, "--data", "synthetic:orientation?train=100000&val=0&test=0",
                "--batch-size", "2", "--output", folder.path, "--experiment", "r",
            ],
            meanwhile: { process in
                // The first step is logged long after signals are listened to.
                let log = folder.file("r/metrics.jsonl")
                while process.isRunning && (try? String(contentsOfFile: log, encoding: .utf8))?.isEmpty ?? true {
                    usleep(10_000)
                }
                kill(process.processIdentifier, signal)
            })
        #expect(result.code == 1, "\(result)")
        #expect(result.err.contains("nothing was saved"), "\(result)")
        #expect(!result.err.contains("--resume"), "\(result)")
        let again = try Binary.run(["train", "--resume", folder.file("r")])
        #expect(again.code == 1)
        #expect(again.err.contains("start the run anew"), "\(again)")
    }

    @Test("A base that was named from another folder is found again, and a run folder stands for its best adapter")
    func relativeBase() throws {
        let folder = try TemporaryFolder()
        let base = URL(filePath: fixture.base)
        let run = try Binary.run(
            [
                "train", "--model", base.lastPathComponent, "--data", Fixture.data, "--epochs", "1", "--method",
                "linear",
                "--output", folder.path, "--experiment", "r", "--quiet",
            ], folder: base.deletingLastPathComponent().path)
        try #require(run.code == 0, "\(run)")
        try Binary.succeed("eval", "--adapter", folder.file("r"), "--data", Fixture.data, folder: "/")
    }

    @Test("The position embedding is resized by either rule, and an adapter remembers which")
    func positionResize() throws {
        let folder = try TemporaryFolder()
        for rule in ["timm", "reference"] {
            try Binary.succeed(
                "train", "--model", fixture.base, "--data", Fixture.data, "--epochs", "1", "--method", "linear",
                "--img-size", "48", "--pos-embed-resize", rule, "--output", folder.path, "--experiment", rule, "--quiet"
            )
            try Binary.succeed(
                "merge", "--adapter", folder.file("\(rule)/best"), "--output", folder.file("\(rule)-merged"), "--verify"
            )
        }
        let positions = try ["timm", "reference"].map { rule in
            try #require(try Checkpoint.load(folder.file("\(rule)-merged")).tensors["pos_embed"])
        }
        #expect(positions[0].shape == [1, 37, 48])
        #expect(positions[0].values != positions[1].values)
    }

    @Test("Seeds decide: the same gives the same bits, on one thread too")
    func deterministic() throws {
        let folder = try TemporaryFolder()
        var files: [Data] = []
        for (name, threads, seed) in [("a", "1", "0"), ("b", "2", "0"), ("c", "2", "1")] {
            try Binary.succeed(
                "train", "--model", fixture.base, "--data", Fixture.data, "--epochs", "1", "--output", folder.path,
                "--experiment", name, "--threads", threads, "--seed", seed, "--quiet")
            files.append(try Data(contentsOf: URL(filePath: folder.file("\(name)/last/adapter_model.safetensors"))))
        }
        #expect(files[0] == files[1])
        #expect(files[0] != files[2])
    }

    @Test("A dry run says what a run would do and take, in text and JSON, and writes nothing")
    func dryRun() throws {
        let folder = try TemporaryFolder()
        let arguments = [
            "train", "--model", fixture.base, "--data", Fixture.data, "--dry-run", "--output", folder.file("runs"),
        ]
        let result = try Binary.run(arguments)
        #expect(result.code == 0, "\(result)")
        for text in [
            "dry run: about 00:0", "lr: 0.005", "data: \"\(Fixture.data)\"  # flag", "packed weights", "GFLOP",
        ] {
            #expect(result.out.contains(text), "no \(text) in \(result)")
        }
        #expect(result.out.split(separator: "\n").allSatisfy { $0.count <= 120 })
        struct Report: Decodable {
            struct Part: Decodable { var bytes: Int }
            var trainable: Int
            var forward_flops_per_step: Int
            var backward_flops_per_step: Int
            var steps: Int
            var memory: [Part]
            var memory_bytes: Int
            var allowed_bytes: Int
            var advice: [String]
        }
        let json = try Binary.run(arguments + ["--format", "json"])
        let report = try JSONDecoder().decode(Report.self, from: Data(json.out.utf8))
        #expect(report.trainable > 0 && report.forward_flops_per_step > 0 && report.backward_flops_per_step > 0)
        #expect(report.steps == 30)
        #expect(report.memory.reduce(0) { $0 + $1.bytes } == report.memory_bytes)
        #expect(report.memory_bytes < report.allowed_bytes)
        #expect(!report.advice.isEmpty)
        #expect(folder.names.isEmpty)
    }

    @Test("A profile has a table within 100 columns and JSON with every operation, and writes no run")
    func profile() throws {
        let folder = try TemporaryFolder()
        let arguments = [
            "train", "--model", fixture.base, "--data", Fixture.data, "--profile", "2", "--output", folder.file("runs"),
            "--profile-file", folder.file("profile.json"),
        ]
        let result = try Binary.run(arguments)
        #expect(result.code == 0, "\(result)")
        for text in ["by operation", "Linear", "blocks.*.mlp.fc1", "of the FMA peak", "gradient norm and AdamW"] {
            #expect(result.out.contains(text), "no \(text) in \(result)")
        }
        #expect(result.out.split(separator: "\n").allSatisfy { $0.count <= 100 }, "\(result)")
        struct Report: Decodable {
            struct Row: Decodable {
                var name: String
                var kind: String?
                var forward_seconds: Double
                var forward_flops: Int
            }
            var steps: Int
            var seconds_per_step: Double
            var utilisation: Double
            var operations: [Row]
        }
        let file = try Data(contentsOf: URL(filePath: folder.file("profile.json")))
        let json = Data(try Binary.run(arguments + ["--format", "json"]).out.utf8)
        for data in [file, json] {
            let report = try JSONDecoder().decode(Report.self, from: data)
            #expect(report.steps == 2 && report.seconds_per_step > 0 && report.utilisation > 0)
            let head = try #require(report.operations.first { $0.name == "head" })
            #expect(head.kind == "Linear" && head.forward_seconds > 0)
            #expect(head.forward_flops > 0)
        }
        #expect(folder.names == ["profile.json"])
    }

    @Test("Linear probing says that features are computed once, and gives the same adapter without that")
    func featureCache() throws {
        let folder = try TemporaryFolder()
        var files: [Data] = []
        for (name, flags, said) in [("a", [String](), true), ("b", ["--no-feature-cache"], false)] {
            let result = try Binary.run(
                [
                    "train", "--model", fixture.base, "--data", Fixture.data, "--epochs", "3", "--method", "linear",
                    "--output", folder.path, "--experiment", name,
                ] + flags)
            #expect(result.code == 0, "\(result)")
            #expect(result.err.contains("are computed once") == said, "\(result)")
            files.append(try Data(contentsOf: URL(filePath: folder.file("\(name)/best/adapter_model.safetensors"))))
            files.append(try Data(contentsOf: URL(filePath: folder.file("\(name)/predictions.csv"))))
        }
        #expect(files[0] == files[2])
        #expect(files[1] == files[3])
    }

    @Test("Triage says what the frozen features are worth, finds copies across parts, and recommends")
    func triage() throws {
        let folder = try TemporaryFolder()
        try Binary.succeed("draw", "shape?train=60&val=20&test=20", "--output", folder.file("set"))
        // An image of the test part that the training part has too.
        let images = folder.file("set/images")
        try FileManager.default.removeItem(atPath: images + "/test/000004.png")
        try FileManager.default.copyItem(atPath: images + "/train/000007.png", toPath: images + "/test/000004.png")
        let arguments = ["triage", "--model", fixture.base, "--data", folder.file("set"), "--results-file"]
        let result = try Binary.run(arguments + [folder.file("triage.json")])
        #expect(result.code == 0, "\(result)")
        for text in ["kNN", "probe", "advice    --method", "images/test/000004.png = ", "next: ssf train"] {
            #expect((result.out + result.err).contains(text), "no \(text) in \(result)")
        }
        struct Report: Decodable {
            struct Neighbours: Decodable { var top1: Double }
            struct Probe: Decodable { var top1: Double }
            struct Duplicates: Decodable {
                var first: String
                var second: String
                var images: Int
            }
            struct Recommendation: Decodable {
                var method: String
                var reasons: [String]
            }
            var knn: Neighbours
            var probes: [Probe]
            var duplicates: [Duplicates]
            var recommendation: Recommendation
            var seconds: Double
        }
        let report = try JSONDecoder().decode(
            Report.self, from: Data(contentsOf: URL(filePath: folder.file("triage.json"))))
        #expect((0...100).contains(report.knn.top1))
        #expect(report.probes.count == 8)
        #expect(report.probes[0].top1 == report.probes.map(\.top1).max())
        let copies = try #require(report.duplicates.first { $0.first.hasPrefix("train") && $0.second == "test" })
        #expect(copies.images >= 1)
        #expect(["linear", "ssf"].contains(report.recommendation.method))
        #expect(report.recommendation.reasons.count >= 2)
        let json = try Binary.run(
            ["triage", "--model", fixture.base, "--data", Fixture.data, "--format", "json", "--quiet"])
        #expect(try JSONDecoder().decode(Report.self, from: Data(json.out.utf8)).seconds > 0)
    }

    @Test("Merged models agree with base and adapter, are read by eval and predict, and can be taken apart")
    func merging() throws {
        let folder = try TemporaryFolder()
        let adapter = fixture.run + "/best"
        for type in ["f32", "f16", "bf16"] {
            let result = try Binary.succeed(
                "merge", "--adapter", adapter, "--output", folder.file(type), "--dtype", type, "--verify", "--data",
                Fixture.data)
            #expect(result.err.contains("verified"))
        }
        let evaluations = try [["--adapter", adapter], ["--model", folder.file("f32")]].map { model in
            try Binary.run(["eval", "--data", Fixture.data, "--quiet"] + model).out
        }
        #expect(evaluations[0].contains("images 48"))
        #expect(evaluations[0] == evaluations[1])

        let base = try Checkpoint.load(fixture.base)
        try Binary.succeed(
            "unmerge", "--model", folder.file("f32"), "--adapter", adapter, "--output", folder.file("back"))
        let back = try Checkpoint.load(folder.file("back"))
        for (name, tensor) in base.tensors where !name.hasPrefix("head.") {
            let expected = tensor.values
            let found = try #require(back.tensors[name], "\(name) is missing").values
            let scale = expected.reduce(0) { max($0, abs($1)) }
            let worst = zip(expected, found).reduce(0) { max($0, abs($1.0 - $1.1)) }
            #expect(worst <= 1e-6 * max(scale, 1), "\(name) differs by \(worst)")
        }
        try Binary.succeed(
            "unmerge", "--model", folder.file("f32"), "--adapter", adapter, "--base", fixture.base, "--output",
            folder.file("exact"))
        let exact = try Checkpoint.load(folder.file("exact"))
        #expect(exact.checksum == base.checksum)
    }

    @Test("Predictions are JSON on standard output and nothing else, and the same from adapter and merged folder")
    func predict() throws {
        let folder = try TemporaryFolder()
        try Binary.succeed("draw", "orientation?train=2&val=2&test=3", "--output", folder.file("set"))
        let adapter = fixture.run + "/best"
        try Binary.succeed("merge", "--adapter", adapter, "--output", folder.file("merged"))
        struct File: Decodable {
            struct Class: Decodable {
                var index: Int
                var label: String
                var probability: Double
            }
            var file: String
            var top: [Class]
        }
        let images = try FileManager.default.subpathsOfDirectory(atPath: folder.file("set"))
            .filter { $0.hasSuffix(".png") && $0.contains("test") }.sorted().map { folder.file("set/" + $0) }
        #expect(images.count == 3)
        let predictions = try [["--adapter", adapter], ["--model", folder.file("merged")]].map { model in
            let result = try Binary.run(["predict", "--format", "json", "--topk", "3"] + model + images)
            try #require(result.code == 0, "\(result)")
            return try JSONDecoder().decode([File].self, from: Data(result.out.utf8))
        }
        for (a, b) in zip(predictions[0], predictions[1]) {
            #expect(a.top.count == 3)
            #expect(a.top.map(\.index) == b.top.map(\.index))
            #expect(zip(a.top, b.top).allSatisfy { abs($0.probability - $1.probability) < 1e-4 })
            #expect(a.top.map(\.probability) == a.top.map(\.probability).sorted(by: >))
        }
        #expect(predictions[0].map(\.file) == images)

        let text = try Binary.succeed("predict", "--adapter", adapter, images[0], "--topk", "2")
        #expect(text.out.split(separator: "\n").count == 3)
        let csv = try Binary.succeed(
            "predict", "--adapter", adapter, folder.file("set"), "--format", "csv", "--topk", "1")
        #expect(csv.out.hasPrefix("file,rank,index,label,probability\n"))
        #expect(csv.out.split(separator: "\n").count == 1 + 7)
    }

    @Test("doctor names processor, instruction set and libraries")
    func doctor() throws {
        let result = try Binary.succeed("doctor")
        for word in ["instruction set", "threads", "libomp", "libpng", "libturbojpeg", "GFLOP/s", "GB/s"] {
            #expect(result.out.contains(word), "\(result)")
        }
    }

    @Test("Help prints the one table of defaults")
    func help() throws {
        let result = try Binary.succeed("train", "--help")
        for word in ["0.0002", "random resized crop", "--warmup-epochs", "--tuning-mode", "--data-dir"] {
            #expect(result.out.contains(word))
        }
    }
}
