import Foundation
import SSFAnalysis
import SSFCheckpoints
import SSFCommands

/// The page of a training run: whatever its folder holds; a run that has not ended says so.
struct RunPage {
    let page: ReportPage

    init(_ folder: ReportedFolder) throws {
        let settings = folder.settings("args.yaml")
        let results = folder.json("results.json", as: Results.self)
        let summary = folder.json("run.json", as: Summary.self)
        let environment = folder.json("environment.json", as: EnvironmentReport.self)
        let epochs = folder.table("summary.csv")
        func setting(_ key: String) -> String {
            let value = settings.first { $0.key == key }?.value ?? ""
            return value.count > 1 && value.hasPrefix("\"") && value.hasSuffix("\"")
                ? String(value.dropFirst().dropLast()) : value
        }

        var highlights: [(String, String)] = []
        if let results {
            highlights.append((Self.percent(results.top1), "top-1 on \(results.split), \(results.images) images"))
            highlights.append((Self.percent(results.macro_recall), "mean recall of the classes"))
        }
        if let best = epochs?.column("eval_top1")?.compactMap(Double.init).max() {
            highlights.append((Self.percent(best), "best top-1 on validation"))
        }
        let trained = Self.trained(folder)
        if let count = summary?.trainable ?? trained?.total {
            let share = summary.map { "of \(Formatting.count($0.parameters)) numbers trained" } ?? "numbers trained"
            highlights.append((Formatting.count(count), share))
        }
        if let summary {
            highlights.append((Formatting.duration(summary.training_seconds), "of training"))
            highlights.append((Formatting.bytes(summary.peak_bytes), "of memory at the peak"))
        }

        var sections: [ReportPage.Section] = []
        if results == nil {
            let why =
                summary?.status == "diverged" ? "diverged: \(summary?.reason ?? "")" : "has no results on a test part"
            sections.append(.init("State", [.element("p", HTML("The run \(why)."))]))
        }
        if let epochs, let figure = RunFigures.curves(epochs) {
            sections.append(
                .init(
                    "Curves",
                    [EmbeddedPicture(figure, description: "Loss, accuracy and learning rate by epoch").html]))
        }
        if let results { sections.append(.init("Classes", [Self.classes(results).html])) }
        if let confusion = folder.table("confusion.csv") {
            sections.append(.init("Confusion", Self.confusion(confusion)))
        }
        if let trained { sections.append(.init("Trained numbers", [trained.table.html])) }
        if let epochs, !epochs.rows.isEmpty {
            sections.append(.init("Epochs", [Self.epochTable(epochs).html]))
        }
        let stated = settings.filter { $0.value != "null" }
        if !stated.isEmpty {
            sections.append(
                .init(
                    "Settings",
                    [HTMLTable(["setting", "value", "from"], rows: stated.map { [$0.key, $0.value, $0.origin] }).html]))
        }
        if let environment { sections.append(.init("Machine", [Self.machine(environment).html])) }

        page = ReportPage(
            title: folder.name, subtitle: "\(setting("method")) of \(setting("model")) on \(setting("data"))",
            highlights: highlights, sections: sections,
            origin: "Made by ssf-analyze \(ProgramVersion.text) from the folder \(folder.name).")
    }

    // MARK: What the folder holds

    /// `results.json`; accuracies in percent.
    private struct Results: Decodable {
        struct Class: Decodable {
            var label: String
            var images: Int
            var recall: Double?
            var precision: Double?
        }
        var split: String
        var images: Int
        var top1: Double
        var top5: Double
        var loss: Double
        var macro_recall: Double
        var per_class: [Class]
    }

    /// `run.json`, as far as it is shown.
    private struct Summary: Decodable {
        var status: String
        var reason: String?
        var training_seconds: Double
        var peak_bytes: Int
        var trainable: Int
        var parameters: Int
    }

    // MARK: Parts

    private static func percent(_ value: Double?) -> String { value.map { Formatting.fixed($0, 2) + " %" } ?? "–" }

    private static func classes(_ results: Results) -> HTMLTable {
        var table = HTMLTable(
            ["class", "images", "recall %", "precision %"],
            caption: "On \(results.split): loss \(Formatting.fixed(results.loss, 4)), top-1 \(percent(results.top1)), "
                + "top-5 \(percent(results.top5)). The weakest classes first.")
        let ordered = results.per_class.enumerated().sorted {
            ($0.element.recall ?? 101, $0.offset) < ($1.element.recall ?? 101, $1.offset)
        }
        for (_, one) in ordered {
            table.add([
                one.label, String(one.images), one.recall.map { Formatting.fixed($0, 1) } ?? "–",
                one.precision.map { Formatting.fixed($0, 1) } ?? "–",
            ])
        }
        return table
    }

    /// The matrix as a picture, and what was mistaken most as a table.
    private static func confusion(_ table: CommaSeparated) -> [HTML] {
        var content: [HTML] = []
        if table.rows.count <= 200, let figure = RunFigures.confusion(table) {
            content.append(
                EmbeddedPicture(figure, description: "Part of each class (row) taken for each (column)").html)
        }
        let classes = Array(table.header.dropFirst())
        var mistakes: [(truth: String, taken: String, count: Int)] = []
        for (truth, row) in zip(classes, table.rows) {
            for (taken, text) in zip(classes, row.dropFirst()) where taken != truth {
                if let count = Int(text), count > 0 { mistakes.append((truth, taken, count)) }
            }
        }
        if !mistakes.isEmpty {
            let most = mistakes.sorted { ($1.count, $0.truth, $0.taken) < ($0.count, $1.truth, $1.taken) }.prefix(10)
            content.append(
                HTMLTable(
                    ["class", "taken for", "images"], rows: most.map { [$0.truth, $0.taken, String($0.count)] },
                    caption: "The commonest mistakes"
                ).html)
        }
        return content
    }

    /// What the adapter holds: numbers by parameter, blocks together.
    private static func trained(_ folder: ReportedFolder) -> (total: Int, table: HTMLTable)? {
        let path = ["best", "last"].map(folder.file).first(where: AdapterFolder.isAdapter)
        guard let path, let adapter = try? AdapterFolder.read(path) else { return nil }
        var counts: [String: (tensors: Int, numbers: Int)] = [:]
        for (name, tensor) in adapter.tensors {
            let pattern = name.split(separator: ".", omittingEmptySubsequences: false)
                .map { $0.allSatisfy(\.isNumber) && !$0.isEmpty ? "*" : $0 }.joined(separator: ".")
            counts[pattern, default: (0, 0)].tensors += 1
            counts[pattern]!.numbers += tensor.count
        }
        let total = adapter.tensors.values.reduce(0) { $0 + $1.count }
        var table = HTMLTable(
            ["parameter", "tensors", "numbers"], caption: "Method \(adapter.configuration.tuningMode)")
        for (name, count) in counts.sorted(by: { $0.key < $1.key }) {
            table.add([name, String(count.tensors), Formatting.grouped(count.numbers)])
        }
        table.add(["all", String(adapter.tensors.count), Formatting.grouped(total)])
        return (total, table)
    }

    private static func epochTable(_ epochs: CommaSeparated) -> HTMLTable {
        let columns = [
            ("epoch", "epoch"), ("train_loss", "training loss"), ("eval_loss", "validation loss"),
            ("eval_top1", "top-1 %"), ("eval_top5", "top-5 %"), ("lr", "learning rate"),
            ("images_per_second", "images/s"),
        ].filter { epochs.header.contains($0.0) }
        var table = HTMLTable(columns.map(\.1))
        for row in epochs.rows.indices {
            table.add(
                columns.map { key, _ in
                    let text = epochs.column(key)![row]
                    guard let value = Double(text) else { return text }
                    return key == "epoch" ? text : Formatting.significant(value)
                })
        }
        return table
    }

    private static func machine(_ environment: EnvironmentReport) -> HTMLTable {
        HTMLTable(
            ["what", "which"],
            rows: [
                ["program", environment.program], ["CPU", environment.cpu],
                ["instruction set", environment.instructionSet], ["threads", String(environment.threads)],
                ["memory", Formatting.bytes(Int(clamping: environment.memoryBytes))],
                ["system", environment.operatingSystem], ["architecture", environment.architecture],
            ] + environment.libraries.sorted { $0.key < $1.key }.map { [$0.key, $0.value] })
    }
}
