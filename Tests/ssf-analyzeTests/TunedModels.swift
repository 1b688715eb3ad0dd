import SSFTestSupport
import Testing

/// Small models, tuned once for the tests of the commands that look into them.
final class TunedModels: Sendable {
    static let shared = Swift.Result { try TunedModels() }

    let folder: TemporaryFolder
    var base: String { folder.file("base") }
    /// A run that began at random.
    var scratch: String { folder.file("runs/scratch") }
    /// A run of SSF on `base`.
    var run: String { folder.file("runs/ssf") }
    /// A run of VPT-Deep on `base`.
    var prompts: String { folder.file("runs/vpt-deep") }
    static let data = "synthetic:orientation?train=32&val=16&test=16"

    init() throws {
        folder = try TemporaryFolder()
        try Binary.succeed(
            "train", "--from-scratch", "--method", "full", "--img-size", "32", "--patch-size", "8", "--embed-dim", "24",
            "--depth", "2", "--num-heads", "3", "--data", "synthetic:shape?train=32&val=16&test=0", "--epochs", "1",
            "--batch-size", "32", "--output", folder.file("runs"), "--experiment", "scratch")
        try Binary.succeed("merge", "--adapter", scratch, "--output", base)
        for (method, more) in [("ssf", []), ("vpt-deep", ["--prompts", "2"])] {
            let arguments = [
                "train", "--model", base, "--data", Self.data, "--epochs", "1", "--batch-size", "32", "--method",
                method,
                "--output", folder.file("runs"), "--experiment", method,
            ]
            let result = try Binary.run(arguments + more)
            try #require(result.code == 0, "\(result)")
        }
    }
}
