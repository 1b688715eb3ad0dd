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

    @Option(
        name: .customLong("adapter"), parsing: .singleValue,
        help: ArgumentHelp(
            "Adapter folder of a run, or the run's folder: its best. Several, or a folder of several, are run over one "
                + "backbone.", valueName: "path"))
    public var adapters: [String] = []

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
    /// Whose answer it is, where several adapters answer.
    public var adapter: String?
    public var top: [Class]

    /// The `topk` most probable classes of one row of logits; of equal ones the lower index comes first.
    public init(
        file: String, adapter: String? = nil, logits: UnsafeBufferPointer<Float>, classes: [String], topk: Int
    ) {
        self.file = file
        self.adapter = adapter
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
        let set = try AdapterSet.open(
            model: options.model, adapters: options.adapters,
            stated: try PreprocessingResolution.stated(options.preprocessing),
            precision: try options.runtime.chosenPrecision())
        for member in set.members {
            for note in member.opened.notes { console.note(set.hasSeveral ? "\(member.label): \(note)" : note) }
        }

        // By file, then by adapter.
        var answers = [[FilePrediction?]](
            repeating: Array(repeating: nil, count: set.members.count), count: files.count)
        var unreadable: [Int: UserError] = [:]
        for group in set.groups(of: set.members.indices) {
            let first = set.members[group[0]].opened
            let dataset = ImageDataset(
                name: "files", classes: first.classes, items: files.map { ImageItem(source: .file($0), label: 0) })
            let source = first.source(
                dataset, orientation: try .named(options.exifOrientation, default: .apply), workers: options.workers,
                skipsBadImages: options.skipBadImages)
            let evaluator = JointEvaluator(
                models: group.map { set.members[$0].opened.model }, batchSize: options.batchSize)
            try evaluator.forEachBatch(of: source) { batch, position, logits in
                let member = set.members[group[position]]
                let classes = member.opened.classes
                for i in 0..<batch.count {
                    answers[batch.indices[i]][group[position]] = FilePrediction(
                        file: files[batch.indices[i]], adapter: set.hasSeveral ? member.label : nil,
                        logits: UnsafeBufferPointer(rebasing: logits[i * classes.count..<(i + 1) * classes.count]),
                        classes: classes, topk: options.topk)
                }
            }
            unreadable.merge(source.badImages) { first, _ in first }
        }
        let predictions = answers.flatMap { $0.compactMap { $0 } }
        for (_, error) in unreadable.sorted(by: { $0.key < $1.key }) { console.warning(error.description) }
        if let summary = set.summary { console.line(summary) }
        try StandardOutput.write(
            try Self.text(predictions, format: options.format) { adapter, label in
                let member = adapter.flatMap { name in set.members.first { $0.label == name } } ?? set.members[0]
                return member.opened.labelDescriptions[label]
            })
        if predictions.isEmpty { throw UserError("no image could be read", remedy: "check the files") }
        if !set.hasSeveral, let adapter = options.adapters.first {
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
    ///
    /// - Parameter described: what a class name of an adapter means, where that is known.
    static func text(
        _ predictions: [FilePrediction], format: PredictionOptions.Format,
        described: (_ adapter: String?, _ label: String) -> String?
    ) throws -> String {
        let isOfSeveral = predictions.contains { $0.adapter != nil }
        switch format {
        case .json:
            return try JSONText.of(predictions)
        case .csv:
            let rows = predictions.flatMap { prediction in
                prediction.top.enumerated().map { rank, one in
                    CSV.row(
                        [prediction.file] + (isOfSeveral ? [prediction.adapter ?? ""] : []) + [
                            String(rank + 1), String(one.index), one.label, String(format: "%.6f", one.probability),
                        ])
                }
            }
            let header = "file,\(isOfSeveral ? "adapter," : "")rank,index,label,probability"
            return ([header] + rows).joined(separator: "\n") + "\n"
        case .text:
            var text = ""
            for prediction in predictions {
                if prediction.adapter == predictions[0].adapter { text += prediction.file + "\n" }
                if let adapter = prediction.adapter { text += "  \(adapter)\n" }
                for one in prediction.top {
                    let meaning = described(prediction.adapter, one.label).map { " (\($0))" } ?? ""
                    text +=
                        (isOfSeveral ? "  " : "")
                        + "  \(String(format: "%6.2f", 100 * one.probability)) %  \(one.label)\(meaning)\n"
                }
            }
            return text
        }
    }
}
