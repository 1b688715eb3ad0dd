import Foundation
import SSFCheckpoints
import SSFTensors

/// The folder of one run: made anew, never taken over from an earlier run.
public struct RunFolder: Sendable {
    public let path: String

    /// A folder that exists, such as that of a run that goes on.
    public init(existing path: String) {
        self.path = path
    }

    /// Makes `<output>/<experiment>`, with `-1`, `-2`, ... appended while there is one already.
    ///
    /// - Throws: `UserError` when the folder cannot be made or written to.
    public static func create(output: String, experiment: String) throws -> RunFolder {
        guard !experiment.isEmpty, !experiment.contains("/"), experiment != ".", experiment != ".." else {
            throw UserError(
                "--experiment cannot be `\(experiment)`", expected: "the name of a folder, without `/`",
                remedy: "name the parent folder with --output")
        }
        let manager = FileManager.default
        do {
            try manager.createDirectory(atPath: output, withIntermediateDirectories: true)
        } catch {
            throw UserError(
                "\(output): the output folder cannot be made", found: SystemReason.of(error),
                remedy: "pass a folder you may write to with --output")
        }
        var name = experiment
        var attempt = 0
        while true {
            // mkdir itself decides who comes first when two runs start at the same moment.
            let path = output + "/" + name
            if mkdir(path, 0o777) == 0 { return RunFolder(existing: path) }
            guard errno == EEXIST else {
                throw UserError(
                    "\(path): the run folder cannot be made", found: String(cString: strerror(errno)),
                    remedy: "pass a folder you may write to with --output")
            }
            attempt += 1
            name = "\(experiment)-\(attempt)"
        }
    }

    /// The adapter folder that `path` means: itself, or the part `name` of the run folder that it is.
    static func adapter(_ name: String, of path: String) -> String {
        let part = (path.hasSuffix("/") ? path : path + "/") + name
        return !AdapterFolder.isAdapter(path) && AdapterFolder.isAdapter(part) ? part : path
    }

    /// The path of a file in the folder.
    public func file(_ name: String) -> String { path + "/" + name }

    /// Writes a file whole or not at all.
    ///
    /// - Throws: `UserError` that names the file.
    public func write(_ text: String, to name: String) throws {
        try OutputFile.write(Data(text.utf8), to: file(name))
    }
}

/// Files of results.
public enum OutputFile {
    /// Writes beside, then renames, so that no reader ever sees half a file.
    ///
    /// - Throws: `UserError` that names the file.
    public static func write(_ data: Data, to path: String) throws {
        do {
            try data.write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw UserError(
                "\(path) cannot be written", found: SystemReason.of(error),
                remedy: "pass a place you may write to")
        }
    }
}
