/// A table of a report: words to the left, numbers to the right.
public struct HTMLTable: Sendable {
    public var header: [String]
    public var rows: [[String]]
    public var caption: String?

    public init(_ header: [String], rows: [[String]] = [], caption: String? = nil) {
        (self.header, self.rows, self.caption) = (header, rows, caption)
    }

    /// - Precondition: a row has as many cells as the header.
    public mutating func add(_ row: [String]) {
        precondition(row.count == header.count, "a row of \(row.count) cells under \(header.count) headings")
        rows.append(row)
    }

    public var html: HTML {
        let isNumeric = header.indices.map { column in
            !rows.isEmpty && rows.allSatisfy { $0[column].first.map { $0.isNumber || "-+".contains($0) } ?? true }
        }
        func cell(_ name: StaticString, _ text: String, _ column: Int) -> HTML {
            .element(name, isNumeric[column] ? [("class", "n")] : [], HTML(text))
        }
        let head = HTML(header.enumerated().map { cell("th", $1, $0) })
        let body = HTML(rows.map { row in .element("tr", HTML(row.enumerated().map { cell("td", $1, $0) })) })
        var parts: [HTML] = caption.map { [.element("caption", HTML($0))] } ?? []
        parts += [.element("thead", .element("tr", head)), .element("tbody", body)]
        return .element("div", [("class", "scroll")], .element("table", HTML(parts)))
    }
}
