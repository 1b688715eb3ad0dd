extension SimilarityReport {
    private var reference: Model { models[0] }

    /// Figure 5 of arXiv 2210.08823: the similarity of each block to the same block of the reference, a panel for each
    /// measure.
    package func figure() -> Figure {
        let panels = setting.measures.compactMap { measure -> Panel? in
            let lines = curves.filter { $0.measure == measure }.map(line)
            guard !lines.isEmpty else { return nil }
            return Panel(
                title: measure.title, x: Axis("block", range: 0.5...Double(reference.blocks) + 0.5, ticks: blockTicks),
                y: Axis("similarity to \(reference.name)"), marks: lines, legend: .none)
        }
        let rows = Self.rows(panels, of: 2)
        return Figure(
            title: "Similarity to \(reference.name), block by block", width: panels.count > 1 ? 648 : 432,
            height: 90 + 220 * Double(max(rows.count, 1)), panels: rows, hasSharedLegend: true,
            caption: caption(of: setting.measures))
    }

    /// Every block of each model against every block of the reference, in the first measure that can compare them.
    package func layerFigure() -> Figure? {
        guard let measure = setting.measures.first(where: \.isCKA) else { return nil }
        let shown = maps.filter { $0.measure == measure }
        guard !shown.isEmpty else { return nil }
        let values = shown.flatMap { $0.values.flatMap { $0.compactMap { $0 } } }
        // One scale for all of them.
        let range = min(0, values.min() ?? 0)...max(1, values.max() ?? 1)
        let panels = shown.map { map in
            Panel(
                title: map.model, x: Axis("block of \(map.model)", scale: .categories(Self.names(map.values[0].count))),
                y: Axis("block of \(reference.name)", scale: .categories(Self.names(map.values.count))),
                marks: [
                    HeatMap(
                        map.values.flatMap { $0.map { $0 ?? .nan } }, columns: map.values[0].count, range: range,
                        title: measure.title)
                ],
                legend: .none, aspect: Double(map.values[0].count) / Double(map.values.count))
        }
        let rows = Self.rows(panels, of: 3)
        return Figure(
            title: "All blocks against all blocks of \(reference.name)",
            width: 60 + 210 * Double(min(panels.count, 3)), height: 70 + 180 * Double(rows.count), panels: rows,
            caption: caption(of: [measure]))
    }

    /// Models that are compared in colours of their own; what stands above and below them without colour.
    private func line(_ curve: Curve) -> Line {
        let points = curve.values.enumerated().map { DataPoint(Double($0 + 1), $1 ?? .nan) }
        let role = models.first { $0.name == curve.model }!.role
        switch role {
        case .ceiling:
            return Line(points, color: .muted, width: 1.5, dash: [5, 2], name: "\(curve.model) (another seed)")
        case .floor:
            // Black dots show on a line that it covers: linear probing leaves the features as they were.
            return Line(points, color: .black, width: 1.5, dash: [1.5, 3], name: "\(curve.model) (not tuned)")
        case .reference, .compared:
            let series = models.filter { $0.role == .compared }.firstIndex { $0.name == curve.model } ?? 0
            return Line(points, color: Palette.color(series), shape: .series(series), name: curve.model)
        }
    }

    private var blockTicks: [Tick] {
        let step = (reference.blocks + 11) / 12
        return stride(from: step, through: reference.blocks, by: step).map { Tick(Double($0), "\($0)") }
    }

    private static func lastPart(_ path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }

    private static func names(_ blocks: Int) -> [String] { (1...blocks).map(String.init) }

    private static func rows(_ panels: [Panel], of columns: Int) -> [[Panel]] {
        stride(from: 0, to: panels.count, by: columns).map { Array(panels[$0..<min($0 + columns, panels.count)]) }
    }

    /// Which measure is drawn, of what, of which images.
    private func caption(of measures: [SimilarityMeasure]) -> String {
        let tokens =
            switch setting.tokens {
            case "class": "class tokens"
            case "mean": "means of the patch tokens"
            default: "all tokens"
            }
        return measures.map(\.title).joined(separator: "; ")
            + ", of \(tokens) after each block; \(setting.images) images "
            + "of \(Self.lastPart(setting.data)) (\(setting.split)), seed \(setting.seed), \(setting.precision)"
            + (measures.contains(.minibatchCKA) ? ", batches of \(setting.batchSize)" : "")
            + ". The SSF paper does not say which measure its Figure 5 draws."
    }
}
