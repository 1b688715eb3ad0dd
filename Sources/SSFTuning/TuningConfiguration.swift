import SSFCheckpoints
import SSFTensors

/// A method and its settings, as a configuration file or an adapter folder states them.
public struct TuningConfiguration: Sendable, Hashable, Codable {
    public var method: String
    /// By the keys that the method declares; what is left out has the method's default.
    public var options: [String: JSONValue]

    public init(method: String, options: [String: JSONValue] = [:]) {
        self.method = method
        self.options = options
    }
}

/// One setting of a method: its name on the command line and in files, what it may be, and its default.
public struct TuningOption: Sendable {
    public enum Kind: Sendable, Equatable {
        /// A whole number.
        case count(ClosedRange<Int>)
        case number(ClosedRange<Double>)
        /// One of these words.
        case choice([String])
        /// Any of these words; in text, separated by commas.
        case choices([String])
        /// Any words; in text, separated by commas.
        case words
        case flag
    }

    public let key: String
    public let kind: Kind
    /// `.null` where leaving it out means something of its own.
    public let standard: JSONValue
    /// One line for help.
    public let help: String

    public init(_ key: String, _ kind: Kind, standard: JSONValue = .null, help: String) {
        self.key = key
        self.kind = kind
        self.standard = standard
        self.help = help
    }

    /// What may be given, in words.
    public var expectation: String {
        switch kind {
        case .count(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .number(let range): "a number from \(range.lowerBound) to \(range.upperBound)"
        case .choice(let words): words.joined(separator: ", ")
        case .choices(let words): "any of \(words.joined(separator: ", ")), separated by commas"
        case .words: "names, separated by commas"
        case .flag: "true or false"
        }
    }

    /// The value in its standard form: whole numbers whole, lists as arrays.
    ///
    /// - Throws: `UserError` with what was expected, and the nearest word where there is a choice.
    func checked(_ value: JSONValue, method: String) throws -> JSONValue {
        func refuse(_ found: String, near: String? = nil) -> UserError {
            UserError(
                "`\(key)` of \(method) cannot be `\(found)`", expected: expectation, found: found,
                remedy: near.map { "did you mean `\($0)`?" })
        }
        switch kind {
        case .count(let range):
            guard let count = value.integer, range.contains(count) else { throw refuse(value.text) }
            return .integer(count)
        case .number(let range):
            guard let number = value.number, range.contains(number) else { throw refuse(value.text) }
            return .number(number)
        case .flag:
            guard value.bool != nil else { throw refuse(value.text) }
            return value
        case .choice(let words):
            guard let word = value.string else { throw refuse(value.text) }
            guard words.contains(word) else { throw refuse(word, near: NearestName.of(word, among: words)) }
            return value
        case .choices, .words:
            let parts = try value.array ?? value.string.map { [.string($0)] } ?? { throw refuse(value.text) }()
            var words: [String] = []
            for part in parts {
                guard let text = part.string else { throw refuse(value.text) }
                words += text.split(separator: ",").map { $0.trimmingPrefix { $0 == " " } }.map(String.init)
            }
            if case .choices(let known) = kind, let unknown = words.first(where: { !known.contains($0) }) {
                throw refuse(unknown, near: NearestName.of(unknown, among: known))
            }
            return .array(words.map(JSONValue.string))
        }
    }
}

/// The settings of a method, complete and checked.
public struct TuningOptions: Sendable {
    /// Every option that has a value, given or standard.
    public let values: [String: JSONValue]

    /// - Throws: `UserError` for a key that the method does not have, with the nearest one, and for a value that it
    ///   cannot have.
    public init(_ given: [String: JSONValue], of method: any TuningMethod.Type) throws {
        let declared = method.options
        if let unknown = given.keys.sorted().first(where: { key in !declared.contains { $0.key == key } }) {
            let near = NearestName.of(unknown, among: declared.map(\.key))
            throw UserError(
                "\(method.name) has no option `\(unknown)`",
                expected: declared.isEmpty ? "no option" : declared.map(\.key).joined(separator: ", "),
                remedy: near.map { "did you mean `\($0)`?" } ?? "leave it out")
        }
        var values: [String: JSONValue] = [:]
        for option in declared {
            let value = given[option.key] ?? option.standard
            if value != .null { values[option.key] = try option.checked(value, method: method.name) }
        }
        self.values = values
    }

    /// The value of an option that has one.
    func count(_ key: String) -> Int { values[key]!.integer! }
    func number(_ key: String) -> Double { values[key]!.number! }
    func choice(_ key: String) -> String { values[key]!.string! }
    func flag(_ key: String) -> Bool { values[key]!.bool! }
    func words(_ key: String) -> [String] { (values[key]?.array ?? []).compactMap(\.string) }
    /// The value of an option that may have none.
    func optionalCount(_ key: String) -> Int? { values[key]?.integer }
    func optionalNumber(_ key: String) -> Double? { values[key]?.number }
    func optionalChoice(_ key: String) -> String? { values[key]?.string }
}
