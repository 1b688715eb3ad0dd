import Foundation

extension WeightReport {
    private static let pretrainedColor = Color(hex: 0x9EBBD4)

    // MARK: - Histograms

    /// Figure 4 of arXiv 2210.08823: how the values of all layers of all blocks lie, weights and biases. Up to two models
    /// stand side by side with weights above and biases below, as in the paper; more stand below one another.
    public func figure() -> Figure {
        let parts = WeightPart.allCases.filter { part in models.contains { $0.change("all", part) != nil } }
        let isAbreast = models.count <= 2
        func panel(_ model: Model, _ part: WeightPart) -> Panel? {
            let isFirst = isAbreast ? model.name == models[0].name : part == parts[0]
            let title = isAbreast ? (part == parts[0] ? model.name : nil) : "\(model.name), \(part.plural)"
            return model.change("all", part).map { self.panel($0, title: title, isFirst: isFirst) }
        }
        let rows =
            isAbreast
            ? parts.map { part in models.compactMap { panel($0, part) } }
            : models.map { model in parts.compactMap { panel(model, $0) } }
        return Figure(
            title: "Weights and biases before and after tuning",
            width: isAbreast && models.count == 1 ? 300 : 440, height: 64 + 160 * Double(rows.count), panels: rows,
            hasSharedLegend: true,
            caption: "All linear layers of all blocks. W1: first Wasserstein distance, in standard deviations of the "
                + "pre-trained values. Moved: values that moved by more than \(Self.digits(settings.threshold)) "
                + "standard deviations.")
    }

    /// The same for each layer over all blocks: weights above and biases below, a column for each layer, with all models
    /// in one panel.
    public func layerFigure() -> Figure {
        var layers: [String] = []
        for change in models.first?.changes ?? [] where !change.scope.name.hasPrefix("blocks.") {
            if change.scope.name != "all", !layers.contains(change.scope.name) { layers.append(change.scope.name) }
        }
        let rows = WeightPart.allCases.map { part in
            layers.map { layer -> Panel in
                let changes = models.compactMap { model in model.change(layer, part).map { (model, $0) } }
                var marks: [any Mark] = []
                if let (_, first) = changes.first {
                    marks.append(
                        histogram(first.pretrainedHistogram, first, color: Self.pretrainedColor, name: "pre-trained"))
                }
                // What was named first lies on top.
                for (model, change) in changes.reversed() {
                    marks.append(
                        histogram(
                            change.histogram, change, color: color(model), style: .outline, name: model.name))
                }
                return Panel(
                    title: part == .weight ? layer : nil,
                    x: Axis(
                        part == .weight ? "weight" : "bias",
                        range: changes.first.map { $0.1.bins.lower...$0.1.bins.upper }),
                    y: densityAxis(changes.map(\.1), title: layer == layers[0] ? "density" : ""), marks: marks,
                    legend: .none)
            }
        }
        return Figure(
            title: "Weights and biases of each layer, over all blocks", width: 40 + 150 * Double(max(layers.count, 1)),
            height: 380, panels: rows, hasSharedLegend: true)
    }

    private func panel(_ change: WeightChange, title: String?, isFirst: Bool) -> Panel {
        let distance = change.relativeWasserstein.map { "W1 \(Self.digits($0))" } ?? "W1 undefined"
        return Panel(
            title: title,
            x: Axis(change.scope.part == .weight ? "weight" : "bias", range: change.bins.lower...change.bins.upper),
            y: densityAxis([change], title: isFirst ? "density" : ""),
            marks: [
                histogram(change.pretrainedHistogram, change, color: Self.pretrainedColor, name: "pre-trained"),
                histogram(change.histogram, change, color: Palette.vermilion, style: .outline, name: "tuned"),
            ], legend: .none,
            caption: "\(distance)   KL \(Self.digits(change.divergence))   moved "
                + Self.percent(change.changedNoticeably))
    }

    private func histogram(
        _ counts: [Int], _ change: WeightChange, color: Color, style: Bars.Style = .joined, name: String
    ) -> Bars {
        Bars(
            edges: change.bins.edges, heights: density(counts, change), color: color, style: style,
            lineWidth: 0.9, name: name)
    }

    private func density(_ counts: [Int], _ change: WeightChange) -> [Double] {
        let width = (change.bins.upper - change.bins.lower) / Double(change.bins.count)
        return counts.map { Double($0) / Double(change.count) / width }
    }

    private func densityAxis(_ changes: [WeightChange], title: String) -> Axis {
        let greatest = changes.flatMap { density($0.histogram, $0) + density($0.pretrainedHistogram, $0) }.max() ?? 1
        return Axis(title, range: 0...(1.06 * max(greatest, 1e-9)))
    }

    private func color(_ model: Model) -> Color {
        let others = Palette.colors.filter { $0 != Palette.yellow }
        // Vermilion first, as where a model stands alone.
        let order = [1, 0, 2, 3, 4, 5, 6]
        let index = models.firstIndex { $0.name == model.name } ?? 0
        return others[order[index % order.count]]
    }

    // MARK: - Maps

    /// How far the values of each layer of each block moved: a row for each model, weights and biases beside each other.
    ///
    /// Models move their weights by very different amounts: the colours are those of the logarithm, the same for all.
    public func distanceFigure() -> Figure {
        let depth = 1 + (models.flatMap(\.changes).flatMap(\.scope.sites).map(\.block).max() ?? 0)
        let parts = WeightPart.allCases.filter { part in models.contains { $0.change("all", part) != nil } }
        func values(_ model: Model, _ part: WeightPart) -> [Double] {
            siteLayers(part).flatMap { layer in
                (0..<depth).map { block in
                    let distance = model.change("blocks.\(block).\(layer)", part)?.relativeWasserstein ?? 0
                    return distance > 0 ? log10(distance) : .nan
                }
            }
        }
        let all = models.flatMap { model in parts.flatMap { values(model, $0) } }.filter(\.isFinite)
        let (least, greatest) = ((all.min() ?? -3).rounded(.down), (all.max() ?? 0).rounded(.up))
        let rows = models.map { model in
            parts.map { part in
                blockMap(
                    values(model, part), depth: depth, layers: siteLayers(part),
                    title: "\(model.name), \(part.plural)", barTitle: "log10 W1",
                    range: least...max(greatest, least + 1), isFirst: part == parts[0])
            }
        }
        return Figure(
            title: "How far values moved", width: 504, height: 44 + 110 * Double(rows.count), panels: rows,
            caption: "First Wasserstein distance (W1) between tuned and pre-trained values of a layer, in standard "
                + "deviations of the pre-trained ones. Grey: unchanged.")
    }

    /// |scale - 1| and |shift| of every site, a row for each SSF adapter; nil where there is none.
    public func modulationFigure() -> Figure? {
        let tuned = models.filter { !$0.modulation.isEmpty }
        guard !tuned.isEmpty else { return nil }
        let depth = 1 + (tuned.flatMap(\.modulation).compactMap(\.block).max() ?? 0)
        var layers = Modulation.layers
        for site in tuned.flatMap(\.modulation) where site.block != nil && !layers.contains(site.layer) {
            layers.append(site.layer)
        }
        let rows = tuned.map { model -> [Panel] in
            func panel(_ title: String, _ value: (Modulation) -> Double, isFirst: Bool) -> Panel {
                let values = layers.flatMap { layer in
                    (0..<depth).map { block in
                        model.modulation.first { $0.block == block && $0.layer == layer }.map(value) ?? .nan
                    }
                }
                return blockMap(
                    values, depth: depth, layers: layers,
                    title: (tuned.count > 1 ? "\(model.name): " : "") + title, barTitle: "mean",
                    range: 0...max(values.filter(\.isFinite).max() ?? 0, 1e-12), isFirst: isFirst)
            }
            return [
                panel("|scale \u{2212} 1|", \.meanScaleChange, isFirst: true),
                panel("|shift|", \.meanShift, isFirst: false),
            ]
        }
        let outside = tuned.flatMap { model in
            model.modulation.filter { $0.block == nil }.map { site in
                (tuned.count > 1 ? "\(model.name), " : "")
                    + "\(site.site): |scale \u{2212} 1| \(Self.digits(site.meanScaleChange)), "
                    + "|shift| \(Self.digits(site.meanShift))"
            }
        }
        return Figure(
            title: "Scale and shift of each site", width: 504, height: 54 + 135 * Double(rows.count), panels: rows,
            caption: "Means over the channels of a site."
                + (outside.isEmpty ? "" : " Outside of the blocks: " + outside.joined(separator: "; ") + "."))
    }

    /// - Parameter values: [layers, depth]
    private func blockMap(
        _ values: [Double], depth: Int, layers: [String], title: String, barTitle: String,
        range: ClosedRange<Double>, isFirst: Bool
    ) -> Panel {
        Panel(
            title: title, x: Axis("block", scale: .categories((0..<depth).map(String.init))),
            y: Axis(scale: .categories(layers), ticks: isFirst ? nil : [], isReversed: true),
            marks: [HeatMap(values, columns: depth, range: range, title: barTitle)], legend: .none)
    }

    private func siteLayers(_ part: WeightPart) -> [String] {
        var layers: [String] = []
        for change in models.first?.changes ?? []
        where change.scope.part == part && change.scope.name.hasPrefix("blocks.") {
            let layer = change.scope.sites[0].layer
            if !layers.contains(layer) { layers.append(layer) }
        }
        return layers
    }

    // MARK: - Numbers

    /// Two significant digits, readable: `0.023`, `1.4`, `3.1e-05`.
    static func digits(_ value: Double) -> String {
        if value == 0 { return "0" }
        return abs(value) >= 0.001 && abs(value) < 100 ? String(format: "%.2g", value) : String(format: "%.1e", value)
    }

    static func percent(_ part: Double) -> String {
        if part == 0 || part == 1 { return "\(Int(100 * part)) %" }
        return part < 0.001 || part > 0.999
            ? String(format: "%.2g %%", 100 * part) : String(format: "%.1f %%", 100 * part)
    }
}
