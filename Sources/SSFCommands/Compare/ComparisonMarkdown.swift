import SSFAnalysis

/// A comparison as Markdown: the tables, how they came about, and the differences between methods.
enum ComparisonMarkdown {
    static func document(_ report: ComparisonReport) -> String {
        var lines = ["# Comparison of \(report.methods.count) tuning methods", ""]
        lines += ["Model `\(report.model)`. " + datasets(report), ""]
        for table in ComparisonText.tables(report) {
            lines += ["## \(table.title)\(table.marksBest ? "; the best in bold" : "")", ""] + rows(table) + [""]
        }
        lines += [ComparisonText.notes(report).joined(separator: "\n"), "", "![accuracy](accuracy.png)", ""]
        if let sweep = report.sweep {
            lines += ["## Sweep", ""]
            lines += sweep.values.sorted { $0.key < $1.key }.map {
                "- `\($0.key)`: \($0.value.joined(separator: ", "))"
            }
            lines += sweep.notes.map { "- \($0)" } + [""]
        }
        lines += ["## Settings", "", "- seeds: \(report.seeds.map(String.init).joined(separator: ", "))"]
        lines += report.settings.sorted { $0.key < $1.key }.map { "- `\($0.key)`: \($0.value)" }
        let machine = report.machine
        lines += [
            "- \(machine.program), \(machine.cpu), \(machine.instructionSet), "
                + "\(Formatting.counted(machine.threads, "thread")), \(machine.date)", "",
            "Everything else is the default of `ssf train`; every run's folder has its `args.yaml`. Whether differences "
                + "could be chance: [differences.md](differences.md).", "",
        ]
        return lines.joined(separator: "\n")
    }

    private static func datasets(_ report: ComparisonReport) -> String {
        "Sets: "
            + report.datasets.map { set in
                "`\(set.name)` (\(set.classes) classes; \(set.trainImages) train, "
                    + (set.validationImages > 0 ? "\(set.validationImages) validation, " : "")
                    + "\(set.testImages) test)"
            }.joined(separator: ", ") + "."
    }

    private static func rows(_ table: ComparisonText.Table) -> [String] {
        func row(_ cells: [String]) -> String {
            "| " + cells.map { $0.replacing("|", with: "\\|").replacing("*", with: "\\*") }.joined(separator: " | ")
                + " |"
        }
        return [row(table.header), "|" + table.header.indices.map { $0 == 0 ? "---|" : "---:|" }.joined()]
            + table.rows.map { cells in
                // The best in bold instead of with a star.
                row(cells.map { $0.hasSuffix(" *") ? "__\($0.dropLast(2))__" : $0 })
            }
    }

    /// `differences.md`: a matrix for each set and for their mean, then every pair.
    static func differences(_ report: ComparisonReport) -> String {
        var lines = [
            "# Differences between methods", "",
            "Top-1 on the test part in points, row minus column, seeds averaged. In bold: the 95 % interval of a paired "
                + "bootstrap over the test images (\(Formatting.grouped(PairedBootstrap.standardResamples)) resamples, "
                + "percentiles) leaves 0 out. It speaks of the choice of images; the spread over seeds stands in the "
                + "comparison. McNemar's test is made for two runs, those of one seed: exact by the binomial distribution "
                + "where fewer than 25 images differ, else chi-squared with the correction for continuity. No p-value is "
                + "adjusted for the number of pairs.", "",
        ]
        let names = report.methods.map(\.name)
        let sets: [String?] =
            (report.differences.contains { $0.dataset == nil } ? [nil] : [])
            + report.datasets.map { $0.name }
        for set in sets {
            let own = report.differences.filter { $0.dataset == set }
            guard !own.isEmpty else { continue }
            lines += ["## \(set ?? "Mean of the sets")", ""]
            lines.append("| | " + names.joined(separator: " | ") + " |")
            lines.append("|---|" + names.map { _ in "---:|" }.joined())
            for row in names {
                let cells = names.map { column -> String in
                    if let found = own.first(where: { $0.first == row && $0.second == column }) {
                        return cell(found.points, isClear: found.isClear)
                    }
                    if let found = own.first(where: { $0.first == column && $0.second == row }) {
                        return cell(-found.points, isClear: found.isClear)
                    }
                    return ""
                }
                lines.append("| \(row) | " + cells.joined(separator: " | ") + " |")
            }
            lines.append("")
            if set == nil {
                lines += ["| pair | points | 95 % interval |", "|---|---:|---:|"]
                lines += own.map { "| \($0.first) - \($0.second) | \(signed($0.points)) | \(interval($0)) |" }
            } else {
                lines += [
                    "| pair | points | 95 % interval | McNemar, by seed: only first, only second right, p |",
                    "|---|---:|---:|---|",
                ]
                lines += own.map { pair in
                    let tests = pair.tests.map { entry in
                        "\(entry.seed): \(entry.test.onlyFirst), \(entry.test.onlySecond), \(pValue(entry.test.pValue))"
                            + (entry.test.form == .exact ? " exact" : "")
                    }
                    return "| \(pair.first) - \(pair.second) | \(signed(pair.points)) | \(interval(pair)) | "
                        + tests.joined(separator: "; ") + " |"
                }
            }
            lines.append("")
        }
        return lines.joined(separator: "\n")
    }

    private static func cell(_ points: Double, isClear: Bool) -> String {
        isClear ? "__\(signed(points))__" : signed(points)
    }

    private static func signed(_ value: Double) -> String {
        let text = Formatting.fixed(abs(value), 1)
        return text == "0.0" ? text : (value < 0 ? "-" : "+") + text
    }

    private static func interval(_ difference: MethodDifference) -> String {
        "\(signed(difference.low)) to \(signed(difference.high))"
    }

    private static func pValue(_ value: Double) -> String {
        value < 0.001 ? Formatting.scientific(value) : Formatting.fixed(value, 3)
    }
}
