import Foundation
import SSFAnalysis
import SSFCheckpoints
import SSFCommands
import SSFTensors

/// Where a report goes: files of fixed names, each of which replaces the one of an earlier run.
struct OutputFolder {
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

    /// The path of a file in it.
    func file(_ name: String) -> String { path.hasSuffix("/") ? path + name : path + "/" + name }

    /// Writes a figure as PNG, SVG and PDF, and the numbers behind it as CSV and JSON.
    ///
    /// - Parameters:
    ///   - figureName, name: of the files, without their endings.
    /// - Returns: the names of the files.
    @discardableResult
    func write(_ figure: Figure, as figureName: String, csv: String, json: String, as name: String) throws -> [String] {
        var names: [String] = []
        for format in FigureFile.Format.allCases {
            names.append("\(figureName).\(format.rawValue)")
            try FigureFile.write(figure, to: file(names[names.count - 1]))
        }
        try AtomicFile.write(Data(csv.utf8), to: file("\(name).csv"))
        try AtomicFile.write(Data(json.utf8), to: file("\(name).json"))
        return names + ["\(name).csv", "\(name).json"]
    }
}
