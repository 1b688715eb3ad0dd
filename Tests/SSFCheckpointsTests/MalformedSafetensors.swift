import Foundation
import Testing

/// A file that a reader must refuse, and a word that the error must hold.
struct MalformedSafetensors: CustomTestStringConvertible, Sendable {
    var name: String
    var bytes: Data
    var mentions: String

    var testDescription: String { name }

    init(_ name: String, _ bytes: Data, mentions: String) {
        self.name = name
        self.bytes = bytes
        self.mentions = mentions
    }

    /// A file with the header's true length.
    init(_ name: String, header: String, dataCount: Int = 0, mentions: String) {
        self.init(name, Self.file(header: header, data: [UInt8](repeating: 0, count: dataCount)), mentions: mentions)
    }

    static func file(length: UInt64? = nil, header: String, data: [UInt8]) -> Data {
        let length = length ?? UInt64(header.utf8.count)
        return withUnsafeBytes(of: length.littleEndian) { Data($0) } + Data(header.utf8) + Data(data)
    }

    private static func entry(_ shape: String, _ offsets: String, dtype: String = "F32") -> String {
        #"{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":\#(offsets)}"#
    }

    static let table: [MalformedSafetensors] = [
        // The length of the header.
        .init("empty file", Data(), mentions: "too short"),
        .init("seven bytes", Data(count: 7), mentions: "too short"),
        .init("length zero", Data(count: 8), mentions: "begin with {"),
        .init("length beyond the file", file(length: 3, header: "{}", data: []), mentions: "truncated"),
        .init("length at the limit", file(length: 100_000_000, header: "{}", data: []), mentions: "truncated"),
        .init(
            "length beyond the limit", file(length: 100_000_001, header: "{}", data: []),
            mentions: "not a safetensors file"),
        .init("length of all ones", file(length: .max, header: "{}", data: []), mentions: "not a safetensors file"),
        .init(
            "length with the sign bit", file(length: 1 << 63, header: "{}", data: []),
            mentions: "not a safetensors file"),
        .init("a zip archive", Data("PK\u{3}\u{4}".utf8) + Data(count: 100), mentions: "not a safetensors file"),
        .init(
            "a pointer of Git LFS",
            Data("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n".utf8),
            mentions: "git lfs pull"),
        // The header's text.
        .init("no brace first", header: " {}", mentions: "begin with {"),
        .init("an array", header: "[]", mentions: "begin with {"),
        .init("unclosed", header: "{", mentions: "valid JSON"),
        .init("trailing text", header: "{} x", mentions: "valid JSON"),
        .init("not UTF-8", Data([2, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0xFF]), mentions: "UTF-8"),
        .init("UTF-16", Data([4, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0, 0x7D, 0]), mentions: "UTF-8"),
        .init("deep nesting", header: #"{"a":"# + String(repeating: "[", count: 100_000), mentions: "JSON"),
        .init("metadata of numbers", header: #"{"__metadata__":{"a":1}}"#, mentions: "__metadata__"),
        .init("entry is no object", header: #"{"a":1}"#, mentions: "a"),
        .init("no dtype", header: #"{"a":{"shape":[],"data_offsets":[0,0]}}"#, mentions: "dtype"),
        .init("no shape", header: #"{"a":{"dtype":"U8","data_offsets":[0,0]}}"#, mentions: "shape"),
        .init("no offsets", header: #"{"a":{"dtype":"U8","shape":[0]}}"#, mentions: "data_offsets"),
        .init("fractional shape", header: #"{"a":\#(entry("[1.5]", "[0,6]"))}"#, dataCount: 6, mentions: "JSON"),
        .init(
            "shape beyond 64 bits", header: #"{"a":\#(entry("[99999999999999999999]", "[0,4]"))}"#, dataCount: 4,
            mentions: "JSON"),
        // Keys twice.
        .init(
            "tensor twice", header: #"{"a":\#(entry("[1]", "[0,4]")),"a":\#(entry("[1]", "[0,4]"))}"#, dataCount: 4,
            mentions: "key a twice"),
        .init(
            "tensor twice, spelt otherwise",
            header: #"{"a":\#(entry("[1]", "[0,4]")),"\u0061":\#(entry("[1]", "[0,4]"))}"#, dataCount: 4,
            mentions: "key a twice"),
        .init(
            "field twice", header: #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"shape":[1]}}"#, dataCount: 4,
            mentions: "key shape twice"),
        .init("metadata twice", header: #"{"__metadata__":{},"__metadata__":{}}"#, mentions: "__metadata__ twice"),
        .init("metadata key twice", header: #"{"__metadata__":{"k":"1","k":"2"}}"#, mentions: "key k twice"),
        // Types and shapes.
        .init(
            "unknown type", header: #"{"w":\#(entry("[1]", "[0,4]", dtype: "F7"))}"#, dataCount: 4,
            mentions: "w: the type F7"),
        .init(
            "type in small letters", header: #"{"w":\#(entry("[1]", "[0,4]", dtype: "f32"))}"#, dataCount: 4,
            mentions: "f32"),
        .init(
            "type not read here", header: #"{"w":\#(entry("[4]", "[0,4]", dtype: "F8_E4M3"))}"#, dataCount: 4,
            mentions: "F8_E4M3"),
        .init("negative dimension", header: #"{"w":\#(entry("[-1]", "[0,0]"))}"#, mentions: "w: the shape"),
        .init(
            "two negative dimensions", header: #"{"w":\#(entry("[-1,-1]", "[0,4]"))}"#, dataCount: 4,
            mentions: "w: the shape"),
        .init(
            "product overflows", header: #"{"w":\#(entry("[4294967296,4294967296]", "[0,4]"))}"#, dataCount: 4,
            mentions: "w: the shape"),
        .init(
            "product overflows to zero", header: #"{"w":\#(entry("[4611686018427387904,4]", "[0,0]"))}"#,
            mentions: "w: the shape"),
        .init(
            "product overflows before a zero",
            header: #"{"w":\#(entry("[9223372036854775807,9223372036854775807,0]", "[0,0]"))}"#,
            mentions: "w: the shape"),
        .init(
            "too few bytes for the shape", header: #"{"w":\#(entry("[2]", "[0,4]"))}"#, dataCount: 4,
            mentions: "expected: 8 bytes"),
        .init(
            "too many bytes for the shape", header: #"{"w":\#(entry("[1]", "[0,8]"))}"#, dataCount: 8,
            mentions: "expected: 4 bytes"),
        // Offsets.
        .init("three offsets", header: #"{"w":\#(entry("[1]", "[0,4,8]"))}"#, dataCount: 8, mentions: "two numbers"),
        .init("one offset", header: #"{"w":\#(entry("[1]", "[0]"))}"#, dataCount: 4, mentions: "two numbers"),
        .init("negative offset", header: #"{"w":\#(entry("[1]", "[-4,0]"))}"#, dataCount: 4, mentions: "begin at 0"),
        .init("end before begin", header: #"{"w":\#(entry("[0]", "[0,-4]"))}"#, dataCount: 4, mentions: "w"),
        .init("hole at the front", header: #"{"w":\#(entry("[1]", "[4,8]"))}"#, dataCount: 8, mentions: "begin at 0"),
        .init(
            "hole between", header: #"{"a":\#(entry("[1]", "[0,4]")),"w":\#(entry("[1]", "[8,12]"))}"#, dataCount: 12,
            mentions: "begin at 4"),
        .init(
            "overlap", header: #"{"a":\#(entry("[2]", "[0,8]")),"w":\#(entry("[1]", "[4,8]"))}"#, dataCount: 8,
            mentions: "begin at 8"),
        .init(
            "same place twice", header: #"{"a":\#(entry("[1]", "[0,4]")),"w":\#(entry("[1]", "[0,4]"))}"#, dataCount: 4,
            mentions: "begin at 4"),
        .init(
            "largest offsets", header: #"{"w":\#(entry("[1]", "[0,9223372036854775807]"))}"#, dataCount: 4,
            mentions: "expected: 4 bytes"),
        // The length of the data.
        .init("truncated data", header: #"{"w":\#(entry("[2]", "[0,8]"))}"#, dataCount: 7, mentions: "truncated: w"),
        .init("no data", header: #"{"w":\#(entry("[2]", "[0,8]"))}"#, dataCount: 0, mentions: "truncated: w"),
        .init("bytes left over", header: #"{"w":\#(entry("[2]", "[0,8]"))}"#, dataCount: 9, mentions: "do not fill"),
    ]
}
