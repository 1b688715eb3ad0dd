import CTurboJPEG
import SSFTensors

/// JPEG through TurboJPEG, which reports errors by return code.
///
/// The accurate integer transform and smooth chroma upsampling, Pillow's defaults.
enum JPEG {
    /// Decodes a baseline or progressive JPEG: grey, YCbCr, RGB, CMYK or YCCK.
    ///
    /// - Throws: `UserError` naming the file; a file that ends early is an error, as in Pillow, and other damage that
    ///   libjpeg can work around is not.
    static func decode(_ bytes: UnsafeRawBufferPointer, name: String, pixelLimit: Int) throws -> RGBImage {
        guard let handle = tjInitDecompress() else {
            throw UserError("TurboJPEG cannot start", found: String(cString: tjGetErrorStr2(nil)))
        }
        defer { tjDestroy(handle) }
        let data = bytes.bindMemory(to: UInt8.self).baseAddress!
        let size = UInt(bytes.count)
        var width: Int32 = 0
        var height: Int32 = 0
        var subsampling: Int32 = 0
        var colorSpace: Int32 = 0
        guard tjDecompressHeader3(handle, data, size, &width, &height, &subsampling, &colorSpace) == 0 else {
            throw damaged(name, handle)
        }
        try ImageDecoder.check(width: Int(width), height: Int(height), limit: pixelLimit, name: name)
        guard isComplete(bytes) else {
            throw UserError("\(name) is a truncated JPEG image", found: "no end marker in \(bytes.count) bytes")
        }
        // A progressive file may hold a million empty scans over a huge picture; 500 is more than any encoder writes.
        let flags = TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS

        func decompress(_ pixels: UnsafeMutablePointer<UInt8>, _ format: TJPF) throws {
            let result = tjDecompress2(
                handle, data, size, pixels, width, 0, height, Int32(bitPattern: UInt32(format.rawValue)), flags)
            if result != 0 && !isHarmless(handle) { throw damaged(name, handle) }
        }

        guard colorSpace == TJCS_CMYK.rawValue || colorSpace == TJCS_YCCK.rawValue else {
            return try RGBImage(width: Int(width), height: Int(height)) { try decompress($0, TJPF_RGB) }
        }
        let count = Int(width) * Int(height)
        let cmyk = UnsafeMutablePointer<UInt8>.allocate(capacity: count * 4)
        defer { cmyk.deallocate() }
        try decompress(cmyk, TJPF_CMYK)
        return RGBImage(width: Int(width), height: Int(height)) { pixels in
            // Adobe's convention, which Pillow assumes of every file: 255 is no ink, so that the stored numbers are
            // already the complements that the product wants.
            for i in 0..<count {
                let light = UInt32(cmyk[4 * i + 3])
                for channel in 0..<3 {
                    // Pillow's rounding: light - round(ink * light / 255).
                    let product = (255 - UInt32(cmyk[4 * i + channel])) * light + 128
                    pixels[3 * i + channel] = UInt8(light - (((product >> 8) + product) >> 8))
                }
            }
        }
    }

    /// Warnings of libjpeg after which it goes on to the end of the picture.
    private static let harmless = [
        "extraneous bytes before marker", "premature end of data segment", "bad Huffman code", "bad arithmetic code",
        "instead of RST", "unknown JFIF revision", "Unknown Adobe color transform", "Inconsistent progression sequence",
        "Invalid SOS parameters",
    ]

    /// Whether what was reported last is a warning after which the picture is complete.
    ///
    /// The error code alone does not tell: it says warning also where an error followed a warning.
    private static func isHarmless(_ handle: tjhandle) -> Bool {
        guard tjGetErrorCode(handle) == TJERR_WARNING.rawValue else { return false }
        let message = String(cString: tjGetErrorStr2(handle))
        return harmless.contains { message.contains($0) }
    }

    /// Whether the file goes on until its end marker. libjpeg would fill in grey for what is missing and only warn.
    private static func isComplete(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var position = 2
        while let marker = nextMarker(bytes, from: &position) {
            if marker == 0xD9 { return true }
            guard marker != 0x01 && !(0xD0...0xD8).contains(marker) else { continue }
            guard position + 2 <= bytes.count else { return false }
            // Entropy-coded data, if it follows, is passed over by the search for the next marker.
            position += Int(bytes.bigEndian16(at: position))
        }
        return false
    }

    /// The first marker at or after `position`, which moves behind it; nil at the end of the data. A zero after FF is
    /// data, a second FF is filling.
    private static func nextMarker(_ bytes: UnsafeRawBufferPointer, from position: inout Int) -> UInt8? {
        while position + 1 < bytes.count {
            if bytes[position] == 0xFF && bytes[position + 1] != 0 && bytes[position + 1] != 0xFF {
                position += 2
                return bytes[position - 1]
            }
            position += 1
        }
        return nil
    }

    private static func damaged(_ name: String, _ handle: tjhandle) -> UserError {
        UserError("\(name) is a damaged JPEG image", found: String(cString: tjGetErrorStr2(handle)))
    }
}
