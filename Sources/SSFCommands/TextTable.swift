/// Rows of text in columns that line up: words to the left, numbers to the right.
public struct TextTable {
    private let header: [String]
    private var rows: [[String]] = []

    public init(_ header: [String]) {
        self.header = header
    }

    /// - Precondition: the row has as many cells as the header.
    public mutating func add(_ row: [String]) {
        precondition(row.count == header.count, "a row of \(row.count) cells under \(header.count) headings")
        rows.append(row)
    }

    /// The lines, each indented by `indent` spaces.
    public func lines(indent: Int = 2) -> [String] {
        let all = [header] + rows
        let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        let isNumeric = header.indices.map { column in
            !rows.isEmpty
                && rows.allSatisfy { row in
                    // `-` stands where there is no number.
                    row[column] == "-" || row[column].drop { $0 == "+" }.first?.isNumber ?? true
                }
        }
        return all.map { row in
            let cells = row.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - row[column].count)
                return isNumeric[column] ? padding + row[column] : row[column] + padding
            }
            var line = String(repeating: " ", count: indent) + cells.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }
    }
}
