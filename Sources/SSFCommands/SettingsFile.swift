import Foundation
import SSFTensors
import Yams

/// The settings of one YAML file, as timm users write them: a flat mapping, keys with `-` or `_`.
public struct SettingsFile {
    public let path: String
    /// By canonical key, with the spelling that the file used.
    public let entries: [String: (written: String, value: Node, line: Int?)]

    /// Keys that name the same setting as another.
    public static let aliases = ["data-dir": "data", "tuning-mode": "method", "b": "batch-size"]

    /// Reads a file.
    ///
    /// - Parameter known: every key there is.
    /// - Throws: `UserError` that names the file and, for a key that is not known, its line and the key that was
    ///   probably meant.
    public init(path: String, known: some Collection<String>) throws {
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw UserError(
                "\(path) cannot be read", expected: "a YAML file in UTF-8", remedy: "check the path given to --config")
        }
        try self.init(text: text, path: path, known: known)
    }

    /// Reads the text of a file; `path` is for its errors.
    public init(text: String, path: String, known: some Collection<String>) throws {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw UserError("\(path) is not valid YAML", expected: "lines such as `lr: 0.005`", found: "\(error)")
        }
        self.path = path
        guard let root, root != Node("") else {
            entries = [:]
            return
        }
        guard let mapping = root.mapping else {
            throw UserError("\(path) does not hold settings", expected: "lines such as `lr: 0.005`")
        }
        var entries: [String: (written: String, value: Node, line: Int?)] = [:]
        for (key, value) in mapping {
            let written = key.scalar?.string ?? "?"
            let dashed = written.replacing("_", with: "-")
            let canonical = Self.aliases[dashed] ?? dashed
            let place = key.mark.map { "\(path), line \($0.line)" } ?? path
            guard known.contains(canonical) else {
                let near = Suggestion.nearest(to: canonical, among: known)
                throw UserError(
                    "\(place): there is no setting `\(written)`",
                    remedy: near.map { "did you mean `\($0)`?" } ?? "`ssf train --help` lists them all")
            }
            guard entries[canonical] == nil else {
                throw UserError("\(place): `\(written)` is set twice")
            }
            // `key:` with nothing behind it means the default, as `null` does.
            if value.null == nil { entries[canonical] = (written, value, key.mark?.line) }
        }
        self.entries = entries
    }

    private init(path: String, entries: [String: (written: String, value: Node, line: Int?)]) {
        (self.path, self.entries) = (path, entries)
    }

    /// The settings with these keys.
    func keeping(_ keys: some Collection<String>) -> SettingsFile {
        SettingsFile(path: path, entries: entries.filter { keys.contains($0.key) })
    }

    /// The settings as YAML, a line for each, sorted.
    func document() throws -> String {
        try entries.sorted { $0.key < $1.key }
            .map { try Yams.serialize(node: Node.mapping(.init([(Node($0.key), $0.value.value)]))) }.joined()
    }

    /// The value of a key, if the file sets it.
    ///
    /// - Throws: `UserError` when the file holds something else than such a value.
    public func value<Value: SettingValue>(_ key: String, as type: Value.Type) throws -> Value? {
        guard let entry = entries[key] else { return nil }
        if let value = Value(yaml: entry.value) { return value }
        let place = entry.line.map { "\(path), line \($0)" } ?? path
        throw UserError(
            "\(place): `\(entry.written)` has the wrong kind of value", expected: Value.expectation,
            found: entry.value.scalar?.string ?? "a list or mapping")
    }
}
