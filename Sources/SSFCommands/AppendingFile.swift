import Foundation
import SSFTensors

/// A text file that grows line by line, each line on disk before the next: safe to follow with `tail -f`.
public final class AppendingFile {
    private let handle: FileHandle
    public let path: String

    /// Opens the file at its end, making it with `header` if it is not there or empty.
    ///
    /// - Throws: `UserError` that names the file.
    public init(path: String, header: String? = nil) throws {
        self.path = path
        let manager = FileManager.default
        if !manager.fileExists(atPath: path) { _ = manager.createFile(atPath: path, contents: nil) }
        guard let handle = FileHandle(forWritingAtPath: path) else {
            throw UserError("\(path) cannot be written", remedy: "pass a folder you may write to with --output")
        }
        self.handle = handle
        if try handle.seekToEnd() == 0, let header { try append(header) }
    }

    deinit {
        try? handle.close()
    }

    public func append(_ line: String) throws {
        do {
            try handle.write(contentsOf: Data((line + "\n").utf8))
        } catch {
            throw UserError("\(path) cannot be written", found: SystemReason.of(error), remedy: "is the disk full?")
        }
    }

    /// Keeps the header and the lines that `isKept` accepts; a run that goes on drops what came after its checkpoint.
    ///
    /// - Throws: `UserError` that names the file.
    public static func truncate(path: String, headerLines: Int, where isKept: (Substring) -> Bool) throws {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: true)
        let kept = lines.prefix(headerLines) + lines.dropFirst(headerLines).filter(isKept)
        try OutputFile.write(Data(kept.map { $0 + "\n" }.joined().utf8), to: path)
    }
}
