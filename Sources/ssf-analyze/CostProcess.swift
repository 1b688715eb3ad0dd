import Foundation
import SSFAnalysis
import SSFCommands
import SSFParallel
import SSFTensors

/// This program once more, to measure one thing.
enum CostProcess {
    /// Runs a process and waits for its answer.
    ///
    /// - Throws: `UserError` with what the process said, or that it was ended.
    static func sample(_ request: CostRequest) throws -> CostSample {
        let process = Process()
        process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        process.arguments = ["measure-cost", String(decoding: try encoder.encode(request), as: UTF8.self)]
        let (out, err) = (Pipe(), Pipe())
        process.standardOutput = out
        process.standardError = err
        process.standardInput = FileHandle.nullDevice
        // Not on the one CPU that the calling thread is bound to.
        try Parallel.withInheritedMask { try process.run() }
        // Both answers are short: neither pipe fills up while the other is read.
        let answer = (try? out.fileHandleForReading.readToEnd()) ?? Data()
        let message = String(
            decoding: (try? err.fileHandleForReading.readToEnd()) ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        let what = "measuring \(request.part.rawValue) of \(request.tuning.method) failed"
        guard process.terminationReason == .exit else {
            throw UserError(
                what, found: "the process was ended by signal \(process.terminationStatus)",
                remedy: process.terminationStatus == SIGKILL
                    ? "the system ends processes when memory runs out: lower --batch-size or --img-size" : nil)
        }
        guard process.terminationStatus == 0 else {
            throw UserError(what, found: message.trimmingCharacters(in: .whitespacesAndNewlines))
        }
        do {
            return try JSONDecoder().decode(CostSample.self, from: answer)
        } catch {
            throw UserError(what, found: "an answer that cannot be read")
        }
    }
}
