import ArgumentParser
import Foundation
import SSFImages
import SSFTensors
import SSFTraining

/// Everything that `ssf predict` takes.
public struct PredictionOptions: ParsableArguments {
    /// How predictions are printed.
    public enum Format: String, ExpressibleByArgument, CaseIterable, Sendable {
        case text, json, csv
    }

    @Option(help: ArgumentHelp("Model with a classifier, or the base of the adapter.", valueName: "path"))
    public var model: String?

    @Option(help: ArgumentHelp("Adapter folder of a run, or the run's folder: its best.", valueName: "path"))
    public var adapter: String?

    @Argument(help: ArgumentHelp("Images, and folders of images.", valueName: "files"))
    public var files: [String]

    @Option(parsing: .unconditional, help: "Classes to name for each image.")
    public var topk = 5

    @Option(help: "How to print: text, json or csv.")
    public var format = Format.text

    @Option(name: [.customShort("b"), .long], parsing: .unconditional, help: "Images of a batch.")
    public var batchSize = 16

    @Option(help: "Orientation of photographs: apply or ignore (default: apply).")
    public var exifOrientation: String?

    @Flag(help: "Leave out images that cannot be read, and say which, instead of stopping.")
    public var skipBadImages = false

    @Option(name: [.customShort("j"), .long], parsing: .unconditional, help: "Threads that decode images ahead.")
    public var workers = 1

    @OptionGroup(title: "Preprocessing") public var preprocessing: PreprocessingOptions
    @OptionGroup(title: "Run time") public var runtime: RuntimeOptions

    public init() {}

    public func validate() throws {
        if topk < 1 { throw ValidationError("--topk must be 1 or more, not \(topk).") }
        if batchSize < 1 { throw ValidationError("--batch-size must be 1 or more, not \(batchSize).") }
        if workers < 1 { throw ValidationError("--workers must be 1 or more, not \(workers).") }
    }
}

/// What is predicted for one image, most probable class first; the form of `ssf predict --format json`.
public struct FilePrediction: Codable, Sendable, Equatable {
    public struct Class: Codable, Sendable, Equatable {
        public var index: Int
        public var label: String
        /// Softmax over all classes, in 0...1.
        public var probability: Double
    }
    public var file: String
    public var top: [Class]

    /// The `topk` most probable classes of one row of logits; of equal ones the lower index comes first.
    public init(file: String, logits: UnsafeBufferPointer<Float>, classes: [String], topk: Int) {
        self.file = file
        let highest = logits.max() ?? 0
        let weights = logits.map { exp(Double($0 - highest)) }
        let sum = weights.reduce(0, +)
        let order = weights.indices.sorted { (-weights[$0], $0) < (-weights[$1], $1) }
        top = order.prefix(topk).map { Class(index: $0, label: classes[$0], probability: weights[$0] / sum) }
    }
}

/// `ssf predict`: classes of single images. Results go to standard output, everything else to standard error.
public struct PredictionRun {
    private let options: PredictionOptions
    private let console: Console

    public init(options: PredictionOptions, console: Console) {
        self.options = options
        self.console = console
    }

    public func run() throws {
        let files = try Self.images(at: options.files)
        let opened = try OpenedModel.open(
            model: options.model, adapter: options.adapter,
            stated: try PreprocessingResolution.stated(options.preprocessing),
            precision: try options.runtime.chosenPrecision())
        for note in opened.notes { console.note(note) }
        let dataset = ImageDataset(
            name: "files", classes: opened.classes, items: files.map { ImageItem(source: .file($0), label: 0) })
        let source = opened.source(
            dataset, orientation: try .named(options.exifOrientation, default: .apply), workers: options.workers,
            skipsBadImages: options.skipBadImages)

        var predictions: [FilePrediction] = []
        try Evaluator(model: opened.model, batchSize: options.batchSize).forEachBatch(of: source) { batch, logits in
            let classes = opened.classes.count
            for i in 0..<batch.count {
                predictions.append(
                    FilePrediction(
                        file: files[batch.indices[i]],
                        logits: UnsafeBufferPointer(rebasing: logits[i * classes..<(i + 1) * classes]),
                        classes: opened.classes, topk: options.topk))
            }
        }
        for (_, error) in source.badImages.sorted(by: { $0.key < $1.key }) { console.warning(error.description) }
        let descriptions = (opened.adapter?.configuration.labelDescriptions ?? opened.statedDescriptions) ?? [:]
        try StandardOutput.write(try Self.text(predictions, format: options.format, descriptions: descriptions))
        if predictions.isEmpty { throw UserError("no image could be read", remedy: "check the files") }
        if let adapter = options.adapter {
            console.next("ssf merge --adapter \(Shell.quoted(adapter)) --output MERGED --verify")
        }
    }

    /// The files that are named, and the images in the folders that are named, in order.
    static func images(at paths: [String]) throws -> [String] {
        let endings: Set = ["png", "jpg", "jpeg", "jpe", "jfif"]
        var found: [String] = []
        for path in paths {
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
                throw UserError("\(path) does not exist", expected: "an image or a folder of images")
            }
            guard isFolder.boolValue else {
                found.append(path)
                continue
            }
            let names = (FileManager.default.enumerator(atPath: path)?.allObjects as? [String] ?? []).sorted()
            let images = names.filter {
                endings.contains(URL(fileURLWithPath: $0).pathExtension.lowercased())
                    && !$0.split(separator: "/").contains { $0.hasPrefix(".") }
            }
            guard !images.isEmpty else {
                throw UserError("\(path) holds no images", expected: "files that end in .png, .jpg or .jpeg")
            }
            found += images.map { (path.hasSuffix("/") ? path : path + "/") + $0 }
        }
        return found
    }

    /// The predictions as a person or a program reads them.
    static func text(
        _ predictions: [FilePrediction], format: PredictionOptions.Format, descriptions: [String: String]
    ) throws -> String {
        switch format {
        case .json:
            return try JSONText.of(predictions)
        case .csv:
            let rows = predictions.flatMap { prediction in
                prediction.top.enumerated().map { rank, one in
                    CSV.row([
                        prediction.file, String(rank + 1), String(one.index), one.label,
                        String(format: "%.6f", one.probability),
                    ])
                }
            }
            return (["file,rank,index,label,probability"] + rows).joined(separator: "\n") + "\n"
        case .text:
            return predictions.map { prediction in
                prediction.file + "\n"
                    + prediction.top.map { one in
                        let described = descriptions[one.label].map { " (\($0))" } ?? ""
                        return "  \(String(format: "%6.2f", 100 * one.probability)) %  \(one.label)\(described)\n"
                    }.joined()
            }.joined()
        }
    }
}
