import Foundation
import SSFTensors

extension Safetensors {
    /// Writes a file as the reference writer does: tensors by falling alignment, then by name; the header padded with
    /// spaces to 8 bytes, so that every tensor is aligned in the file.
    ///
    /// The file is whole or not there: it is written beside its place, forced to disk and renamed. The tensors are
    /// written in the types they have, and may be mapped from the very file that is replaced.
    ///
    /// - Parameter metadata: The header's `__metadata__`; Python's loaders ask for `format`.
    /// - Throws: A `UserError` that names the path.
    public static func write(
        _ tensors: [String: Tensor], metadata: [String: String] = ["format": "pt"], to path: String
    ) throws {
        let ordered = order(tensors)
        let header = try header(
            ordered.map { (name: $0.name, dtype: $0.tensor.dtype, shape: $0.tensor.shape) }, metadata: metadata,
            path: path)
        try AtomicFile.write(to: path) { file in
            try header.withUnsafeBytes { try file.write($0) }
            for (_, tensor) in ordered { try file.write(tensor.bytes) }
        }
    }

    private static func order(_ tensors: [String: Tensor]) -> [(name: String, tensor: Tensor)] {
        tensors.map { (name: $0.key, tensor: $0.value) }.sorted { a, b in
            let (x, y) = (rank(a.tensor.dtype), rank(b.tensor.dtype))
            if x != y { return x > y }
            return a.name.utf8.lexicographicallyPrecedes(b.name.utf8)
        }
    }

    /// The place of a type in the reference's list, which grows with the alignment.
    private static func rank(_ dtype: DType) -> Int {
        switch dtype {
        case .bool: 0
        case .u8: 1
        case .i8: 2
        case .i16: 3
        case .f16: 4
        case .bf16: 5
        case .i32: 6
        case .f32: 7
        case .f64: 8
        case .i64: 9
        }
    }

    /// The length and the padded JSON, byte for byte what the reference writes (its metadata in the order of keys).
    static func header(
        _ ordered: [(name: String, dtype: DType, shape: Shape)], metadata: [String: String], path: String
    ) throws -> Data {
        // `JSONEncoder` cannot keep the order of tensors, so the outer object is put together here.
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        func quoted(_ text: String) throws -> String { String(decoding: try encoder.encode(text), as: UTF8.self) }

        var fields: [String] = []
        if !metadata.isEmpty {
            fields.append("\"__metadata__\":" + String(decoding: try encoder.encode(metadata), as: UTF8.self))
        }
        var position = 0
        for (name, dtype, shape) in ordered {
            precondition(name != "__metadata__", "a tensor cannot be called __metadata__")
            let sizes = shape.dimensions.map(String.init).joined(separator: ",")
            let end = position + shape.count * dtype.size
            fields.append(
                "\(try quoted(name)):{\"dtype\":\"\(dtype.rawValue)\",\"shape\":[\(sizes)],"
                    + "\"data_offsets\":[\(position),\(end)]}")
            position = end
        }
        var json = Data("{\(fields.joined(separator: ","))}".utf8)
        json.append(Data(repeating: UInt8(ascii: " "), count: (8 - json.count % 8) % 8))
        guard json.count <= maximumHeaderLength else {
            throw UserError(
                "\(path): the names are too long for one safetensors header",
                expected: "at most \(maximumHeaderLength) bytes", found: "\(json.count) bytes")
        }
        return withUnsafeBytes(of: UInt64(json.count).littleEndian) { Data($0) } + json
    }
}
