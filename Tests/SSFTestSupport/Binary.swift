import Foundation
import Testing

/// The built programs, driven as a user drives them.
public enum Binary {
    public struct Result: CustomStringConvertible {
        public var code: Int32
        public var out: String
        public var err: String

        public var description: String { "exit \(code)\n--- stdout\n\(out)\n--- stderr\n\(err)" }
    }

    /// Beside the test runner in the build folder.
    public static func path(_ program: String) -> String {
        URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path + "/" + program
    }

    /// Runs a program to its end.
    ///
    /// - Parameter meanwhile: is called while the program runs, to disturb it.
    public static func run(
        program: String = "ssf", _ arguments: [String], environment: [String: String] = [:], folder: String? = nil,
        meanwhile: (Process) throws -> Void = { _ in }
    ) throws -> Result {
        let process = Process()
        process.executableURL = URL(filePath: path(program))
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

    /// Runs a program and expects an exit code of 0.
    @discardableResult
    public static func succeed(
        program: String = "ssf", _ arguments: String..., folder: String? = nil
    ) throws -> Result {
        let result = try run(program: program, arguments, folder: folder)
        try #require(result.code == 0, "\(program) \(arguments.joined(separator: " ")): \(result)")
        return result
    }
}
