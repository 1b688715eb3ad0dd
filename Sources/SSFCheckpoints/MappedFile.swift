import Foundation
import SSFTensors

/// A file seen as memory, read-only. Its pages are read when they are touched and given up when memory runs short, so
/// that a file may be larger than memory.
///
/// A file that another program shortens while it is mapped makes the next touch fail, as with every mapping; writers
/// that replace files by renaming, as this package's do, never shorten one.
struct MappedFile {
    let storage: Storage

    /// - Throws: A `UserError` that names the path.
    init(_ path: String) throws {
        // Without `O_NONBLOCK`, opening a pipe would wait for its other end.
        let descriptor = try Descriptor(path, flags: O_RDONLY | O_NONBLOCK)
        var information = stat()
        guard fstat(descriptor.number, &information) == 0 else {
            throw UserError("\(path): cannot be examined", found: systemErrorText())
        }
        guard information.st_mode & S_IFMT == S_IFREG else {
            throw UserError("\(path): this is not a regular file")
        }
        let count = Int(information.st_size)
        guard count > 0 else {
            storage = Storage(byteCount: 0)
            return
        }
        guard let base = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor.number, 0), base != MAP_FAILED else {
            throw UserError("\(path): cannot be mapped into memory", found: systemErrorText())
        }
        storage = Storage(base: base, byteCount: count, isFileMapping: true) { base, count in _ = munmap(base, count) }
    }
}
