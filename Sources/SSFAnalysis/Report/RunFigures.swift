/// The pictures of a training run, from the numbers in its folder.
public enum RunFigures {
    /// Loss and accuracy after each epoch, and the learning rate.
    ///
    /// - Parameter summary: with the columns of `summary.csv`; numbers that are missing leave gaps.
    /// - Returns: nil where the run completed no epoch.
    public static func curves(_ summary: CommaSeparated) -> Figure? {
        guard let epochs = summary.column("epoch")?.map({ (Double($0) ?? .nan) + 1 }), !epochs.isEmpty,
            epochs.allSatisfy({ (0...1e7).contains($0) })
        else { return nil }
        func line(_ column: String, _ name: String, _ color: Color, dash: [Double] = []) -> Line? {
            guard let values = summary.column(column)?.map({ Double($0) ?? .nan }), values.contains(where: \.isFinite)
            else { return nil }
            return Line(
                zip(epochs, values).map { DataPoint($0, $1) }, color: color, dash: dash,
                // A run of one epoch is a point and no line.
                shape: epochs.count < 30 ? .circle : nil, name: name)
        }
        let epoch = Axis("epoch", ticks: ticks(epochs))
        var panels = [
            Panel(
                title: "Loss", x: epoch, y: Axis("cross-entropy in nats"),
                marks: [
                    line("train_loss", "training", Palette.blue), line("eval_loss", "validation", Palette.vermilion),
                ].compactMap { $0 })
        ]
        let accuracies = [
            line("eval_top1", "top-1", Palette.blue), line("eval_top5", "top-5", Palette.orange),
        ].compactMap { $0 }
        if !accuracies.isEmpty {
            panels.append(Panel(title: "Validation accuracy", x: epoch, y: Axis("%"), marks: accuracies))
        }
        if let rate = line("lr", "learning rate", Palette.green) {
            panels.append(
                Panel(title: "Learning rate", x: epoch, y: Axis("at the epoch's end"), marks: [rate], legend: .none))
        }
        return Figure(width: 240 * Double(panels.count), height: 220, panels: [panels])
    }

    /// How often each class was taken for each.
    ///
    /// - Parameter confusion: `confusion.csv`: a name and a count for each class in every row.
    /// - Returns: nil where it is no square table of counts.
    public static func confusion(_ confusion: CommaSeparated) -> Figure? {
        let classes = Array(confusion.header.dropFirst())
        guard !classes.isEmpty, confusion.rows.count == classes.count else { return nil }
        var shares: [Double] = []
        for row in confusion.rows {
            let counts = row.dropFirst().map { Double($0) ?? .nan }
            let total = counts.reduce(0, +)
            guard total.isFinite else { return nil }
            shares += counts.map { total > 0 ? 100 * $0 / total : .nan }
        }
        let names = classes.map { $0.count > 24 ? $0.prefix(23) + "…" : $0 }
        let side = min(620, max(300, 130 + 16 * Double(classes.count)))
        return Figure(
            width: side + 60, height: side,
            panels: [
                [
                    Panel(
                        x: Axis("taken for", scale: .categories(names), hasGrid: false),
                        y: Axis("class", scale: .categories(names), hasGrid: false, isReversed: true),
                        marks: [
                            HeatMap(shares, columns: classes.count, range: 0...100, title: "% of the class")
                        ], legend: .none, aspect: 1)
                ]
            ])
    }

    /// Whole epochs only.
    private static func ticks(_ epochs: [Double]) -> [Tick] {
        let last = Int(epochs.max() ?? 1)
        let step = max(1, [1, 2, 5, 10, 20, 50, 100, 200, 500].first { last / $0 <= 6 } ?? last / 6)
        return stride(from: step, through: last, by: step).map { Tick(Double($0), String($0)) }
    }
}
