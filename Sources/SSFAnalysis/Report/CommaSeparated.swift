/// A table of comma-separated values (RFC 4180) with a header: quoted fields may hold commas, quotes and line ends.
public struct CommaSeparated: Sendable, Equatable {
    public let header: [String]
    /// As wide as the header: shorter rows are filled up, what stands behind it is dropped.
    public let rows: [[String]]

    /// nil where there is no header.
    public init?(_ text: String) {
        var rows: [[String]] = []
        var row: [String] = []
        var field = ""
        var isQuoted = false
        var scalars = Substring(text).unicodeScalars
        func endRow() {
            row.append(field)
            field = ""
            // An empty line holds no row.
            if row != [""] { rows.append(row) }
            row = []
        }
        while let scalar = scalars.popFirst() {
            if isQuoted {
                if scalar != "\"" {
                    field.unicodeScalars.append(scalar)
                } else if scalars.first == "\"" {
                    field += "\""
                    scalars.removeFirst()
                } else {
                    isQuoted = false
                }
                continue
            }
            switch scalar {
            case "\"" where field.isEmpty: isQuoted = true
            case ",":
                row.append(field)
                field = ""
            case "\n": endRow()
            case "\r" where scalars.first == "\n" || scalars.isEmpty: break
            default: field.unicodeScalars.append(scalar)
            }
        }
        if !field.isEmpty || !row.isEmpty { endRow() }
        guard let first = rows.first else { return nil }
        header = first
        self.rows = rows.dropFirst().map { row in
            Array(row.prefix(first.count)) + Array(repeating: "", count: max(0, first.count - row.count))
        }
    }

    /// The fields of a column; nil where there is none of the name.
    public func column(_ name: String) -> [String]? {
        header.firstIndex(of: name).map { index in rows.map { $0[index] } }
    }
}
