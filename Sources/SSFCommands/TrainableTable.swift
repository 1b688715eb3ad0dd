import SSFGraph

/// What trains, as a table: tensors that differ only by their block stand in one row.
enum TrainableTable {
    static func lines(_ layout: TrainableLayout) -> [String] {
        struct Row {
            var name: String
            var shape: String
            var tensors = 0
            var numbers = 0
            var decays: Bool
        }
        var rows: [Row] = []
        var positions: [String: Int] = [:]
        for entry in layout.entries {
            let parts = entry.name.split(separator: ".").map { $0.allSatisfy(\.isNumber) ? "*" : String($0) }
            let name = parts.joined(separator: ".")
            let key = "\(name) \(entry.shape) \(entry.decays)"
            let position = positions[key] ?? rows.count
            if position == rows.count {
                positions[key] = position
                rows.append(Row(name: name, shape: "\(entry.shape)", decays: entry.decays))
            }
            rows[position].tensors += 1
            rows[position].numbers += entry.range.count
        }
        var table = TextTable(["trainable", "shape", "tensors", "numbers", "decay"])
        for row in rows {
            table.add([
                row.name, row.shape, String(row.tensors), Formatting.grouped(row.numbers), row.decays ? "yes" : "no",
            ])
        }
        table.add(["total", "", String(layout.entries.count), Formatting.grouped(layout.count), ""])
        return table.lines()
    }
}
