/// A mistake that the user of a program can mend: a file that is not there, a field that holds the wrong thing, an
/// option out of range.
///
/// It says what was wrong and where, what was expected, what was found and what to do; only the first is always there.
/// A mistake of the programmer is a `precondition`, never a `UserError`.
public struct UserError: Error, CustomStringConvertible, Sendable, Hashable {
    /// What is wrong and where: the file, field or option comes first.
    public var what: String
    /// What would have been right there.
    public var expected: String?
    /// What was there instead.
    public var found: String?
    /// What to do about it: a command, an option, a change to the file.
    public var remedy: String?

    /// - Parameters:
    ///   - what: What is wrong and where, without a full stop: `model.safetensors: the header is truncated`.
    ///   - expected: What would have been right.
    ///   - found: What was there instead.
    ///   - remedy: What to do about it.
    public init(_ what: String, expected: String? = nil, found: String? = nil, remedy: String? = nil) {
        self.what = what
        self.expected = expected
        self.found = found
        self.remedy = remedy
    }

    /// One line for each part that is there, the ones after the first indented:
    ///
    ///     head.weight: the shape does not fit the model
    ///       expected: [100, 768]
    ///       found:    [102, 768]
    ///       to mend:  pass --num-classes 102
    public var description: String {
        var lines = [what]
        if let expected { lines.append("  expected: " + Self.indented(expected)) }
        if let found { lines.append("  found:    " + Self.indented(found)) }
        if let remedy { lines.append("  to mend:  " + Self.indented(remedy)) }
        return lines.joined(separator: "\n")
    }

    /// Further lines of one part begin under its first.
    private static func indented(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\n            ")
    }
}
