import Foundation
import SSFTensors

/// Files that are whole or not there: written beside their place, forced to disk, then renamed.
public enum AtomicFile {
    /// Writes a file, replacing what was there; whoever reads the path meanwhile sees the old file or the new one.
    ///
    /// - Throws: A `UserError` that names the path; what was there stays, and nothing is left beside it.
    public static func write(_ data: Data, to path: String) throws {
        try write(to: path) { file in try data.withUnsafeBytes { try file.write($0) } }
    }

    /// Writes a file piece by piece.
    static func write(to path: String, _ body: (borrowing FileWriter) throws -> Void) throws {
        if PathKind(path) == .folder { throw UserError("\(path): cannot be written", found: "a folder of this name") }
        let temporary = temporaryPath(beside: path)
        do {
            let file = try FileWriter(temporary, shownAs: path)
            try body(file)
            try file.synchronize()
        } catch {
            unlink(temporary)
            throw error
        }
        guard rename(temporary, path) == 0 else {
            let reason = systemErrorText()
            unlink(temporary)
            throw UserError("\(path): cannot be put in place", found: reason)
        }
        synchronizeFolder(split(path).folder)
    }

    /// A name in the same folder, hence on the same file system, that no one else uses.
    static func temporaryPath(beside path: String) -> String {
        let (folder, name) = split(path)
        return join(folder, ".\(name).\(getpid())-\(String(UInt32.random(in: 0 ... .max), radix: 16)).tmp")
    }

    /// Forces a folder's names to disk. Some file systems cannot, and the rename stands even so.
    static func synchronizeFolder(_ path: String) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}

/// A new file that is written from its beginning to its end.
struct FileWriter: ~Copyable {
    private let descriptor: Descriptor
    private let shown: String

    /// - Parameters:
    ///   - path: A path at which nothing stands.
    ///   - shown: The path that errors name.
    init(_ path: String, shownAs shown: String) throws {
        do {
            descriptor = try Descriptor(path, flags: O_WRONLY | O_CREAT | O_EXCL)
        } catch let error as UserError {
            throw UserError("\(shown): cannot be written", found: error.found)
        }
        self.shown = shown
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest)
            let count = Foundation.write(descriptor.number, part.baseAddress!, part.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw UserError("\(shown): cannot be written", found: systemErrorText()) }
            rest = rest.dropFirst(count)
        }
    }

    func synchronize() throws {
        guard fsync(descriptor.number) == 0 else {
            throw UserError("\(shown): cannot be forced to disk", found: systemErrorText())
        }
    }
}
