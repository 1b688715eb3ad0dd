import Foundation
import SSFTensors

/// The last error of the C library in words, to be asked for before anything else is called.
func systemErrorText() -> String { String(cString: strerror(errno)) }

/// A closed-on-exit descriptor of a file.
struct Descriptor: ~Copyable {
    let number: CInt

    /// Opens or makes a file.
    ///
    /// - Throws: A `UserError` that names the path.
    init(_ path: String, flags: CInt, mode: mode_t = 0o666) throws {
        var result: CInt
        repeat { result = open(path, flags | O_CLOEXEC, mode) } while result < 0 && errno == EINTR
        guard result >= 0 else {
            let reason = systemErrorText()
            let doing = flags & (O_WRONLY | O_RDWR) == 0 ? "cannot be opened" : "cannot be written"
            throw UserError("\(path): \(doing)", found: reason)
        }
        number = result
    }

    deinit { close(number) }
}

/// Whether something stands at a path, and what.
enum PathKind {
    case absent, file, folder, other

    init(_ path: String) {
        var information = stat()
        guard stat(path, &information) == 0 else {
            self = .absent
            return
        }
        switch information.st_mode & S_IFMT {
        case S_IFREG: self = .file
        case S_IFDIR: self = .folder
        default: self = .other
        }
    }
}

/// Which file or folder a path names at the moment: another one under the same name has another identity.
struct FileIdentity: Equatable {
    private var device: UInt64 = 0
    private var number: UInt64 = 0
    /// Numbers are used again as soon as they are free; the time of the last change tells their users apart.
    private var seconds = 0
    private var nanoseconds = 0

    /// The identity of nothing where nothing stands at the path.
    init(_ path: String) {
        var information = stat()
        guard stat(path, &information) == 0 else { return }
        device = UInt64(truncatingIfNeeded: information.st_dev)
        number = UInt64(truncatingIfNeeded: information.st_ino)
        #if canImport(Darwin)
            let changed = information.st_ctimespec
        #else
            let changed = information.st_ctim
        #endif
        (seconds, nanoseconds) = (changed.tv_sec, changed.tv_nsec)
    }
}

/// Joins a folder and a name with one slash.
func join(_ folder: String, _ name: String) -> String {
    folder.hasSuffix("/") ? folder + name : folder + "/" + name
}

/// The last part of a path and the folder that holds it; trailing slashes do not count.
func split(_ path: String) -> (folder: String, name: String) {
    var trimmed = Substring(path)
    while trimmed.count > 1, trimmed.last == "/" { trimmed.removeLast() }
    guard let slash = trimmed.lastIndex(of: "/") else { return (".", String(trimmed)) }
    let folder = trimmed[..<slash]
    return (folder.isEmpty ? "/" : String(folder), String(trimmed[trimmed.index(after: slash)...]))
}

/// The whole of a small file.
///
/// - Throws: A `UserError` that names the path; also where the file is larger than `limit` bytes.
func readSmallFile(_ path: String, limit: Int = 100_000_000) throws -> Data {
    switch PathKind(path) {
    case .absent: throw UserError("\(path): there is no such file")
    case .folder, .other: throw UserError("\(path): this is not a file")
    case .file: break
    }
    let file = try MappedFile(path)
    guard file.storage.byteCount <= limit else {
        throw UserError(
            "\(path): the file is too large to be what its name says", expected: "at most \(limit) bytes",
            found: "\(file.storage.byteCount) bytes")
    }
    return Data(bytes: file.storage.base, count: file.storage.byteCount)
}
