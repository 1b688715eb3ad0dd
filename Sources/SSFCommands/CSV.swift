/// Rows of comma-separated values (RFC 4180), fields quoted where they must be.
public enum CSV {
    public static func row(_ fields: [String]) -> String {
        fields.map(field).joined(separator: ",")
    }

    private static func field(_ text: String) -> String {
        guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }

    /// The rows of a text, each with its fields.
    public static func rows(_ text: String) -> [[String]] {
        var rows: [[String]] = []
        var row: [String] = []
        var field = ""
        var isQuoted = false
        // A quotation mark within quotes: the end, or half of one.
        var isPending = false
        for character in text {
            if isQuoted {
                if character == "\"" { (isQuoted, isPending) = (false, true) } else { field.append(character) }
                continue
            }
            switch character {
            case "\"":
                if isPending { field.append(character) }
                isQuoted = true
            case ",":
                row.append(field)
                field = ""
            case _ where character.isNewline:
                rows.append(row + [field])
                (row, field) = ([], "")
            default: field.append(character)
            }
            isPending = false
        }
        if !field.isEmpty || !row.isEmpty { rows.append(row + [field]) }
        return rows
    }
}
