import Foundation
import SSFTensors

/// The header of a safetensors file, checked against the length of the file.
struct SafetensorsHeader {
    struct Entry {
        var name: String
        var dtype: DType
        var shape: Shape
        /// Bytes from `dataStart`.
        var range: Range<Int>
    }

    /// In the order of their bytes in the file.
    var entries: [Entry]
    var metadata: [String: String]
    /// Where the tensors' bytes begin in the file.
    var dataStart: Int

    /// - Throws: A `UserError` that begins with `path`.
    init(_ storage: Storage, path: String) throws {
        let total = storage.byteCount
        guard total >= 8 else {
            throw UserError(
                "\(path): the file is too short for a safetensors header", expected: "at least 8 bytes",
                found: "\(total) bytes", remedy: Self.again)
        }
        let start = UnsafeRawBufferPointer(start: storage.base, count: min(total, 64))
        if start.starts(with: "version https://git-lfs".utf8) {
            throw UserError("\(path): this is a pointer of Git LFS, not the file itself", remedy: "git lfs pull")
        }
        let stated = UInt64(littleEndian: storage.base.loadUnaligned(as: UInt64.self))
        let length = Int(clamping: stated)
        guard length <= Safetensors.maximumHeaderLength, length <= total - 8 else {
            if length <= Safetensors.maximumHeaderLength, start.dropFirst(8).first == UInt8(ascii: "{") {
                throw UserError(
                    "\(path): the safetensors header is truncated", expected: "\(length) bytes after its length",
                    found: "\(total - 8) bytes", remedy: Self.again)
            }
            throw UserError(
                "\(path): this is not a safetensors file",
                expected: "a header of at most \(min(total - 8, Safetensors.maximumHeaderLength)) bytes",
                found: "a header length of \(stated)")
        }
        let json = UnsafeRawBufferPointer(start: storage.base + 8, count: length)
        let raw = try Self.parse(json, path: path)
        dataStart = 8 + length
        metadata = raw.metadata
        entries = try Self.check(raw.tensors, available: total - dataStart, path: path)
    }

    private static let again = "copy or download the file again"

    // MARK: JSON

    /// One tensor as the header states it, unchecked.
    private struct RawEntry: Decodable {
        var dtype: String
        var shape: [Int]
        var data_offsets: [Int]
    }

    private struct RawHeader: Decodable {
        var metadata: [String: String] = [:]
        var tensors: [(name: String, entry: RawEntry)] = []

        struct Key: CodingKey {
            var stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            for key in container.allKeys {
                if key.stringValue == "__metadata__" {
                    metadata = try container.decodeIfPresent([String: String].self, forKey: key) ?? [:]
                } else {
                    tensors.append((key.stringValue, try container.decode(RawEntry.self, forKey: key)))
                }
            }
        }
    }

    private static func parse(_ json: UnsafeRawBufferPointer, path: String) throws -> RawHeader {
        guard json.first == UInt8(ascii: "{") else {
            throw UserError(
                "\(path): the safetensors header does not begin with {",
                found: json.first.map { "the byte \($0)" } ?? "an empty header",
                remedy: "check that this is a safetensors file")
        }
        // Control characters are not JSON; without them Foundation cannot take the bytes for UTF-16 either.
        let isText = json.allSatisfy { $0 >= 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
        guard isText, String(validating: json, as: UTF8.self) != nil else {
            throw UserError("\(path): the safetensors header is not UTF-8 text", remedy: again)
        }
        let header: RawHeader
        do {
            header = try JSONDecoder().decode(RawHeader.self, from: Data(json))
        } catch let error as DecodingError {
            throw UserError("\(path): the safetensors header: \(JSONFile.describe(error))", remedy: again)
        }
        // Foundation keeps one of two equal keys without a word.
        if let key = JSONDuplicates.first(in: json) {
            throw UserError("\(path): the safetensors header holds the key \(key) twice")
        }
        return header
    }

    // MARK: Offsets

    /// The checks of the reference reader: in the order of their offsets, tensors follow each other without hole or
    /// overlap from the first byte to the last, and each has the bytes that its shape and type ask for.
    private static func check(
        _ raw: [(name: String, entry: RawEntry)], available: Int, path: String
    ) throws -> [Entry] {
        for (name, entry) in raw {
            guard entry.data_offsets.count == 2 else {
                throw UserError(
                    "\(path): \(name): data_offsets", expected: "two numbers", found: "\(entry.data_offsets)")
            }
        }
        let ordered = raw.sorted {
            ($0.entry.data_offsets[0], $0.entry.data_offsets[1], $0.name)
                < ($1.entry.data_offsets[0], $1.entry.data_offsets[1], $1.name)
        }
        var entries: [Entry] = []
        entries.reserveCapacity(raw.count)
        var position = 0
        for (name, entry) in ordered {
            let (begin, end) = (entry.data_offsets[0], entry.data_offsets[1])
            guard begin == position, end >= begin else {
                throw UserError(
                    "\(path): \(name): the bytes of the tensors overlap or leave a hole",
                    expected: "data_offsets that begin at \(position)", found: "[\(begin), \(end)]")
            }
            guard let dtype = DType(rawValue: entry.dtype) else {
                throw UserError(
                    "\(path): \(name): the type \(entry.dtype) cannot be read",
                    expected: DType.allCases.map(\.rawValue).joined(separator: ", "))
            }
            var byteCount = dtype.size
            for dimension in entry.shape {
                let (product, overflow) = byteCount.multipliedReportingOverflow(by: dimension)
                guard dimension >= 0, !overflow else {
                    throw UserError("\(path): \(name): the shape is not possible", found: "\(entry.shape)")
                }
                byteCount = product
            }
            guard byteCount == end - begin else {
                throw UserError(
                    "\(path): \(name): the bytes do not fit the shape",
                    expected: "\(byteCount) bytes for \(entry.shape) of \(entry.dtype)", found: "\(end - begin) bytes")
            }
            guard end <= available else {
                throw UserError(
                    "\(path): the file is truncated: \(name) passes its end",
                    expected: "at least \(end) bytes after the header", found: "\(available) bytes", remedy: again)
            }
            entries.append(Entry(name: name, dtype: dtype, shape: Shape(entry.shape), range: begin..<end))
            position = end
        }
        guard position == available else {
            throw UserError(
                "\(path): the tensors do not fill the file", expected: "\(position) bytes after the header",
                found: "\(available) bytes", remedy: again)
        }
        return entries
    }
}
