import Foundation
import SSFParallel
import SSFTensors

/// `ssf train` in a process of its own: what goes wrong in it ends this run alone, and its memory is its own.
enum TrialProcess {
    enum Ending: Equatable {
        case exited(Int32)
        /// By the system, or by somebody else.
        case killed(signal: Int32)
    }

    /// Runs it to its end. When this program is asked to stop, so is the process, and the end of it is waited for.
    ///
    /// - Parameters:
    ///   - log: receives everything that the process says.
    ///   - progress: is called now and then with the last line of that.
    static func run(arguments: [String], log: String, progress: (String) -> Void) throws -> Ending {
        guard FileManager.default.createFile(atPath: log, contents: nil),
            let output = FileHandle(forWritingAtPath: log)
        else { throw UserError("\(log) cannot be written", remedy: "pass a folder you may write to with --output") }
        defer { try? output.close() }
        let process = Process()
        process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        // Not on the one CPU that the calling thread is bound to.
        try Parallel.withInheritedMask { try process.run() }
        var wasAsked = false
        var said = 0.0
        while process.isRunning {
            usleep(10_000)
            if Interruption.isRequested, !wasAsked {
                // It is a process group of its own: Ctrl-C has reached this program alone.
                process.interrupt()
                wasAsked = true
            }
            let now = ProcessInfo.processInfo.systemUptime
            if now - said > 0.5 {
                said = now
                if let line = lastLine(of: log) { progress(line) }
            }
        }
        return process.terminationReason == .exit
            ? .exited(process.terminationStatus) : .killed(signal: process.terminationStatus)
    }

    private static func lastLine(of path: String) -> String? {
        guard let handle = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? handle.close() }
        guard let end = try? handle.seekToEnd(), (try? handle.seek(toOffset: end > 400 ? end - 400 : 0)) != nil,
            let data = try? handle.readToEnd()
        else { return nil }
        return String(decoding: data, as: UTF8.self).split(separator: "\n").last.map(String.init)
    }
}
