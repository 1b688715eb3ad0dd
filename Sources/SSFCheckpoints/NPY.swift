import Foundation
import SSFTensors

/// NumPy's `.npy` format: one array.
///
/// Read: versions 1 to 3, little-endian or one-byte types that `DType` has, either order of axes. Written: version 1,
/// row-major. Source: NumPy's `numpy.lib.format`.
public enum NPY {
    /// Reads a file; a row-major array is mapped, another is copied into row-major order.
    ///
    /// - Throws: A `UserError` that names the file.
    public static func read(_ path: String) throws -> Tensor {
        let file = try MappedFile(path)
        return try parse(file.storage, byteOffset: 0, byteCount: file.storage.byteCount, shownAs: path)
    }

    /// Writes a file, whole or not at all.
    ///
    /// - Precondition: the tensor is not bf16, which NumPy does not have.
    /// - Throws: A `UserError` that names the path.
    public static func write(_ tensor: Tensor, to path: String) throws {
        let header = header(dtype: tensor.dtype, shape: tensor.shape)
        try AtomicFile.write(to: path) { file in
            try header.withUnsafeBytes { try file.write($0) }
            try file.write(tensor.bytes)
        }
    }

    // MARK: Reading

    private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

    private static let descriptions: [String: DType] = [
        "<f8": .f64, "<f4": .f32, "<f2": .f16, "<i8": .i64, "<i4": .i32, "<i2": .i16, "|i1": .i8, "|u1": .u8,
        "|b1": .bool,
    ]

    /// The array in a part of a storage.
    static func parse(_ storage: Storage, byteOffset: Int, byteCount: Int, shownAs name: String) throws -> Tensor {
        let bytes = UnsafeRawBufferPointer(start: storage.base + byteOffset, count: byteCount)
        guard bytes.count >= 10, bytes.prefix(6).elementsEqual(magic) else {
            throw UserError("\(name): this is not a .npy array")
        }
        // Version 1 has two bytes of header length, the later ones four.
        let lengthSize = bytes[6] == 1 ? 2 : 4
        guard (1...3).contains(bytes[6]), bytes.count >= 8 + lengthSize else {
            throw UserError("\(name): the version of the .npy format", expected: "1, 2 or 3", found: "\(bytes[6])")
        }
        let length = (0..<lengthSize).reduce(0) { $0 | Int(bytes[8 + $1]) << (8 * $1) }
        let start = 8 + lengthSize + length
        guard start <= bytes.count else { throw UserError("\(name): the .npy header is truncated") }
        let header = try NPYHeader(
            String(decoding: bytes[(8 + lengthSize)..<start], as: UTF8.self), shownAs: name)
        guard let dtype = descriptions[header.description] else {
            throw UserError(
                "\(name): the type \(header.description) cannot be read",
                expected: descriptions.keys.sorted().joined(separator: ", "))
        }
        var expected = dtype.size
        for dimension in header.shape {
            let (product, overflow) = expected.multipliedReportingOverflow(by: dimension)
            guard !overflow else { throw UserError("\(name): the shape is not possible", found: "\(header.shape)") }
            expected = product
        }
        guard bytes.count - start >= expected else {
            throw UserError(
                "\(name): the array is truncated", expected: "\(expected) bytes", found: "\(bytes.count - start) bytes")
        }
        let isReversed = header.isColumnMajor && header.shape.count > 1
        let stored = Tensor(
            storage: storage, byteOffset: byteOffset + start,
            shape: Shape(isReversed ? header.shape.reversed() : header.shape), dtype: dtype)
        return isReversed ? transposed(stored) : stored
    }

    /// The tensor with its axes in the opposite order.
    private static func transposed(_ tensor: Tensor) -> Tensor {
        let sizes = Array(tensor.shape.dimensions.reversed())
        let result = Tensor(zeros: Shape(sizes), dtype: tensor.dtype)
        let size = tensor.dtype.size
        // Element (i0, i1, ...) of the result lies at i0 + sizes[0] * (i1 + sizes[1] * ...) in the source.
        var strides = [Int](repeating: 1, count: sizes.count)
        for axis in sizes.indices.dropFirst() { strides[axis] = strides[axis - 1] * sizes[axis - 1] }
        for index in 0..<tensor.count {
            var rest = index
            var source = 0
            for axis in sizes.indices.reversed() {
                source += rest % sizes[axis] * strides[axis]
                rest /= sizes[axis]
            }
            (result.rawPointer + index * size).copyMemory(from: tensor.rawPointer + source * size, byteCount: size)
        }
        return result
    }

    // MARK: Writing

    static func header(dtype: DType, shape: Shape) -> Data {
        guard let description = descriptions.first(where: { $0.value == dtype })?.key else {
            preconditionFailure("NumPy has no \(dtype.rawValue)")
        }
        let sizes = shape.dimensions.map(String.init)
        let shape = sizes.count == 1 ? "(\(sizes[0]),)" : "(\(sizes.joined(separator: ", ")))"
        var text = "{'descr': '\(description)', 'fortran_order': False, 'shape': \(shape), }"
        // The array begins at a multiple of 64 bytes, after a newline.
        text += String(repeating: " ", count: (64 - (10 + text.utf8.count + 1) % 64) % 64) + "\n"
        return Data(magic) + [1, 0, UInt8(text.utf8.count & 0xFF), UInt8(text.utf8.count >> 8)] + Data(text.utf8)
    }
}

/// The header of an array: a literal Python dictionary with three keys.
private struct NPYHeader {
    var description: String
    var isColumnMajor: Bool
    var shape: [Int]

    init(_ text: String, shownAs name: String) throws {
        func value(_ key: String) throws -> Substring {
            guard let range = text.range(of: "'\(key)'") else {
                throw UserError("\(name): the .npy header has no \(key)", found: String(text.prefix(120)))
            }
            return text[range.upperBound...].drop { $0 == ":" || $0 == " " }
        }
        let description = try value("descr")
        guard description.first == "'", let end = description.dropFirst().firstIndex(of: "'") else {
            throw UserError("\(name): the array holds records, not numbers", found: String(description.prefix(60)))
        }
        self.description = String(description.dropFirst()[..<end])
        isColumnMajor = try value("fortran_order").hasPrefix("True")
        let shape = try value("shape")
        guard shape.first == "(", let close = shape.firstIndex(of: ")") else {
            throw UserError("\(name): the shape in the .npy header", expected: "(...)", found: String(shape.prefix(60)))
        }
        let parts = shape[shape.index(after: shape.startIndex)..<close].split(separator: ",").map {
            $0.trimmingCharacters(in: .whitespaces)
        }.filter { !$0.isEmpty }
        let sizes = parts.compactMap { Int($0) }
        guard sizes.count == parts.count, sizes.allSatisfy({ $0 >= 0 }) else {
            throw UserError("\(name): the shape in the .npy header", found: String(shape[...close]))
        }
        self.shape = sizes
    }
}
