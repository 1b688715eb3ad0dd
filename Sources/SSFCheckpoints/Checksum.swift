import CZlib
import SSFTensors

/// The identity of a set of weights.
public enum Checksum {
    /// `crc32:` and eight hexadecimal digits: zlib's CRC-32 over the bytes of the tensors, one after the other in the
    /// order of their names' UTF-8 bytes.
    ///
    /// It depends on names' order and on the numbers, not on the order, header or padding of the file, so that a copy
    /// written by another tool has the same. In Python:
    /// `for name in sorted(tensors): crc = zlib.crc32(tensors[name].tobytes(), crc)`.
    public static func of(_ tensors: [String: Tensor]) -> String {
        var crc: uLong = 0
        for name in tensors.keys.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            crc = crc32(crc, of: tensors[name]!.bytes)
        }
        let digits = String(crc, radix: 16)
        return "crc32:" + String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// zlib's CRC-32 of the bytes, continued from `crc`; begin with 0.
    static func crc32(_ crc: uLong, of bytes: UnsafeRawBufferPointer) -> uLong {
        // A null pointer would ask zlib for its initial value, whatever `crc` is.
        guard let base = bytes.baseAddress, !bytes.isEmpty else { return crc }
        return crc32_z(crc, base.assumingMemoryBound(to: UInt8.self), bytes.count)
    }
}
