import Foundation
import SSFTensors

/// NumPy's `.npz` format: a zip archive of `.npy` arrays, stored (`np.savez`) or deflated (`np.savez_compressed`).
public enum NPZ {
    /// Reads all arrays, by name without the `.npy`. Stored arrays are mapped, deflated ones unpacked into memory and
    /// checked against the archive's CRC-32.
    ///
    /// - Throws: A `UserError` that names the file and the array.
    public static func read(_ path: String) throws -> [String: Tensor] {
        let file = try MappedFile(path)
        let archive = try ZipDirectory(file.storage, path: path)
        var arrays: [String: Tensor] = [:]
        for member in archive.members where member.name.hasSuffix(".npy") {
            let name = String(member.name.dropLast(4))
            let shown = "\(path): \(name)"
            if member.isDeflated {
                let storage = try Deflate.expand(
                    UnsafeRawBufferPointer(start: file.storage.base + member.start, count: member.storedSize),
                    to: member.size, crc: member.crc, shownAs: shown)
                arrays[name] = try NPY.parse(storage, byteOffset: 0, byteCount: storage.byteCount, shownAs: shown)
            } else {
                arrays[name] = try NPY.parse(
                    file.storage, byteOffset: member.start, byteCount: member.size, shownAs: shown)
            }
        }
        return arrays
    }
}
