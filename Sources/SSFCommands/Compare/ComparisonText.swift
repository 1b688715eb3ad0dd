import SSFAnalysis

/// A comparison as text: tables for a terminal of 120 columns, and CSV.
enum ComparisonText {
    /// A table with a name, as terminal and Markdown both show it.
    struct Table {
        var title: String
        /// Whether ` *` marks the best of a column.
        var marksBest = false
        var header: [String]
        var rows: [[String]]
    }

    // MARK: Terminal

    static let width = 120

    static func lines(_ report: ComparisonReport) -> [String] {
        var lines: [String] = []
        for table in tables(report) {
            lines += [table.title + (table.marksBest ? "; * the best" : "")]
            for part in narrow(table) {
                var text = TextTable(part.header)
                // Numbers stay below each other beside one with a star.
                for row in part.rows {
                    text.add(row.enumerated().map { $0 > 0 && part.marksBest && !$1.hasSuffix("*") ? $1 + "  " : $1 })
                }
                lines += text.lines(indent: 0) + [""]
            }
        }
        return lines + notes(report)
    }

    /// Tables that fit into the width: the first column in each, the others as far as they go.
    private static func narrow(_ table: Table) -> [Table] {
        let widths = table.header.indices.map { column in
            ([table.header[column]] + table.rows.map { $0[column] }).map(\.count).max()! + 2
        }
        var parts: [[Int]] = [[]]
        var used = widths[0]
        for column in table.header.indices.dropFirst() {
            if used + widths[column] > width + 2, !parts[parts.count - 1].isEmpty {
                parts.append([])
                used = widths[0]
            }
            parts[parts.count - 1].append(column)
            used += widths[column]
        }
        return parts.map { columns in
            let columns = [0] + columns
            return Table(
                title: table.title, marksBest: table.marksBest, header: columns.map { table.header[$0] },
                rows: table.rows.map { row in columns.map { row[$0] } })
        }
    }

    // MARK: Tables

    static func tables(_ report: ComparisonReport) -> [Table] {
        let seeds = report.seeds.count == 1 ? "one seed" : "mean and spread over \(report.seeds.count) seeds"
        var tables: [Table] = []
        if report.choosesEpochs {
            tables.append(
                accuracies(report, .best, "Top-1 on the test part in %, best epoch by validation, \(seeds)"))
            tables.append(accuracies(report, .last, "Top-1 on the test part in %, last epoch, \(seeds)"))
        } else {
            tables.append(accuracies(report, .last, "Top-1 on the test part in %, last epoch, \(seeds)"))
        }
        tables.append(costs(report))
        if let sweep = report.sweep {
            tables.append(
                Table(
                    title:
                        "Chosen by validation, of \(Formatting.counted(sweep.trialsPerMethod, "run")) for each method "
                        + "and set",
                    header: ["method"] + report.datasets.map(\.name),
                    rows: report.methods.map { method in
                        [method.name]
                            + report.datasets.map { dataset in
                                let chosen = report.cell(method: method.name, dataset: dataset.name)?.chosen ?? [:]
                                return chosen.isEmpty
                                    ? "-"
                                    : chosen.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
                                        .joined(separator: " ")
                            }
                    }))
        }
        return tables
    }

    private static func accuracies(_ report: ComparisonReport, _ epoch: ReportedEpoch, _ title: String) -> Table {
        func best(_ values: [SampleSummary?]) -> Double? { values.compactMap { $0?.mean }.max() }
        func text(_ summary: SampleSummary?, _ cell: ComparisonCell?, best: Double?) -> String {
            guard let summary else { return cell.map { $0.diverged.isEmpty ? "-" : "diverged" } ?? "-" }
            let spread = summary.deviation.map { " ±\(Formatting.fixed($0, 1))" } ?? ""
            // Of some seeds alone: how many.
            let missing = cell.map { $0.runs.count < report.seeds.count ? " (\($0.runs.count))" : "" } ?? ""
            return Formatting.fixed(summary.mean, 1) + spread + missing + (summary.mean == best ? " *" : "")
        }
        let columns = report.datasets.map { dataset in
            report.methods.map { report.cell(method: $0.name, dataset: dataset.name) }
        }
        let means = report.methods.map { report.mean(method: $0.name, epoch) }
        let rows = report.methods.indices.map { row in
            [report.methods[row].name]
                + columns.map { column in
                    text(column[row]?.summary(epoch), column[row], best: best(column.map { $0?.summary(epoch) }))
                } + (report.datasets.count > 1 ? [text(means[row], nil, best: best(means))] : [])
        }
        return Table(
            title: title, marksBest: true,
            header: ["method"] + report.datasets.map(\.name) + (report.datasets.count > 1 ? ["mean"] : []), rows: rows)
    }

    private static func costs(_ report: ComparisonReport) -> Table {
        func number(_ value: Double?, _ text: (Double) -> String) -> String { value.map(text) ?? "-" }
        return Table(
            title: report.datasets.count > 1 ? "What it takes, mean over the sets" : "What it takes",
            header: [
                "method", "trained", "%", "train s", "peak MB", "stored kB", "test params", "test MMACs", "unified",
                "merges",
            ],
            rows: report.methods.map { method in
                func mean(_ value: @escaping (ComparisonCell) -> Double?) -> Double? {
                    report.mean(method: method.name, of: value)
                }
                return [
                    method.name,
                    number(mean { Double($0.trainable) }) { Formatting.grouped(Int($0.rounded())) },
                    number(mean(\.trainableShare)) { Formatting.fixed($0, 2) },
                    number(mean(\.seconds)) { Formatting.fixed($0, 1) },
                    number(mean { $0.peakBytes.map(Double.init) }) { Formatting.fixed($0 * 1e-6, 0) },
                    number(mean { $0.adapterBytes.map(Double.init) }) {
                        Formatting.grouped(Int(($0 * 1e-3).rounded()))
                    },
                    number(mean { Double($0.extraParameters) }) {
                        $0 == 0 ? "0" : "+" + Formatting.grouped(Int($0.rounded()))
                    },
                    number(mean { Double($0.extraMultiplyAdds) }) {
                        $0 == 0 ? "0" : "+" + Formatting.fixed($0 * 1e-6, 1)
                    },
                    method.isUnified ? "yes" : "no", method.merges ? "yes" : "no",
                ]
            })
    }

    /// What a reader has to know beside the tables.
    static func notes(_ report: ComparisonReport) -> [String] {
        let base = Formatting.fixed(Double(report.datasets.first?.baseMultiplyAdds ?? 0) * 1e-6, 1)
        var lines = [
            "trained: with the classifier. stored: the adapter file, for each task beside the base. test params, test MMACs:",
            "beyond the base's \(base) million multiply-adds of an image, after merging where the method merges.",
        ]
        for cell in report.cells where !cell.diverged.isEmpty || !cell.failed.isEmpty {
            func list(_ seeds: [Int]) -> String { seeds.map(String.init).joined(separator: ", ") }
            if !cell.diverged.isEmpty {
                lines.append("\(cell.method) on \(cell.dataset): diverged with seed \(list(cell.diverged)); left out")
            }
            if !cell.failed.isEmpty {
                lines.append("\(cell.method) on \(cell.dataset): failed with seed \(list(cell.failed)); see trials.csv")
            }
        }
        return lines
    }

    // MARK: CSV

    /// A row for each method and set, and for the mean over the sets.
    static func csv(_ report: ComparisonReport) -> String {
        var lines = [
            CSV.row([
                "method", "dataset", "seeds", "trainable", "trainable_percent", "top1_last_mean", "top1_last_std",
                "top1_best_mean", "top1_best_std", "training_seconds", "peak_bytes", "stored_bytes",
                "extra_parameters_inference", "extra_multiply_adds_inference", "unified_parameter_space", "merges",
                "diverged", "failed", "chosen",
            ])
        ]
        func number(_ value: Double?, _ digits: Int) -> String { value.map { Formatting.fixed($0, digits) } ?? "" }
        for method in report.methods {
            let fixed = [String(method.isUnified), String(method.merges)]
            for dataset in report.datasets {
                guard let cell = report.cell(method: method.name, dataset: dataset.name) else { continue }
                let (last, best) = (cell.summary(.last), cell.summary(.best))
                lines.append(
                    CSV.row(
                        [
                            method.name, dataset.name, String(cell.runs.count), String(cell.trainable),
                            number(cell.trainableShare, 4), number(last?.mean, 4), number(last?.deviation, 4),
                            number(best?.mean, 4), number(best?.deviation, 4), number(cell.seconds, 3),
                            cell.peakBytes.map(String.init) ?? "", cell.adapterBytes.map(String.init) ?? "",
                            String(cell.extraParameters), String(cell.extraMultiplyAdds),
                        ] + fixed + [
                            String(cell.diverged.count), String(cell.failed.count),
                            cell.chosen.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
                                .joined(separator: " "),
                        ]))
            }
            guard report.datasets.count > 1 else { continue }
            let (last, best) = (report.mean(method: method.name, .last), report.mean(method: method.name, .best))
            func mean(_ digits: Int, _ value: @escaping (ComparisonCell) -> Double?) -> String {
                number(report.mean(method: method.name, of: value), digits)
            }
            let cells = report.cells.filter { $0.method == method.name }
            lines.append(
                CSV.row(
                    [
                        method.name, "mean", last.map { String($0.count) } ?? "0", mean(1) { Double($0.trainable) },
                        mean(4, \.trainableShare), number(last?.mean, 4), number(last?.deviation, 4),
                        number(best?.mean, 4), number(best?.deviation, 4), mean(3, \.seconds),
                        mean(0) { $0.peakBytes.map(Double.init) }, mean(0) { $0.adapterBytes.map(Double.init) },
                        mean(0) { Double($0.extraParameters) }, mean(0) { Double($0.extraMultiplyAdds) },
                    ] + fixed + [
                        String(cells.reduce(0) { $0 + $1.diverged.count }),
                        String(cells.reduce(0) { $0 + $1.failed.count }), "",
                    ]))
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
