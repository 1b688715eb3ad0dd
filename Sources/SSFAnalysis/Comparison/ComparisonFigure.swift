import Foundation

extension ComparisonReport {
    /// Figure 1 of arXiv 2210.08823: accuracy over trained numbers, a point for each method; of the mean over the sets
    /// where there are several.
    public func figure() -> Figure {
        let epoch: ReportedEpoch = choosesEpochs ? .best : .last
        let points = methods.map { method in
            (mean(method: method.name) { Double($0.trainable) }, mean(method: method.name, epoch))
        }
        let title = datasets.count == 1 ? datasets[0].name : "mean of \(datasets.count) sets"
        return Figure(
            title: "Accuracy and what is trained for it, \(title)", width: 540, height: 400,
            panels: [[panel(nil, points: points)]], hasSharedLegend: true, caption: caption(epoch))
    }

    /// The same for each set; nil where there is one alone.
    public func figureOfSets() -> Figure? {
        guard datasets.count > 1 else { return nil }
        let epoch: ReportedEpoch = choosesEpochs ? .best : .last
        let panels = datasets.map { dataset in
            panel(
                dataset.name,
                points: methods.map { method in
                    let cell = cell(method: method.name, dataset: dataset.name)
                    return (cell.map { Double($0.trainable) }, cell?.summary(epoch))
                })
        }
        let rows = stride(from: 0, to: panels.count, by: 2).map { Array(panels[$0..<min($0 + 2, panels.count)]) }
        return Figure(
            title: "Accuracy and what is trained for it", width: 756, height: 80 + 290 * Double(rows.count),
            panels: rows, hasSharedLegend: true, caption: caption(epoch))
    }

    private func panel(_ title: String?, points: [(x: Double?, y: SampleSummary?)]) -> Panel {
        let shown = methods.indices.filter { points[$0].x != nil && points[$0].y != nil }
        var marks: [any Mark] = []
        for index in shown {
            guard let deviation = points[index].y!.deviation, deviation > 0 else { continue }
            let (x, y) = (points[index].x!, points[index].y!.mean)
            marks.append(
                Line(
                    [DataPoint(x, y - deviation), DataPoint(x, y + deviation)],
                    color: Kind(methods[index]).color.withOpacity(0.45), width: 1.2))
        }
        for kind in Kind.allCases {
            let members = shown.filter { Kind(methods[$0]) == kind }
            guard !members.isEmpty else { continue }
            marks.append(
                Points(
                    members.map { DataPoint(points[$0].x!, points[$0].y!.mean) }, color: kind.color,
                    shape: kind.shape, size: 7.5, texts: members.map { methods[$0].title }, name: kind.name))
        }
        let numbers = shown.map { points[$0].x! }
        // Room at both sides for the names of the outermost points.
        let range = (numbers.min() ?? 1) / 2...(numbers.max() ?? 1) * 2.5
        return Panel(
            title: title, x: Axis("trained numbers, with the classifier", scale: .logarithmic, range: range),
            y: Axis("top-1 on the test part, %"), marks: marks, legend: .none)
    }

    /// What colours and shapes tell apart.
    private enum Kind: CaseIterable {
        case scalingAndShifting, merging, staying

        init(_ method: Method) {
            self = method.tuning.method == "ssf" ? .scalingAndShifting : method.merges ? .merging : .staying
        }

        var color: Color {
            switch self {
            case .scalingAndShifting: Palette.vermilion
            case .merging: Palette.blue
            case .staying: Palette.orange
            }
        }

        var shape: PointShape {
            switch self {
            case .scalingAndShifting: .diamond
            case .merging: .circle
            case .staying: .square
            }
        }

        var name: String {
            switch self {
            case .scalingAndShifting: "SSF: merges, nothing is left at test"
            case .merging: "other methods that merge"
            case .staying: "methods that stay beside the base"
            }
        }
    }

    private func caption(_ epoch: ReportedEpoch) -> String {
        let runs = seeds.count == 1 ? "One seed" : "Mean and standard deviation of \(seeds.count) seeds"
        return "\(runs), \(epoch == .last ? "last epoch" : "best epoch by validation"). "
            + "\(model.split(separator: "/").last ?? ""), \(machine.cpu), "
            + "\(machine.instructionSet), \(machine.date.prefix(10)), \(machine.program)."
    }
}
