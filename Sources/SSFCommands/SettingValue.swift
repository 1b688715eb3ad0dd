import Foundation
import Yams

/// A type that a setting can have in a YAML file.
public protocol SettingValue {
    /// What a person should write: `a whole number`.
    static var expectation: String { get }
    /// The value of a node, or nil if the node holds something else.
    init?(yaml: Node)
    /// The value as YAML in one line; reading it gives the same value back.
    var yaml: String { get }
}

extension Int: SettingValue {
    public static var expectation: String { "a whole number" }
    public init?(yaml: Node) {
        guard let value = yaml.int else { return nil }
        self = value
    }
    public var yaml: String { String(self) }
}

extension Double: SettingValue {
    public static var expectation: String { "a number" }
    /// Also takes `5e-5`, which YAML 1.1 reads as text.
    public init?(yaml: Node) {
        guard let value = yaml.float ?? yaml.string.flatMap(Double.init) else { return nil }
        self = value
    }
    public var yaml: String { String(self) }
}

extension Bool: SettingValue {
    public static var expectation: String { "true or false" }
    public init?(yaml: Node) {
        guard let value = yaml.bool else { return nil }
        self = value
    }
    public var yaml: String { String(self) }
}

extension String: SettingValue {
    public static var expectation: String { "text" }
    public init?(yaml: Node) {
        guard let value = yaml.scalar?.string else { return nil }
        self = value
    }
    /// Always quoted, so that `1e3` and `no` stay text.
    public var yaml: String {
        let escaped = unicodeScalars.reduce(into: "") { text, scalar in
            switch scalar {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            case "\t": text += "\\t"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return "\"" + escaped + "\""
    }
}

extension Array: SettingValue where Element: SettingValue {
    public static var expectation: String { "a list, each \(Element.expectation)" }
    public init?(yaml: Node) {
        guard let sequence = yaml.sequence else { return nil }
        var values: [Element] = []
        for node in sequence {
            guard let value = Element(yaml: node) else { return nil }
            values.append(value)
        }
        self = values
    }
    public var yaml: String { "[" + map(\.yaml).joined(separator: ", ") + "]" }
}
