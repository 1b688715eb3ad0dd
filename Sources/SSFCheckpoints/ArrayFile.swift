import Foundation
import SSFTensors

/// A file of f32 arrays that is written row by row, in any order, so that no array need ever be in memory as a whole:
/// one `.npy` array, or a `.safetensors` file of several.
///
/// The bytes go to a file beside the path, which takes its place in `finish`; a file that is never finished leaves
/// nothing.
public final class ArrayFile {
    private let path: String
    private let temporary: String
    private let descriptor: Descriptor
    /// Where each array begins, and how many bytes a row of it has.
    private let places: [String: (offset: Int, rowBytes: Int, rows: Int)]
    private var isFinished = false

    /// A `.npy` file; its array has the empty name.
    ///
    /// - Parameter shape: rows are the first axis.
    public static func npy(_ shape: Shape, to path: String) throws -> ArrayFile {
        let header = NPY.header(dtype: .f32, shape: shape)
        return try ArrayFile(path, header: header, arrays: [("", shape)])
    }

    /// A `.safetensors` file.
    ///
    /// - Parameter shapes: of each array, by name; rows are the first axis.
    public static func safetensors(
        _ shapes: [String: Shape], metadata: [String: String] = ["format": "pt"], to path: String
    ) throws -> ArrayFile {
        let ordered = shapes.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            .map { (name: $0.key, shape: $0.value) }
        let header = try Safetensors.header(
            ordered.map { (name: $0.name, dtype: DType.f32, shape: $0.shape) }, metadata: metadata, path: path)
        return try ArrayFile(path, header: header, arrays: ordered)
    }

    private init(_ path: String, header: Data, arrays: [(name: String, shape: Shape)]) throws {
        if PathKind(path) == .folder { throw UserError("\(path): cannot be written", found: "a folder of this name") }
        self.path = path
        temporary = AtomicFile.temporaryPath(beside: path)
        var places: [String: (offset: Int, rowBytes: Int, rows: Int)] = [:]
        var offset = header.count
        for (name, shape) in arrays {
            precondition(shape.rank > 0, "an array without rows")
            let rows = shape[0]
            places[name] = (offset, rows == 0 ? 0 : 4 * shape.count / rows, rows)
            offset += 4 * shape.count
        }
        self.places = places
        do {
            descriptor = try Descriptor(temporary, flags: O_WRONLY | O_CREAT | O_EXCL)
        } catch let error as UserError {
            throw UserError("\(path): cannot be written", found: error.found)
        }
        // Before the work is done, not after it, a disk says that it has no room for it.
        let status = posix_fallocate(descriptor.number, 0, offset)
        guard status == 0 || status == EOPNOTSUPP || status == EINVAL else {
            throw UserError(
                "\(path): cannot be written", expected: "room for \(offset) bytes",
                found: String(cString: strerror(status)))
        }
        try header.withUnsafeBytes { try write($0, at: 0) }
    }

    /// Writes whole rows of an array.
    ///
    /// - Parameters:
    ///   - name: of the array; empty for the one of a `.npy` file.
    ///   - row: the first of them.
    /// - Throws: `UserError` that names the path.
    /// - Precondition: the array exists and has these rows.
    public func write(_ values: UnsafeBufferPointer<Float>, to name: String = "", row: Int) throws {
        guard let place = places[name] else { preconditionFailure("\(path) has no array \(name)") }
        let bytes = UnsafeRawBufferPointer(values)
        precondition(
            row >= 0 && (bytes.isEmpty || bytes.count.isMultiple(of: place.rowBytes))
                && row * place.rowBytes + bytes.count <= place.rows * place.rowBytes, "rows outside of \(name)")
        try write(bytes, at: place.offset + row * place.rowBytes)
    }

    /// Puts the file in its place.
    ///
    /// - Throws: `UserError` that names the path; what stood there stays.
    public func finish() throws {
        guard fsync(descriptor.number) == 0 else {
            throw UserError("\(path): cannot be forced to disk", found: systemErrorText())
        }
        guard rename(temporary, path) == 0 else {
            throw UserError("\(path): cannot be put in place", found: systemErrorText())
        }
        isFinished = true
        AtomicFile.synchronizeFolder(split(path).folder)
    }

    deinit {
        if !isFinished { unlink(temporary) }
    }

    private func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
        var done = 0
        while done < bytes.count {
            let count = pwrite(
                descriptor.number, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done))
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw UserError("\(path): cannot be written", found: systemErrorText()) }
            done += count
        }
    }
}
