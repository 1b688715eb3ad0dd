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

    @Test("A dry run writes nothing")
    func dryRun() throws {
        let folder = try TemporaryFolder()
        let result = try Binary.succeed(
            "train", "--model", fixture.base, "--data", Fixture.data, "--dry-run", "--output", folder.file("runs"))
        #expect(result.err.contains("dry run: about 00:0"))
        #expect(folder.names.isEmpty)
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
