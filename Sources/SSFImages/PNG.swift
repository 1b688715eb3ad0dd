import CPNG
import SSFTensors

/// PNG through libpng's simplified interface, which reports errors without `setjmp`.
public enum PNG {
    /// Decodes a PNG of any colour type and depth.
    ///
    /// Grey and palette become RGB, 16 bits are scaled to 8 (rounded to nearest), alpha is dropped without blending.
    /// Colour-space chunks are ignored, as Pillow ignores them.
    ///
    /// - Throws: `UserError` naming the file.
    static func decode(_ bytes: UnsafeRawBufferPointer, name: String, pixelLimit: Int) throws -> RGBImage {
        let header = try Header(bytes, name: name)
        try ImageDecoder.check(width: header.width, height: header.height, limit: pixelLimit, name: name)
        let essential = essentialChunks(bytes)
        var control = png_image()
        control.version = png_uint_32(PNG_IMAGE_VERSION)
        defer { png_image_free(&control) }
        let width = header.width
        let height = header.height
        return try essential.withUnsafeBytes { source in
            guard png_image_begin_read_from_memory(&control, source.baseAddress!, source.count) != 0 else {
                throw damaged(name, control)
            }
            // Without this a 16-bit file would be taken for linear light and made brighter.
            control.flags |= UInt32(PNG_IMAGE_FLAG_16BIT_sRGB)
            guard control.width == png_uint_32(width) && control.height == png_uint_32(height) else {
                throw damaged(name, control)
            }
            // With the alpha channel asked for, libpng blends nothing.
            let hasAlpha = control.format & UInt32(PNG_FORMAT_FLAG_ALPHA) != 0
            control.format = UInt32(PNG_FORMAT_FLAG_COLOR) | (hasAlpha ? UInt32(PNG_FORMAT_FLAG_ALPHA) : 0)
            guard hasAlpha else {
                return try RGBImage(width: width, height: height) { pixels in
                    guard png_image_finish_read(&control, nil, pixels, 0, nil) != 0 else {
                        throw damaged(name, control)
                    }
                }
            }
            let rgba = UnsafeMutablePointer<UInt8>.allocate(capacity: width * height * 4)
            defer { rgba.deallocate() }
            guard png_image_finish_read(&control, nil, rgba, 0, nil) != 0 else { throw damaged(name, control) }
            return RGBImage(width: width, height: height) { pixels in
                for i in 0..<width * height {
                    pixels[3 * i] = rgba[4 * i]
                    pixels[3 * i + 1] = rgba[4 * i + 1]
                    pixels[3 * i + 2] = rgba[4 * i + 2]
                }
            }
        }
    }

    /// Encodes an image as an 8-bit RGB PNG file.
    public static func encode(_ image: RGBImage) -> [UInt8] {
        var control = png_image()
        control.version = png_uint_32(PNG_IMAGE_VERSION)
        control.width = png_uint_32(image.width)
        control.height = png_uint_32(image.height)
        control.format = UInt32(PNG_FORMAT_FLAG_COLOR)
        defer { png_image_free(&control) }
        // Deflate never grows its input by more than a few bytes in each block; half as much again is ample.
        let capacity = image.pixels.count + image.pixels.count / 2 + 4096
        return [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            var size = png_alloc_size_t(capacity)
            let written = png_image_write_to_memory(&control, buffer.baseAddress!, &size, 0, image.pixels, 0, nil)
            precondition(written != 0, "libpng cannot encode \(image.width)x\(image.height)")
            count = Int(size)
        }
    }

    /// The bytes of the first chunk of a kind, if it is whole.
    static func chunk(_ kind: String, of bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        var found: UnsafeRawBufferPointer?
        forEachChunk(bytes) { name, range in
            if found == nil && name.elementsEqual(kind.utf8) { found = UnsafeRawBufferPointer(rebasing: bytes[range]) }
        }
        return found
    }

    private struct Header {
        let width: Int
        let height: Int

        init(_ bytes: UnsafeRawBufferPointer, name: String) throws {
            guard bytes.count >= 33, bytes[12..<16].elementsEqual("IHDR".utf8) else {
                throw UserError("\(name) is a damaged PNG image", found: "no whole header in \(bytes.count) bytes")
            }
            width = Int(bytes.bigEndian32(at: 16))
            height = Int(bytes.bigEndian32(at: 20))
        }
    }

    /// The file without every chunk that does not shape the pixels.
    ///
    /// A gamma or colour profile would make libpng convert colours, transparency of a palette or of one colour would
    /// make it blend, and compressed text may hide a bomb. What is left is what Pillow looks at.
    private static func essentialChunks(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var kept = [UInt8]()
        kept.reserveCapacity(bytes.count)
        kept.append(contentsOf: bytes.prefix(8))
        var end = 8
        forEachChunk(bytes) { name, range in
            end = range.upperBound + 4
            if ["IHDR", "PLTE", "IDAT", "IEND"].contains(where: { name.elementsEqual($0.utf8) }) {
                kept.append(contentsOf: bytes[(range.lowerBound - 8)..<(range.upperBound + 4)])
            }
        }
        // Whatever is left is a chunk that was cut off: libpng says so better than we could.
        if end < bytes.count { kept.append(contentsOf: bytes[end...]) }
        return kept
    }

    /// Calls `body` with the name and the data range of every whole chunk, up to and including the last.
    private static func forEachChunk(
        _ bytes: UnsafeRawBufferPointer, _ body: (Slice<UnsafeRawBufferPointer>, Range<Int>) -> Void
    ) {
        var position = 8
        while position + 12 <= bytes.count {
            let length = Int(bytes.bigEndian32(at: position))
            guard length <= bytes.count - position - 12 else { return }
            let name = bytes[(position + 4)..<(position + 8)]
            body(name, (position + 8)..<(position + 8 + length))
            position += 12 + length
        }
    }

    private static func damaged(_ name: String, _ control: png_image) -> UserError {
        let message = withUnsafeBytes(of: control.message) { raw in
            String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
        }
        return UserError("\(name) is a damaged PNG image", found: message.nonEmpty)
    }
}

extension UnsafeRawBufferPointer {
    func bigEndian16(at offset: Int) -> UInt16 {
        UInt16(self[offset]) << 8 | UInt16(self[offset + 1])
    }

    func bigEndian32(at offset: Int) -> UInt32 {
        UInt32(bigEndian16(at: offset)) << 16 | UInt32(bigEndian16(at: offset + 2))
    }
}
