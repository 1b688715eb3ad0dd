import Foundation
import SSFCheckpoints
import SSFTestSupport
import Testing

/// Methods beside `ssf`, as a user drives them.
@Suite("Tuning methods on the command line", .serialized)
struct MethodCommandTests {
    private let fixture: Fixture
    private let folder: TemporaryFolder

    init() throws {
        fixture = try Fixture.shared.get()
        folder = try TemporaryFolder()
    }

    private func train(_ name: String, data: String = Fixture.data, _ arguments: [String]) throws -> Binary.Result {
        let result = try Binary.run(
            [
                "train", "--model", fixture.base, "--data", data, "--epochs", "1", "--batch-size", "32", "--output",
                folder.path, "--experiment", name,
            ] + arguments)
        try #require(result.code == 0, "\(result)")
        return result
    }

    private func refusal(_ arguments: [String]) throws -> String {
        let result = try Binary.run(arguments)
        #expect(result.code == 1, "\(result)")
        return result.err
    }

    @Test("LoRA is trained with settings from a file, merged, taken out, exported for PEFT and imported again")
    func lowRank() throws {
        let yaml = folder.file("lora.yaml")
        try Data("method: lora\nrank: 4\nalpha: 8\ntargets: [q, v]\n".utf8).write(to: URL(filePath: yaml))
        _ = try train("lora", ["-c", yaml, "--rank", "2"])
        let best = folder.file("lora/best")
        let configuration = try AdapterFolder.read(best).configuration
        #expect(configuration.methodOptions["rank"] == .integer(2))
        #expect(configuration.methodOptions["alpha"]?.number == 8)
        #expect(configuration.methodOptions["targets"] == .array([.string("q"), .string("v")]))
        #expect(configuration.targetModules == ["blocks.0.attn", "blocks.1.attn"])

        let merged = folder.file("merged")
        try Binary.succeed("merge", "--adapter", best, "--output", merged, "--verify", "--images", "8")
        try Binary.succeed("unmerge", "--model", merged, "--adapter", best, "--output", folder.file("unmerged"))

        try Binary.succeed(
            "export", "--adapter", best, "--format", "peft", "--output", folder.file("peft"))
        #expect(PEFTFolder.isPEFT(folder.file("peft")))
        try Binary.succeed(
            "import", "--source", folder.file("peft"), "--model", fixture.base, "--output", folder.file("imported"))
        let accuracies = try [best, folder.file("imported")].map { adapter in
            let out = try Binary.succeed("eval", "--adapter", adapter, "--data", Fixture.data).out
            return out.split(separator: " ").drop { $0 != "top1" }.dropFirst().first
        }
        #expect(accuracies[0] == accuracies[1])
        #expect(accuracies[0] != nil)
        #expect(
            try refusal([
                "export", "--adapter", best, "--format", "reference", "--output", folder.file("r.safetensors"),
            ])
            .contains("--method ssf"))
    }

    @Test("SSF's own state dict goes out and comes back")
    func reference() throws {
        let file = folder.file("reference.safetensors")
        try Binary.succeed(
            "export", "--adapter", fixture.run, "--format", "reference", "--output", file)
        try Binary.succeed(
            "import", "--source", file, "--model", fixture.base, "--output", folder.file("imported"))
        let own = try AdapterFolder.read(fixture.run + "/best").tensors
        let imported = try AdapterFolder.read(folder.file("imported")).tensors
        #expect(Set(own.keys) == Set(imported.keys))
        for (name, tensor) in own { #expect(imported[name]?.values == tensor.values) }
        #expect(
            try refusal(["import", "--source", fixture.run + "/best", "--model", fixture.base, "--output", "x"])
                .contains("already"))
        #expect(
            try refusal([
                "import", "--source", fixture.base + "/model.safetensors", "--model", fixture.base, "--output", "x",
            ]).contains("ssf_scale_1"))
    }

    @Test(
        "What does not merge says so and is used as it is",
        arguments: [
            ["adapter", "--reduction", "8"], ["adaptformer", "--bottleneck", "4"], ["vpt-deep", "--prompts", "3"],
        ])
    func unmergeable(_ method: [String]) throws {
        _ = try train("unmergeable", ["--method"] + method)
        let best = folder.file("unmergeable/best")
        let message = try refusal(["merge", "--adapter", best, "--output", folder.file("merged")])
        #expect(message.contains("\(method[0]) does not merge"))
        #expect(!FileManager.default.fileExists(atPath: folder.file("merged")))
        try Binary.succeed("eval", "--adapter", best, "--data", Fixture.data)
    }

    @Test("A run begins with the adapter of another task and keeps to its form")
    func initialAdapter() throws {
        let result = try train("next", data: "synthetic:count?train=64&val=32&test=32", ["--init-from", fixture.run])
        #expect(result.err.contains("head: not the adapter's"))
        let next = [
            "train", "--model", fixture.base, "--data", Fixture.data, "--init-from", fixture.run, "--output",
            folder.path, "--dry-run",
        ]
        #expect(try refusal(next + ["--method", "linear"]).contains("--method ssf"))
        #expect(try refusal(next + ["--layers", "1"]).contains("layers"))
    }

    @Test("Settings of another method, and values that cannot be, are named")
    func mistakes() throws {
        let train = ["train", "--model", fixture.base, "--data", Fixture.data, "--dry-run"]
        #expect(try refusal(train + ["--method", "lora", "--prompts", "3"]).contains("vpt-deep"))
        #expect(try refusal(train + ["--method", "lora", "--rank", "0"]).contains("1 to 4096"))
        #expect(try refusal(train + ["--method", "lora", "--rank", "500"]).contains("at most 48"))
        #expect(try refusal(train + ["--method", "vpt-shallow", "--prompts", "-1"]).contains("1 to 4096"))
        #expect(try refusal(train + ["--method", "full", "--train-only", "blocks.0.atn"]).contains("blocks.0.attn"))
        #expect(try refusal(train + ["--without", "mlpp"]).contains("mlp"))
        let yaml = folder.file("a.yaml")
        try Data("method: ssf\nrank: 4\n".utf8).write(to: URL(filePath: yaml))
        #expect(try refusal(train + ["-c", yaml]).contains("lora"))
        #expect(
            try refusal([
                "train", "--from-scratch", "--method", "full", "--train-only", "blocks.0", "--data", Fixture.data,
            ]).contains("--from-scratch"))
    }
}
