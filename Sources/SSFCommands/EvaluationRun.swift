import ArgumentParser
import Foundation
import SSFImages
import SSFKernels
import SSFParallel
import SSFTensors
import SSFTraining

/// Everything that `ssf eval` takes.
public struct EvaluationOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Model with a classifier, or the base of the adapter.", valueName: "path"))
    public var model: String?

    @Option(
        name: .customLong("adapter"), parsing: .singleValue,
        help: ArgumentHelp(
            "Adapter folder of a run, or the run's folder: its best. Several, or a folder of several, are run over one "
                + "backbone.", valueName: "path"))
    public var adapters: [String] = []

    @Option(
        name: [.long, .customLong("data-dir")],
        help: ArgumentHelp("Images, in any layout of `ssf train`.", valueName: "path"))
    public var data: String

    @Option(help: "Layout of the data; recognised by itself where it is not given.")
    public var dataFormat: String?

    @Option(help: ArgumentHelp("Part to evaluate (default: test, else val, else all).", valueName: "name"))
    public var split: String?

    @Option(name: [.customShort("b"), .long], parsing: .unconditional, help: "Images of a batch.")
    public var batchSize = 64

    @Option(help: "Orientation of photographs: apply or ignore.")
    public var exifOrientation: String?

    @Flag(help: "Leave out images that cannot be read, and count them, instead of stopping.")
    public var skipBadImages = false

    @Option(name: [.customShort("j"), .long], parsing: .unconditional, help: "Threads that decode images ahead.")
    public var workers = 1

    @Option(
        help: ArgumentHelp(
            "Write the results here: .json for all of them, .csv for one row per image.", valueName: "file"))
    public var resultsFile: String?

    @OptionGroup(title: "Preprocessing") public var preprocessing: PreprocessingOptions
    @OptionGroup(title: "Run time") public var runtime: RuntimeOptions

    public init() {}

    public func validate() throws {
        if batchSize < 1 { throw ValidationError("--batch-size must be 1 or more, not \(batchSize).") }
        if workers < 1 { throw ValidationError("--workers must be 1 or more, not \(workers).") }
        if let resultsFile, !resultsFile.hasSuffix(".json"), !resultsFile.hasSuffix(".csv") {
            throw ValidationError("--results-file must end in .json or .csv, not \(resultsFile).")
        }
    }
}

/// `ssf eval`: accuracy of a model or an adapter on a set of images.
public struct EvaluationRun {
    private let options: EvaluationOptions
    private let console: Console

    public init(options: EvaluationOptions, console: Console) {
        self.options = options
        self.console = console
    }

    /// - Throws: `UserError`, also when the classes of the data are not those of the model.
    public func run() throws {
        let set = try AdapterSet.open(
            model: options.model, adapters: options.adapters,
            stated: try PreprocessingResolution.stated(options.preprocessing),
            precision: try options.runtime.chosenPrecision())
        for member in set.members {
            for note in member.opened.notes { console.note(set.hasSeveral ? "\(member.label): \(note)" : note) }
        }
        let format = try options.dataFormat.map(DataFormat.named)
        let collection = try DatasetCollection.open(options.data, format: format)
        let dataset = try collection.evaluated(options.split, requiresFiles: !options.skipBadImages)
        let labels = try classMappings(from: collection.classes, to: set)
        console.line(
            "model \(set.hasSeveral ? set.members[0].opened.base.name : set.members[0].opened.name)  "
                + "isa \(KernelTable.current.instructionSet.rawValue)  threads \(Parallel.threads)  "
                + "data \(dataset.name), \(dataset.summary)")

        var outcomes = set.members.map { EvaluationOutcome(member: $0) }
        var skipped = 0
        let begin = ProcessInfo.processInfo.systemUptime
        for group in set.groups(of: labels.keys.sorted()) {
            let source = set.members[group[0]].opened.source(
                dataset,
                orientation: try .named(options.exifOrientation, default: collection.format.defaultOrientation),
                workers: options.workers, skipsBadImages: options.skipBadImages)
            let evaluator = JointEvaluator(
                models: group.map { set.members[$0].opened.model }, batchSize: options.batchSize)
            try evaluator.forEachBatch(of: source) { batch, position, logits in
                let member = group[position]
                let classes = set.members[member].opened.classes.count
                for i in 0..<batch.count {
                    outcomes[member].predictions.append(
                        Prediction(
                            index: batch.indices[i], label: labels[member]![Int(batch.labels[i])],
                            logits: UnsafeBufferPointer(rebasing: logits[i * classes..<(i + 1) * classes])))
                }
            }
            for (position, member) in group.enumerated() { outcomes[member].seconds = evaluator.seconds[position] }
            skipped = max(skipped, source.badImages.count)
        }
        let seconds = ProcessInfo.processInfo.systemUptime - begin
        if skipped > 0 { console.warning("\(skipped) images could not be read and were left out") }
        let report = EvaluationReport(
            outcomes: labels.keys.sorted().map { outcomes[$0] }, hasSeveral: set.hasSeveral, dataset: dataset,
            skippedImages: skipped)
        for line in report.lines { try StandardOutput.line(line) }
        let rate = Double(report.outcomes[0].predictions.count) / max(seconds, 1e-9)
        if let summary = set.summary {
            console.line("\(Formatting.fixed(rate, 1)) img/s through \(report.outcomes.count) adapters; \(summary)")
        } else {
            console.line("\(Formatting.fixed(rate, 1)) img/s; lowest recalls:")
            for line in report.outcomes[0].results.lines { console.line(line) }
        }
        if let file = options.resultsFile {
            let text = file.hasSuffix(".json") ? try report.json() : report.csv
            try OutputFile.write(Data(text.utf8), to: file)
            console.line("saved \(file)")
        }
        if !set.hasSeveral {
            let name =
                options.adapters.first.map { "--adapter \(Shell.quoted($0))" }
                ?? "--model \(Shell.quoted(options.model ?? "MODEL"))"
            console.next("ssf predict \(name) IMAGE")
        }
    }

    /// For each model that knows the classes of the data their places in its head, by the model's position.
    ///
    /// - Throws: `UserError` where a model that was named, or every one that was found in a folder, has other classes.
    private func classMappings(from data: [String], to set: AdapterSet) throws -> [Int: [Int]] {
        var mappings: [Int: [Int]] = [:]
        var obstacle: (any Error)?
        for (position, member) in set.members.enumerated() {
            let classes = member.opened.classes
            do {
                let places = try Self.classMapping(from: data, to: classes, model: member.opened.name)
                mappings[position] = places ?? Array(classes.indices)
            } catch  where member.wasFound {
                console.note("\(member.label) is left out: the data have other classes than its \(classes.count)")
                obstacle = error
            }
        }
        if mappings.isEmpty, let obstacle { throw obstacle }
        return mappings
    }

    /// For each class of the data its place in the model's head; nil where they agree one to one.
    static func classMapping(from data: [String], to model: [String], model name: String) throws -> [Int]? {
        if data == model { return nil }
        // A head whose classes have no names is taken in the order of the data.
        if data.count == model.count && model == (0..<model.count).map(String.init) { return nil }
        let places = Dictionary(model.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        let missing = data.filter { places[$0] == nil }
        guard missing.isEmpty else {
            throw UserError(
                "the classes of the data are not those of \(name)", expected: list(model), found: list(data),
                remedy: "tune a model for these classes: ssf train --data ...")
        }
        return data.map { places[$0]! }
    }

    private static func list(_ names: [String]) -> String {
        "\(names.count) classes: " + names.prefix(8).joined(separator: ", ") + (names.count > 8 ? ", ..." : "")
    }
}

extension DatasetCollection {
    /// The part that is looked at, not trained on.
    ///
    /// - Parameters:
    ///   - name: of the split; nil for test, else val, else the only one.
    ///   - requiresFiles: whether a listed file that does not exist is an error.
    func evaluated(_ name: String?, requiresFiles: Bool) throws -> ImageDataset {
        let found: ImageDataset?
        if let name {
            found = split(name)
        } else {
            found = split("test") ?? split("val") ?? (splits.count == 1 ? splits[0] : nil)
        }
        guard let found else {
            throw UserError(
                "\(location) has no split \(name ?? "test")", expected: splits.map(\.name).joined(separator: ", "),
                remedy: "name one with --split")
        }
        guard found.count > 0 else { throw UserError("\(location): the split \(found.name) has no images") }
        if requiresFiles { try found.checkFiles() }
        return found
    }
}

extension DataFormat {
    /// The format that an option names.
    static func named(_ name: String) throws -> DataFormat {
        if let format = DataFormat(rawValue: name) { return format }
        let names = allCases.map(\.rawValue)
        throw UserError(
            "`data-format` cannot be `\(name)`", expected: names.joined(separator: ", "),
            remedy: Suggestion.nearest(to: name, among: names).map { "did you mean `\($0)`?" })
    }
}
