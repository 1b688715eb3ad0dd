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

    @Option(help: ArgumentHelp("Adapter folder of a run, or the run's folder: its best.", valueName: "path"))
    public var adapter: String?

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
        let opened = try OpenedModel.open(
            model: options.model, adapter: options.adapter,
            stated: try PreprocessingResolution.stated(options.preprocessing),
            precision: try options.runtime.chosenPrecision())
        for note in opened.notes { console.note(note) }
        let format = try options.dataFormat.map(DataFormat.named)
        let collection = try DatasetCollection.open(options.data, format: format)
        let dataset = try collection.evaluated(options.split, requiresFiles: !options.skipBadImages)
        let labels = try Self.classMapping(from: collection.classes, to: opened.classes, model: opened.name)
        let source = opened.source(
            labels.map { dataset.relabelled($0, classes: opened.classes) } ?? dataset,
            orientation: try .named(options.exifOrientation, default: collection.format.defaultOrientation),
            workers: options.workers, skipsBadImages: options.skipBadImages)
        console.line(
            "model \(opened.name)  isa \(KernelTable.current.instructionSet.rawValue)  threads \(Parallel.threads)  "
                + "data \(dataset.name), \(dataset.summary)")

        let begin = ProcessInfo.processInfo.systemUptime
        let predictions = try Evaluator(model: opened.model, batchSize: options.batchSize).predictions(for: source)
        let seconds = ProcessInfo.processInfo.systemUptime - begin
        let results = RunResults(predictions: predictions, classes: opened.classes)
        if !source.badImages.isEmpty {
            console.warning("\(source.badImages.count) images could not be read and were left out")
        }
        let metrics = results.metrics
        try StandardOutput.line(
            "\(dataset.name)  images \(metrics.count)  loss \(Formatting.fixed(metrics.loss, 4))  "
                + "top1 \(Formatting.percent(metrics.top1, 2))  top5 \(Formatting.percent(metrics.top5, 2))  "
                + "macro recall \(Formatting.percent(metrics.macroRecall, 2))")
        console.line("\(Formatting.fixed(Double(metrics.count) / max(seconds, 1e-9), 1)) img/s; lowest recalls:")
        for line in results.lines { console.line(line) }
        if let file = options.resultsFile {
            let text =
                file.hasSuffix(".json")
                ? try JSONText.of(results.summary(split: dataset.name, skippedImages: source.badImages.count))
                : results.predictionsCSV(of: source.dataset)
            try OutputFile.write(Data(text.utf8), to: file)
            console.line("saved \(file)")
        }
        let name =
            options.adapter.map { "--adapter \(Shell.quoted($0))" }
            ?? "--model \(Shell.quoted(options.model ?? "MODEL"))"
        console.next("ssf predict \(name) IMAGE")
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

extension ImageDataset {
    /// The same images with their labels in another head's numbering.
    func relabelled(_ mapping: [Int], classes: [String]) -> ImageDataset {
        ImageDataset(
            name: name, classes: classes,
            items: items.map { ImageItem(source: $0.source, label: mapping[Int($0.label)], line: $0.line) }, list: list)
    }
}
