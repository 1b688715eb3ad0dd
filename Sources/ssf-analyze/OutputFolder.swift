import Foundation
import SSFAnalysis
import SSFCheckpoints
import SSFCommands
import SSFTensors

/// Where a report goes: files of fixed names, each of which replaces the one of an earlier run.
struct OutputFolder {
    static let names = FigureFile.Format.allCases.map { "roofline.\($0.rawValue)" } + ["kernels.csv", "kernels.json"]

    let path: String

    /// Makes the folder if need be, and makes sure that it can be written to.
    ///
    /// - Throws: `UserError` that names it.
    init(_ path: String) throws {
        self.path = path
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw UserError(
                "--output \(path): the folder cannot be made", found: SystemReason.of(error),
                remedy: "pass a folder you may write to")
        }
        // The mode says little to root, or of a file system that is read-only.
        let probe = file(".writable-\(ProcessInfo.processInfo.processIdentifier)")
        try AtomicFile.write(Data(), to: probe)
        try? FileManager.default.removeItem(atPath: probe)
    }

    private func file(_ name: String) -> String { path.hasSuffix("/") ? path + name : path + "/" + name }

    func write(_ report: RooflineReport) throws {
        let figure = report.figure()
        for format in FigureFile.Format.allCases {
            try FigureFile.write(figure, to: file("roofline.\(format.rawValue)"))
        }
        try AtomicFile.write(Data(report.csv().utf8), to: file("kernels.csv"))
        try AtomicFile.write(Data(try JSONText.of(report).utf8), to: file("kernels.json"))
    }
}
