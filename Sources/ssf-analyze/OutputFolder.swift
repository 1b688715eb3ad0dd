import Foundation
import SSFAnalysis
import SSFCheckpoints
import SSFCommands
import SSFImages
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
        try write(figure, as: figureName) + write(csv, as: "\(name).csv") + write(json, as: "\(name).json")
    }

    /// Writes a figure as PNG, SVG and PDF.
    ///
    /// - Parameter name: of the files, without their endings.
    /// - Returns: the names of the files.
    @discardableResult
    func write(_ figure: Figure, as name: String) throws -> [String] {
        try FigureFile.Format.allCases.map { format in
            try FigureFile.write(figure, to: file("\(name).\(format.rawValue)"))
            return "\(name).\(format.rawValue)"
        }
    }

    /// Makes a folder in it, if need be.
    ///
    /// - Throws: `UserError` that names it.
    func makeFolder(_ name: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: file(name), withIntermediateDirectories: true)
        } catch {
            throw UserError("\(file(name)): the folder cannot be made", found: SystemReason.of(error))
        }
    }

    /// Writes an image as PNG.
    func write(_ image: RGBImage, as name: String) throws {
        try AtomicFile.write(Data(PNG.encode(image)), to: file(name))
    }

    /// Writes an array as NPY.
    func write(_ tensor: Tensor, as name: String) throws {
        try NPY.write(tensor, to: file(name))
    }

    /// Writes a text.
    ///
    /// - Returns: the name of the file, alone.
    @discardableResult
    func write(_ text: String, as name: String) throws -> [String] {
        try AtomicFile.write(Data(text.utf8), to: file(name))
        return [name]
    }
}
