import Foundation

extension SimilarityReport {
    /// The curves, a row for each model, measure and block, with a heading; six digits behind the point, empty where
    /// there is no number.
    package func csv() -> String {
        var lines = ["measure,model,role,block,similarity"]
        for curve in curves {
            let role = models.first { $0.name == curve.model }!.role
            for (block, value) in curve.values.enumerated() {
                lines.append(
                    "\(curve.measure.rawValue),\(Self.field(curve.model)),\(role.rawValue),\(block + 1),\(Self.text(value))"
                )
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The maps, a row for each pair of blocks.
    package func layerCSV() -> String {
        var lines = ["measure,model,reference_block,block,similarity"]
        for map in maps {
            for (i, row) in map.values.enumerated() {
                for (j, value) in row.enumerated() {
                    lines.append(
                        "\(map.measure.rawValue),\(Self.field(map.model)),\(i + 1),\(j + 1),\(Self.text(value))")
                }
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func text(_ value: Double?) -> String { value.map { String(format: "%.6f", $0) } ?? "" }

    /// A name may hold what parts fields.
    private static func field(_ name: String) -> String {
        guard name.contains(where: { ",\"\n".contains($0) }) else { return name }
        return "\"\(name.replacingOccurrences(of: "\"", with: "\"\""))\""
    }
}
