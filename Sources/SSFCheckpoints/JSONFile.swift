import Foundation
import SSFTensors

/// Reading and writing of configuration files.
enum JSONFile {
    /// The object that a file holds.
    ///
    /// - Throws: A `UserError` that names the file.
    static func object(_ path: String) throws -> [String: JSONValue] {
        let value = try decode(JSONValue.self, from: path)
        guard let object = value.object else {
            throw UserError(
                "\(path): the file holds no JSON object", expected: "{ ... }", found: String(value.text.prefix(60)))
        }
        return object
    }

    /// The value that a file holds.
    ///
    /// - Throws: A `UserError` that names the file and, where the JSON is sound, the field.
    static func decode<Value: Decodable>(_ type: Value.Type, from path: String) throws -> Value {
        let data = try readSmallFile(path)
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch let error as DecodingError {
            throw UserError("\(path): \(describe(error))")
        }
    }

    /// The bytes of a value, keys sorted, indented, with a newline at the end.
    static func data(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return try encoder.encode(value) + Data("\n".utf8)
    }

    static func describe(_ error: DecodingError) -> String {
        func field(_ context: DecodingError.Context) -> String {
            context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
        }
        switch error {
        case .keyNotFound(let key, let context):
            let outer = field(context)
            return "the field \(outer.isEmpty ? "" : outer + ".")\(key.stringValue) is missing"
        case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
            return "the field \(field(context)) does not hold a value of type \(type)"
        case .dataCorrupted(let context):
            let name = field(context)
            return name.isEmpty ? "this is not valid JSON" : "the field \(name) is not valid"
        @unknown default:
            return "this is not valid JSON"
        }
    }
}
