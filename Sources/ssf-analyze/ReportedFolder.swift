import Foundation
import SSFAnalysis
import SSFTensors

/// The folder that a report is about, and what can be read in it.
final class ReportedFolder {
    enum Kind {
        case run, comparison
    }

    let path: String
    let kind: Kind
    /// Files that were there and could not be used.
    private(set) var notes: [String] = []

    /// - Throws: `UserError` where it is neither the folder of a run nor that of a comparison.
    init(_ given: String) throws {
        let path = given.count > 1 && given.hasSuffix("/") ? String(given.dropLast()) : given
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
            throw UserError("\(given): there is no such folder", expected: "the folder of a run or of a comparison")
        }
        func holds(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path + "/" + name) }
        self.path = path
        if holds("trials.csv") || holds("comparison.json") {
            kind = .comparison
        } else if holds("args.yaml") {
            kind = .run
        } else {
            throw UserError(
                "\(given) is neither the folder of a run nor that of a comparison",
                expected: "args.yaml of `ssf train`, or trials.csv of `ssf compare`",
                remedy: "pass pictures alone with --figures, beside the run that they are about")
        }
    }

    /// The last parts of the path, as a title.
    var name: String { URL(fileURLWithPath: path).standardizedFileURL.lastPathComponent }

    func file(_ name: String) -> String { path + "/" + name }

    /// The bytes of a file; nil where there is none.
    func data(_ name: String) -> Data? {
        guard let data = FileManager.default.contents(atPath: file(name)) else { return nil }
        return data
    }

    /// A table of comma-separated values; nil where there is none.
    func table(_ name: String) -> CommaSeparated? {
        guard let data = data(name) else { return nil }
        if let table = CommaSeparated(String(decoding: data, as: UTF8.self)) { return table }
        notes.append("\(file(name)) is no table and was left out")
        return nil
    }

    /// A JSON file; nil where there is none, or one of another form.
    func json<Value: Decodable>(_ name: String, as type: Value.Type) -> Value? {
        guard let data = data(name) else { return nil }
        if let value = try? JSONDecoder().decode(type, from: data) { return value }
        notes.append("\(file(name)) has another form than is known and was left out")
        return nil
    }

    /// Settings as they were resolved: key, value, and who decided, from a file of lines `key: value  # origin`.
    func settings(_ name: String) -> [(key: String, value: String, origin: String)] {
        guard let data = data(name) else { return [] }
        return String(decoding: data, as: UTF8.self).split(separator: "\n").compactMap { line in
            guard let colon = line.firstRange(of: ": "), line.first != "#" else { return nil }
            let rest = line[colon.upperBound...]
            let mark = rest.ranges(of: "  # ").last
            let value = rest[..<(mark?.lowerBound ?? rest.endIndex)].trimmingCharacters(in: .whitespaces)
            return (String(line[..<colon.lowerBound]), value, mark.map { String(rest[$0.upperBound...]) } ?? "")
        }
    }
}
