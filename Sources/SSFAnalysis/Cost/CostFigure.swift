import Foundation

extension CostReport {
    /// Figure 3 of arXiv 2210.08823: training time, training memory, test time and test memory, a bar for each method.
    public func figure() -> Figure {
        let panels = [
            panel("Training time", "seconds a step", isNamed: true) { $0.training.median },
            panel("Training memory", "GB at the peak") { Double($0.training.peakBytes) / 1e9 },
            panel("Test time", "seconds a batch") { $0.test.median },
            panel("Test memory", "GB at the peak") { Double($0.test.peakBytes) / 1e9 },
        ]
        let rows = Double(methods.count)
        return Figure(
            title: "What tuning costs, and what is left of it at test", width: 756, height: 150 + 15 * rows,
            panels: [panels], hasSharedLegend: true, caption: caption)
    }

    /// - Parameter isNamed: whether the methods' names stand beside it; those of the first panel serve the others.
    private func panel(
        _ title: String, _ unit: String, isNamed: Bool = false, _ value: (CostResult) -> Double
    ) -> Panel {
        let values = methods.map(value)
        // Room for the numbers behind the bars.
        let end = 1.28 * max(values.max() ?? 1, 1e-9)
        return Panel(
            title: title, x: Axis(unit, range: 0...end),
            y: Axis(
                scale: .categories(methods.map(\.title)), ticks: isNamed ? nil : [], hasGrid: false, isReversed: true),
            marks: Kind.allCases.map { kind in
                HorizontalBars(
                    methods.indices.filter { Kind(methods[$0]) == kind }.map { index in
                        HorizontalBars.Bar(row: index, value: values[index], text: Self.digits(values[index]))
                    }, color: kind.color, name: methods.contains { Kind($0) == kind } ? kind.name : nil)
            }, legend: .none)
    }

    /// What the colours tell apart.
    private enum Kind: CaseIterable {
        case scalingAndShifting, merging, staying

        init(_ method: CostResult) {
            self =
                method.tuning.method == "ssf" ? .scalingAndShifting : method.counts.merges ? .merging : .staying
        }

        var color: Color {
            switch self {
            case .scalingAndShifting: Palette.vermilion
            case .merging: Palette.blue
            case .staying: Palette.orange
            }
        }

        var name: String {
            switch self {
            case .scalingAndShifting: "SSF, merged for the test"
            case .merging: "other methods that merge: the test is that of the base"
            case .staying: "methods that stay beside the base"
            }
        }
    }

    /// Three significant digits, at most three behind the point.
    static func digits(_ value: Double) -> String {
        switch value {
        case 100...: String(format: "%.0f", value)
        case 10...: String(format: "%.1f", value)
        case 0.1...: String(format: "%.2f", value)
        default: String(format: "%.3f", value)
        }
    }
}
