/// A line that names a case, taken apart: an operation and its values, `gemm m=3152 n=3072 k=768 dtype=bf16`.
public struct Parameters {
    /// The first word.
    public let operation: String
    private var values: [String: String] = [:]

    /// - Throws: `CaseError` where the line has no operation, or a word that is not `name=value`.
    public init(_ line: String) throws {
        let words = line.split(separator: " ").map(String.init)
        guard let first = words.first else { throw CaseError("an empty line names no case") }
        operation = first
        for word in words.dropFirst() {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, !parts[0].isEmpty else { throw CaseError("\(word) is not of the form name=value") }
            guard values.updateValue(parts[1], forKey: parts[0]) == nil else { throw CaseError("\(parts[0]) twice") }
        }
    }

    /// Takes the positive integer `name`.
    ///
    /// - Throws: `CaseError` where it is absent or no positive integer.
    public mutating func count(_ name: String) throws -> Int {
        guard let text = values.removeValue(forKey: name) else { throw CaseError("\(operation) needs \(name)=NUMBER") }
        guard let value = Int(text), value > 0 else { throw CaseError("\(name)=\(text) is not a positive integer") }
        return value
    }

    /// The same; `standard` where it is absent.
    public mutating func count(_ name: String, _ standard: Int) throws -> Int {
        values[name] == nil ? standard : try count(name)
    }

    /// Takes the word `name`, one of the cases of `Choice`; `standard` where it is absent.
    ///
    /// - Throws: `CaseError` with what is possible, for any other word.
    public mutating func choice<Choice: RawRepresentable & CaseIterable>(_ name: String, _ standard: Choice) throws
        -> Choice where Choice.RawValue == String
    {
        guard let text = values.removeValue(forKey: name) else { return standard }
        guard let choice = Choice(rawValue: text) else {
            let possible = Choice.allCases.map(\.rawValue).joined(separator: "|")
            throw CaseError("\(name)=\(text): expected \(possible)")
        }
        return choice
    }

    /// Takes any word `name`; `standard` where it is absent.
    public mutating func word(_ name: String, _ standard: String) -> String {
        values.removeValue(forKey: name) ?? standard
    }

    /// Checks that everything was taken.
    ///
    /// - Throws: `CaseError` that names a parameter which nobody knows.
    public func finish() throws {
        guard let name = values.keys.min() else { return }
        throw CaseError("\(operation) has no parameter \(name)")
    }
}

/// A line that names no case, and why.
public struct CaseError: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
