import Foundation
import SSFAnalysis
import SSFCommands

/// The page of a comparison of methods: its tables and pictures, the differences between methods, and every trial.
struct ComparisonPage {
    let page: ReportPage

    init(_ folder: ReportedFolder) throws {
        let about = folder.json("comparison.json", as: About.self)
        let table = folder.table("comparison.csv")
        var sections: [ReportPage.Section] = []
        if let table { sections.append(.init("Results", [Self.results(table).html])) }
        let pictures = ["accuracy", "accuracy-sets"].compactMap { name -> HTML? in
            guard let data = folder.data(name + ".svg") ?? folder.data(name + ".png") else { return nil }
            return EmbeddedPicture(
                data, description: name == "accuracy" ? "Accuracy against trained numbers" : "The same by set")?.html
        }
        sections.append(.init("Accuracy against parameters", pictures))
        if let differences = folder.json("differences.json", as: [Difference].self), !differences.isEmpty {
            sections.append(.init("Differences between methods", [Self.differences(differences).html]))
        }
        if let trials = folder.table("trials.csv") { sections.append(.init("Trials", [Self.trials(trials).html])) }
        if let about {
            var rows = [
                ["model", about.model], ["seeds", about.seeds.map(String.init).joined(separator: ", ")],
            ]
            rows += about.settings.sorted { $0.key < $1.key }.map { [$0.key, $0.value] }
            sections.append(.init("Settings", [HTMLTable(["setting", "value"], rows: rows).html]))
            sections.append(
                .init(
                    "Sets",
                    [
                        HTMLTable(
                            ["set", "classes", "train", "validation", "test", "place"],
                            rows: about.datasets.map {
                                [
                                    $0.name, String($0.classes), String($0.train_images), String($0.validation_images),
                                    String($0.test_images), $0.location,
                                ]
                            }
                        ).html
                    ]))
            let machine = about.machine
            sections.append(
                .init(
                    "Machine",
                    [
                        .element(
                            "p",
                            HTML(
                                "\(machine.cpu), \(machine.instruction_set), \(machine.threads) threads; "
                                    + "\(machine.program); \(machine.date)"))
                    ]))
        }
        let methods = about.map { "\($0.methods.count) methods" } ?? "methods"
        let sets = about.map { " on " + $0.datasets.map(\.name).joined(separator: ", ") } ?? ""
        page = ReportPage(
            title: folder.name, subtitle: "Comparison of \(methods)\(sets)",
            highlights: table.map(Self.highlights) ?? [], sections: sections,
            origin: "Made by ssf-analyze \(ProgramVersion.text) from the folder \(folder.name).")
    }

    // MARK: What the folder holds

    /// `comparison.json`, as far as it is shown.
    private struct About: Decodable {
        struct Machine: Decodable {
            var program: String
            var cpu: String
            var instruction_set: String
            var threads: Int
            var date: String
        }
        struct Dataset: Decodable {
            var name: String
            var location: String
            var classes: Int
            var train_images: Int
            var validation_images: Int
            var test_images: Int
        }
        struct Method: Decodable { var name: String }
        var machine: Machine
        var model: String
        var settings: [String: String]
        var seeds: [Int]
        var datasets: [Dataset]
        var methods: [Method]
    }

    /// A row of `differences.json`: percent points, with an interval of a paired bootstrap, and McNemar's tests.
    private struct Difference: Decodable {
        struct Tested: Decodable {
            struct Test: Decodable { var p_value: Double }
            var test: Test
        }
        var dataset: String?
        var first: String
        var second: String
        var points: Double
        var low: Double?
        var high: Double?
        var tests: [Tested]?
    }

    // MARK: Parts

    /// Numbers of a file in a form that reads well; what is no number stays as it is.
    private static func number(_ text: String, _ form: (Double) -> String) -> String {
        Double(text).map(form) ?? (text.isEmpty ? "–" : text)
    }

    private static func highlights(_ table: CommaSeparated) -> [(value: String, meaning: String)] {
        guard let methods = table.column("method"), let sets = table.column("dataset"),
            let scores = table.column("top1_last_mean")
        else { return [] }
        var best: [(set: String, method: String, score: Double)] = []
        for row in methods.indices {
            guard let score = Double(scores[row]) else { continue }
            if let place = best.firstIndex(where: { $0.set == sets[row] }) {
                if score > best[place].score { best[place] = (sets[row], methods[row], score) }
            } else {
                best.append((sets[row], methods[row], score))
            }
        }
        return best.prefix(6).map { ("\(Formatting.fixed($0.score, 1)) %", "\($0.set): best, by \($0.method)") }
    }

    private static func results(_ table: CommaSeparated) -> HTMLTable {
        func fixed(_ digits: Int, _ factor: Double = 1) -> (String) -> String {
            { number($0) { Formatting.fixed($0 * factor, digits) } }
        }
        let whole: (String) -> String = { text in
            // A mean over sets need not be whole.
            Double(text).flatMap { Int(exactly: $0.rounded()) }.map(Formatting.grouped) ?? (text.isEmpty ? "–" : text)
        }
        let plain: (String) -> String = { $0 == "true" ? "yes" : $0 == "false" ? "no" : $0 }
        let forms: [(column: String, title: String, form: (String) -> String)] = [
            ("method", "method", plain), ("dataset", "set", plain), ("trainable", "trained", whole),
            ("trainable_percent", "%", fixed(2)), ("top1_last_mean", "top-1 last", fixed(1)),
            ("top1_last_std", "± seeds", fixed(1)), ("top1_best_mean", "top-1 best", fixed(1)),
            ("top1_best_std", "± seeds", fixed(1)), ("training_seconds", "train s", fixed(1)),
            ("peak_bytes", "peak MB", fixed(0, 1e-6)), ("stored_bytes", "stored MB", fixed(2, 1e-6)),
            ("extra_parameters_inference", "extra params", whole),
            ("extra_multiply_adds_inference", "extra MMACs", fixed(1, 1e-6)),
            ("unified_parameter_space", "unified", plain), ("merges", "merges", plain), ("diverged", "diverged", plain),
            ("failed", "failed", plain), ("chosen", "chosen", plain),
        ].filter { form in
            // What went wrong nowhere, and what was chosen nowhere, takes no column.
            guard let values = table.column(form.0) else { return false }
            return !["diverged", "failed", "chosen"].contains(form.0) || values.contains { !["", "0"].contains($0) }
        }
        return HTMLTable(
            forms.map(\.title),
            rows: table.rows.indices.map { row in forms.map { $0.form(table.column($0.column)![row]) } },
            caption:
                "Top-1 on the test part in %: mean over the seeds and their spread; last and best epoch, the latter "
                + "by validation where there is such a part. Extra: beyond the base, after merging where that is possible."
        )
    }

    private static func differences(_ differences: [Difference]) -> HTMLTable {
        func signed(_ value: Double?) -> String {
            value.map { ($0 > 0 ? "+" : "") + Formatting.fixed($0, 2) } ?? "–"
        }
        return HTMLTable(
            ["set", "first", "second", "points", "from", "to", "McNemar's p, by seed"],
            rows: differences.map { one in
                [
                    one.dataset ?? "mean of the sets", one.first, one.second, signed(one.points), signed(one.low),
                    signed(one.high),
                    (one.tests ?? []).map { Formatting.scientific($0.test.p_value) }.joined(separator: ", "),
                ]
            },
            caption:
                "First minus second in percent points of top-1, with the interval of a paired bootstrap over images "
                + "and McNemar's test.")
    }

    /// Every column that says something.
    private static func trials(_ table: CommaSeparated) -> HTMLTable {
        let columns = table.header.indices.filter { column in
            table.rows.contains { !$0[column].isEmpty } && table.header[column] != "folder"
        }
        return HTMLTable(
            columns.map { table.header[$0].replacing("_", with: " ") },
            rows: table.rows.map { row in columns.map { row[$0] } },
            caption: "Every run, sweeps and those that went wrong too.")
    }
}
