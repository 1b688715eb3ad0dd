import CZlib
import SSFTensors

/// Expansion of deflated bytes by zlib.
enum Deflate {
    /// The expanded bytes, which must be `size` many and have the checksum `crc`.
    ///
    /// - Throws: A `UserError` that begins with `name`.
    static func expand(_ bytes: UnsafeRawBufferPointer, to size: Int, crc: UInt32, shownAs name: String) throws
        -> Storage
    {
        let storage = Storage(byteCount: size)
        var stream = z_stream()
        // Negative window bits: deflate without a header of its own, as zip archives hold it.
        let version = ZLIB_VERSION
        guard inflateInit2_(&stream, -15, version, CInt(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw UserError("\(name): zlib cannot be started")
        }
        defer { inflateEnd(&stream) }
        stream.next_in = UnsafeMutablePointer(mutating: bytes.bindMemory(to: UInt8.self).baseAddress)
        stream.next_out = storage.base.assumingMemoryBound(to: UInt8.self)
        // zlib counts in 32 bits, so larger members go through in parts.
        var inputLeft = bytes.count
        var outputLeft = size
        var state = Z_OK
        while state == Z_OK {
            let input = min(inputLeft, 1 << 30)
            let output = min(outputLeft, 1 << 30)
            stream.avail_in = uInt(input)
            stream.avail_out = uInt(output)
            state = inflate(&stream, Z_NO_FLUSH)
            inputLeft -= input - Int(stream.avail_in)
            outputLeft -= output - Int(stream.avail_out)
        }
        let contents = UnsafeRawBufferPointer(start: storage.base, count: size)
        guard state == Z_STREAM_END, outputLeft == 0, Checksum.crc32(0, of: contents) == uLong(crc) else {
            throw UserError("\(name): the compressed array is damaged")
        }
        return storage
    }
}
