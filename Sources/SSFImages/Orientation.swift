/// How a stored photograph must be turned to stand upright: the values 2 to 8 of the EXIF tag 0x0112.
///
/// Value 1, upright, is not a case: no orientation and an upright one are the same to every caller.
public enum Orientation: Int, Sendable, CaseIterable {
    case mirrored = 2
    case upsideDown = 3
    case mirroredUpsideDown = 4
    case transposed = 5
    /// Stored turned to the left: a quarter turn clockwise makes it upright.
    case quarterClockwise = 6
    case transversed = 7
    case quarterCounterclockwise = 8

    /// Finds the orientation in a JPEG's APP1 segment or a PNG's `eXIf` chunk.
    ///
    /// Nil if there is none, if it is upright, or if the metadata is damaged: bad metadata never spoils an image.
    public init?(_ bytes: UnsafeRawBufferPointer, format: ImageFormat) {
        let block: UnsafeRawBufferPointer?
        switch format {
        case .jpeg: block = Orientation.exifSegment(ofJPEG: bytes)
        case .png: block = PNG.chunk("eXIf", of: bytes)
        default: block = nil
        }
        guard let block, let value = Orientation.orientationTag(inTIFF: block), let found = Orientation(rawValue: value)
        else { return nil }
        self = found
    }

    /// The image turned upright, as Pillow's `ImageOps.exif_transpose` turns it.
    public func upright(_ image: RGBImage) -> RGBImage {
        let w = image.width
        let h = image.height
        let swaps = rawValue >= 5
        return image.withView { view in
            RGBImage(width: swaps ? h : w, height: swaps ? w : h) { target in
                var out = target
                for y in 0..<(swaps ? w : h) {
                    for x in 0..<(swaps ? h : w) {
                        let sourceX: Int
                        let sourceY: Int
                        switch self {
                        case .mirrored: (sourceX, sourceY) = (w - 1 - x, y)
                        case .upsideDown: (sourceX, sourceY) = (w - 1 - x, h - 1 - y)
                        case .mirroredUpsideDown: (sourceX, sourceY) = (x, h - 1 - y)
                        case .transposed: (sourceX, sourceY) = (y, x)
                        case .quarterClockwise: (sourceX, sourceY) = (y, h - 1 - x)
                        case .transversed: (sourceX, sourceY) = (w - 1 - y, h - 1 - x)
                        case .quarterCounterclockwise: (sourceX, sourceY) = (w - 1 - y, x)
                        }
                        let source = view.base + (sourceY * view.rowStride + sourceX * 3)
                        out[0] = source[0]
                        out[1] = source[1]
                        out[2] = source[2]
                        out += 3
                    }
                }
            }
        }
    }

    /// The TIFF block behind `Exif\0\0` in the first such APP1 segment before the picture begins.
    private static func exifSegment(ofJPEG bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        var position = 2
        while position + 4 <= bytes.count {
            guard bytes[position] == 0xFF else { return nil }
            let marker = bytes[position + 1]
            if marker == 0xFF {  // fill byte
                position += 1
                continue
            }
            if marker == 0x01 || (0xD0...0xD8).contains(marker) {  // markers without a length
                position += 2
                continue
            }
            if marker == 0xDA || marker == 0xD9 { return nil }  // start of scan, end of image
            let length = Int(bytes.bigEndian16(at: position + 2))
            guard length >= 2 && position + 2 + length <= bytes.count else { return nil }
            let data = bytes[(position + 4)..<(position + 2 + length)]
            if marker == 0xE1 && data.count >= 6 && data.prefix(6).elementsEqual([0x45, 0x78, 0x69, 0x66, 0, 0]) {
                return UnsafeRawBufferPointer(rebasing: data.dropFirst(6))
            }
            position += 2 + length
        }
        return nil
    }

    /// Reads tag 0x0112 from the first directory of a TIFF block in either byte order.
    private static func orientationTag(inTIFF block: UnsafeRawBufferPointer) -> Int? {
        guard block.count >= 8 else { return nil }
        let isLittle: Bool
        switch (block[0], block[1]) {
        case (0x49, 0x49): isLittle = true
        case (0x4D, 0x4D): isLittle = false
        default: return nil
        }
        func short(_ offset: Int) -> Int {
            let value = block.bigEndian16(at: offset)
            return Int(isLittle ? value.byteSwapped : value)
        }
        func long(_ offset: Int) -> Int {
            let value = block.bigEndian32(at: offset)
            return Int(isLittle ? value.byteSwapped : value)
        }
        guard short(2) == 42 else { return nil }
        let directory = long(4)
        guard directory >= 8 && directory <= block.count - 2 else { return nil }
        for entry in 0..<short(directory) {
            let offset = directory + 2 + 12 * entry
            guard offset + 12 <= block.count else { return nil }
            guard short(offset) == 0x0112 else { continue }
            switch short(offset + 2) {
            case 3: return short(offset + 8)  // SHORT
            case 4: return long(offset + 8)  // LONG, written by some tools
            default: return nil
            }
        }
        return nil
    }
}
