import SSFTensors

/// Resolves settings in one direction: command line over YAML file over the run that is resumed over defaults; and
/// remembers what it resolved and from where.
public final class SettingResolver {
    /// Who decided a setting.
    public enum Origin: String, Sendable, Comparable, CaseIterable {
        case flag
        case file
        case resumed
        case `default`

        /// The one that wins comes first.
        public static func < (a: Origin, b: Origin) -> Bool {
            allCases.firstIndex(of: a)! < allCases.firstIndex(of: b)!
        }
    }

    public struct Resolved: Sendable {
        public var key: String
        /// The value as YAML; nil when nobody set it and it has no default.
        public var yaml: String?
        public var origin: Origin
    }

    private let file: SettingsFile?
    private let resumed: SettingsFile?
    /// In the order in which they were resolved.
    public private(set) var resolved: [Resolved] = []

    public init(file: SettingsFile?, resumed: SettingsFile? = nil) {
        self.file = file
        self.resumed = resumed
    }

    /// A setting that need not have a value.
    public func optional<Value: SettingValue>(_ key: String, flag: Value?) throws -> Value? {
        let found = try find(key, flag: flag)
        resolved.append(Resolved(key: key, yaml: found?.value.yaml, origin: found?.origin ?? .default))
        return found?.value
    }

    /// A setting with a default.
    public func value<Value: SettingValue>(_ key: String, flag: Value?, default: Value) throws -> Value {
        let (value, origin) = try find(key, flag: flag) ?? (`default`, .default)
        resolved.append(Resolved(key: key, yaml: value.yaml, origin: origin))
        return value
    }

    /// A setting with one of a few values.
    public func choice<Value: RawRepresentable & CaseIterable>(
        _ key: String, flag: String?, default: Value
    ) throws -> Value where Value.RawValue == String {
        let name = try value(key, flag: flag, default: `default`.rawValue)
        if let value = Value(rawValue: name) { return value }
        let names = Value.allCases.map(\.rawValue)
        throw UserError(
            "`\(key)` cannot be `\(name)`", expected: names.joined(separator: ", "),
            remedy: Suggestion.nearest(to: name, among: names).map { "did you mean `\($0)`?" })
    }

    /// A setting that must have a value.
    public func required<Value: SettingValue>(_ key: String, flag: Value?, remedy: String) throws -> Value {
        if let value = try optional(key, flag: flag) { return value }
        throw UserError("--\(key) is missing", expected: Value.expectation, remedy: remedy)
    }

    /// Whether the command line or the file states a key.
    func isStated(_ key: String, isFlagged: Bool) -> Bool { isFlagged || file?.entries[key] != nil }

    /// Who states a key; nil where nobody does.
    func origin(of key: String, isFlagged: Bool) -> Origin? {
        if isFlagged { return .flag }
        if file?.entries[key] != nil { return .file }
        return resumed?.entries[key] == nil ? nil : .resumed
    }

    /// Records that a key has no value in this run, whoever states one.
    func leaveUnset(_ key: String) {
        resolved.append(Resolved(key: key, yaml: nil, origin: .default))
    }

    private func find<Value: SettingValue>(
        _ key: String, flag: Value?
    ) throws -> (value: Value, origin: Origin)? {
        if let flag { return (flag, .flag) }
        if let value = try file?.value(key, as: Value.self) { return (value, .file) }
        if let value = try resumed?.value(key, as: Value.self) { return (value, .resumed) }
        return nil
    }

    /// Everything that was resolved as a YAML file that `--config` reads again; the origin stands behind each value.
    public var document: String {
        resolved.map { "\($0.key): \($0.yaml ?? "null")  # \($0.origin.rawValue)\n" }.joined()
    }
}
