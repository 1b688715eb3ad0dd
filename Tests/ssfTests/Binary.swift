import Foundation
import SSFTestSupport
import Testing

/// The built program, driven as a user drives it.
enum Binary {
    struct Result: CustomStringConvertible {
        var code: Int32
        var out: String
        var err: String

        var description: String { "exit \(code)\n--- stdout\n\(out)\n--- stderr\n\(err)" }
    }

    /// Beside the test runner in the build folder.
    static let path =
        URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path + "/ssf"

    /// Runs `ssf` to its end.
    ///
    /// - Parameter meanwhile: is called while the program runs, to disturb it.
    static func run(
        _ arguments: [String], environment: [String: String] = [:], folder: String? = nil,
        meanwhile: (Process) throws -> Void = { _ in }
    ) throws -> Result {
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        if let folder { process.currentDirectoryURL = URL(filePath: folder) }
        // Files and not pipes: a pipe that fills up while the other is read would stop the program.
        let outputs = try TemporaryFolder()
        let paths = [outputs.file("out"), outputs.file("err")]
        let handles = try paths.map { path in
            _ = FileManager.default.createFile(atPath: path, contents: nil)
            return try #require(FileHandle(forWritingAtPath: path))
        }
        process.standardOutput = handles[0]
        process.standardError = handles[1]
        process.standardInput = FileHandle.nullDevice
        try process.run()
        try meanwhile(process)
        process.waitUntilExit()
        let texts = try paths.map { try String(contentsOfFile: $0, encoding: .utf8) }
        return Result(code: process.terminationStatus, out: texts[0], err: texts[1])
    }

    /// Runs `ssf` and expects an exit code of 0.
    @discardableResult
    static func succeed(_ arguments: String..., folder: String? = nil) throws -> Result {
        let result = try run(arguments, folder: folder)
        try #require(result.code == 0, "ssf \(arguments.joined(separator: " ")): \(result)")
        return result
    }
}

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
