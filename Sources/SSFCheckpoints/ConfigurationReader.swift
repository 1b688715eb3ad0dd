import SSFTensors

/// Typed access to one object of a configuration file. A field that is absent or null is `nil`; one that holds the
/// wrong thing is an error that names the file and the field.
struct ConfigurationReader {
    let file: String
    /// The path of the object in the file, with a dot at its end: empty, or `pretrained_cfg.`.
    var prefix = ""
    let object: [String: JSONValue]

    func value(_ key: String) -> JSONValue? {
        guard let value = object[key], value != .null else { return nil }
        return value
    }

    func string(_ key: String) throws -> String? {
        try field(key, "a string") { $0.string }
    }

    func bool(_ key: String) throws -> Bool? {
        try field(key, "true or false") { $0.bool }
    }

    func number(_ key: String) throws -> Double? {
        try field(key, "a number") { $0.number }
    }

    /// A whole number that is not negative.
    func count(_ key: String) throws -> Int? {
        try field(key, "a whole number, 0 or more") { value in value.integer.flatMap { $0 >= 0 ? $0 : nil } }
    }

    /// A positive whole number for both sides, or one for each: height, width.
    func pair(_ key: String) throws -> [Int]? {
        try field(key, "a positive whole number, or two of them") { value in
            let sides = value.integer.map { [$0, $0] } ?? value.array.map { $0.compactMap(\.integer) }
            guard let sides, sides.count == 2, value.array?.count ?? 2 == 2, sides.allSatisfy({ $0 > 0 }) else {
                return nil
            }
            return sides
        }
    }

    /// One number for each channel, or one for all three.
    func channels(_ key: String) throws -> [Float]? {
        try field(key, "a list of numbers") { value in
            if let number = value.number { return [Float](repeating: Float(number), count: 3) }
            guard let list = value.array, !list.isEmpty else { return nil }
            let numbers = list.compactMap { $0.number.map(Float.init) }
            return numbers.count == list.count ? numbers : nil
        }
    }

    func object(_ key: String) throws -> ConfigurationReader? {
        try field(key, "an object") { $0.object }.map {
            ConfigurationReader(file: file, prefix: prefix + key + ".", object: $0)
        }
    }

    /// Throws the error of a field that holds the wrong thing.
    func refuse(_ key: String, expected: String) throws -> Never {
        throw UserError(
            "\(file): \(prefix)\(key)", expected: expected,
            found: object[key].map { String($0.text.prefix(80)) } ?? "nothing")
    }

    func field<Value>(_ key: String, _ expected: String, _ read: (JSONValue) -> Value?) throws -> Value? {
        guard let value = value(key) else { return nil }
        guard let result = read(value) else { try refuse(key, expected: expected) }
        return result
    }
}
