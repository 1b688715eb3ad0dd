import Foundation
import SSFTestSupport

/// A small model and a run of SSF on it, made once by the program itself.
final class Fixture: Sendable {
    static let shared = Swift.Result { try Fixture() }

    let folder: TemporaryFolder
    /// A merged folder that serves as the pre-trained model.
    var base: String { folder.file("base") }
    /// A run folder of `ssf train --method ssf`.
    var run: String { folder.file("runs/tuned") }
    static let data = "synthetic:orientation?train=96&val=32&test=48"

    private init() throws {
        folder = try TemporaryFolder()
        try Binary.succeed(
            "train", "--from-scratch", "--method", "full", "--img-size", "32", "--patch-size", "8", "--embed-dim", "48",
            "--depth", "2", "--num-heads", "3", "--data", "synthetic:shape?train=96&val=32&test=0", "--epochs", "1",
            "--batch-size", "32", "--output", folder.file("runs"), "--experiment", "scratch")
        try Binary.succeed("merge", "--adapter", folder.file("runs/scratch/best"), "--output", base)
        try Binary.succeed(
            "train", "--model", base, "--data", Self.data, "--epochs", "2", "--batch-size", "32", "--output",
            folder.file("runs"), "--experiment", "tuned")
    }
}
