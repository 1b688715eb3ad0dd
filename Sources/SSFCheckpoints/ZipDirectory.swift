import SSFTensors

/// The members of a zip archive, checked against its length: files that are stored or deflated, without encryption, in
/// one volume. Source: PKWARE's APPNOTE.TXT 6.3, sections 4.3.7 to 4.3.16 and 4.5.3.
struct ZipDirectory {
    struct Member {
        var name: String
        var isDeflated: Bool
        var crc: UInt32
        /// Where the stored bytes begin in the archive, and how many they are.
        var start: Int
        var storedSize: Int
        /// Bytes after expansion.
        var size: Int
    }

    var members: [Member] = []

    /// Beyond this deflate cannot shrink (zlib's documentation: 1032:1), so that a larger claim is a lie.
    private static let largestRatio = 1032

    /// - Throws: A `UserError` that begins with `path`.
    init(_ storage: Storage, path: String) throws {
        let bytes = LittleEndianBytes(UnsafeRawBufferPointer(start: storage.base, count: storage.byteCount))
        func damaged(_ what: String) -> UserError { UserError("\(path): the zip archive is damaged: \(what)") }

        // The end record is the last thing in the file but for a comment of up to 65,535 bytes.
        let earliest = max(0, bytes.count - 22 - 65_535)
        guard bytes.count >= 22,
            let end = stride(from: bytes.count - 22, through: earliest, by: -1).first(where: {
                bytes.uint32($0) == 0x0605_4B50
            })
        else { throw UserError("\(path): this is not a zip archive", expected: "a .npz file") }
        var count = bytes.uint16(end + 10)!
        var position = bytes.uint32(end + 16)!
        if end >= 20, bytes.uint32(end - 20) == 0x0706_4B50, let record = bytes.uint64(end - 20 + 8),
            bytes.uint32(record) == 0x0606_4B50
        {
            guard let longCount = bytes.uint64(record + 32), let longPosition = bytes.uint64(record + 48) else {
                throw damaged("its 64-bit directory is cut off")
            }
            (count, position) = (longCount, longPosition)
        }

        for _ in 0..<count {
            guard bytes.uint32(position) == 0x0201_4B50, let flags = bytes.uint16(position + 8),
                let method = bytes.uint16(position + 10), let crc = bytes.uint32(position + 16),
                var storedSize = bytes.uint32(position + 20), var size = bytes.uint32(position + 24),
                let nameLength = bytes.uint16(position + 28), let extraLength = bytes.uint16(position + 30),
                let commentLength = bytes.uint16(position + 32), var header = bytes.uint32(position + 42),
                let nameBytes = bytes.slice(position + 46, nameLength)
            else { throw damaged("its directory is cut off") }
            let name = String(decoding: nameBytes, as: UTF8.self)
            // Sizes that do not fit 32 bits stand in an extra field, in this order, those that are needed only.
            var field = position + 46 + nameLength
            let extraEnd = field + extraLength
            while field + 4 <= extraEnd, let identifier = bytes.uint16(field), let length = bytes.uint16(field + 2) {
                if identifier == 1 {
                    var next = field + 4
                    func take(_ value: inout Int) throws {
                        guard value == 0xFFFF_FFFF else { return }
                        guard next + 8 <= field + 4 + length, let long = bytes.uint64(next) else {
                            throw damaged("the sizes of \(name) are missing")
                        }
                        value = long
                        next += 8
                    }
                    try take(&size)
                    try take(&storedSize)
                    try take(&header)
                }
                field += 4 + length
            }
            position += 46 + nameLength + extraLength + commentLength

            guard flags & 1 == 0, method == 0 || method == 8 else {
                throw UserError(
                    "\(path): \(name): only stored and deflated members can be read", found: "method \(method)")
            }
            guard bytes.uint32(header) == 0x0403_4B50, let localName = bytes.uint16(header + 26),
                let localExtra = bytes.uint16(header + 28)
            else { throw damaged("the header of \(name) is not where the directory says") }
            let start = header + 30 + localName + localExtra
            guard bytes.slice(start, storedSize) != nil else { throw damaged("\(name) passes the end of the file") }
            guard method == 8 ? size / Self.largestRatio <= storedSize : size == storedSize else {
                throw damaged("the sizes of \(name) do not fit each other")
            }
            members.append(
                Member(
                    name: name, isDeflated: method == 8, crc: UInt32(crc), start: start, storedSize: storedSize,
                    size: size))
        }
    }
}

/// Numbers at places that may lie outside, where there are none.
private struct LittleEndianBytes {
    private let bytes: UnsafeRawBufferPointer
    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var count: Int { bytes.count }

    func slice(_ position: Int, _ count: Int) -> UnsafeRawBufferPointer? {
        guard position >= 0, count >= 0, position <= bytes.count, count <= bytes.count - position else { return nil }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<(position + count)])
    }

    func uint16(_ position: Int) -> Int? {
        slice(position, 2).map { Int(UInt16(littleEndian: $0.loadUnaligned(as: UInt16.self))) }
    }

    func uint32(_ position: Int) -> Int? {
        slice(position, 4).map { Int(UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self))) }
    }

    /// Numbers beyond a quarter of the range are no sizes of files, and sums with them could overflow.
    func uint64(_ position: Int) -> Int? {
        slice(position, 8).flatMap {
            let value = UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self))
            return value < 1 << 62 ? Int(value) : nil
        }
    }
}
