import ArgumentParser
import Foundation
@preconcurrency import Rainbow
import SSFCheckpoints
import SSFImages
import SSFTensors
import SSFTraining
import SSFTuning

/// Everything that `ssf merge` takes.
public struct MergeOptions: ParsableArguments {
    /// The types in which merged weights can be stored.
    public enum StoredType: String, ExpressibleByArgument, CaseIterable, Sendable {
        case f32, f16, bf16

        var dtype: DType {
            switch self {
            case .f32: .f32
            case .f16: .f16
            case .bf16: .bf16
            }
        }
    }

    @Option(help: ArgumentHelp("Adapter folder of a run, or the run's folder: its best.", valueName: "path"))
    public var adapter: String

    @Option(help: ArgumentHelp("The adapter's base, where that is not where it was.", valueName: "path"))
    public var model: String?

    @Option(help: ArgumentHelp("Folder to write.", valueName: "path"))
    public var output: String

    @Option(help: "Type of the merged weights: f32, f16 or bf16.")
    public var dtype = StoredType.f32

    @Flag(help: "Read back what was written and compare it with base and adapter on images.")
    public var verify = false

    @Option(
        name: [.long, .customLong("data-dir")],
        help: ArgumentHelp("Images to verify on; without them, images of noise.", valueName: "path"))
    public var data: String?

    @Option(parsing: .unconditional, help: "How many images to verify on.")
    public var images = 64

    @OptionGroup(title: "Run time") public var runtime: RuntimeOptions

    public init() {}

    public func validate() throws {
        if images < 1 { throw ValidationError("--images must be 1 or more, not \(images).") }
        if data != nil && !verify { throw ValidationError("--data names images for --verify, which is not given.") }
    }
}

/// `ssf merge`: folds an adapter into its base, so that the tuned model costs nothing more than the base and loads in
/// timm.
public struct MergeRun {
    private let options: MergeOptions
    private let console: Console

    public init(options: MergeOptions, console: Console) {
        self.options = options
        self.console = console
    }

    /// - Returns: the exit code; 2 when the written model does not agree with base and adapter.
    public func run() throws -> Int32 {
        try MergedFolder.checkPlace(options.output)
        let opened = try OpenedModel.open(model: options.model, adapter: options.adapter)
        guard let adapter = opened.adapter else { preconditionFailure("an adapter was opened") }
        for note in opened.notes { console.note(note) }
        // Opened before anything is written: a mistake in --data leaves no folder behind.
        let images = options.verify ? try verificationImages(opened) : nil

        let merged = try opened.model.merged().mapValues { $0.converted(to: options.dtype.dtype) }
        var folder = MergedFolder(
            tensors: merged, configuration: opened.base.configuration, labelNames: opened.classes,
            labelDescriptions: adapter.configuration.labelDescriptions, preprocessing: opened.preprocessing)
        folder.modelCard = card(opened, adapter)
        for difference in try folder.write(to: options.output) { console.warning(difference) }
        let bytes = merged.values.reduce(0) { $0 + $1.byteCount }
        console.line(
            "merged \(merged.count) tensors, \(Formatting.bytes(bytes)) in \(options.dtype.rawValue), "
                + "into \(options.output)")

        var code: Int32 = 0
        if let images { code = try verify(opened, on: images.source, images.described) ? 0 : 2 }
        console.next("ssf predict --model \(Shell.quoted(options.output)) IMAGE")
        return code
    }

    private func verificationImages(_ opened: OpenedModel) throws -> (source: any BatchSource, described: String) {
        guard let data = options.data else {
            let source = NoiseImages.source(
                count: options.images, height: opened.preprocessing.height, width: opened.preprocessing.width)
            return (source, "\(options.images) images of noise")
        }
        let collection = try DatasetCollection.open(data)
        let split = collection.split("test") ?? collection.split("val") ?? collection.splits[0]
        let dataset = split.subset(Array(0..<min(options.images, split.count)))
        guard dataset.count > 0 else { throw UserError("\(data): the split \(split.name) has no images") }
        let source = opened.source(
            dataset, orientation: collection.format.defaultOrientation, workers: 1, skipsBadImages: true)
        return (source, "\(dataset.count) images of \(split.name)")
    }

    private func verify(_ opened: OpenedModel, on source: any BatchSource, _ described: String) throws -> Bool {
        // The file is read anew: what was written counts, not what was in memory.
        let written = try OpenedModel.open(checkpoint: try Checkpoint.load(options.output))
        let comparison = try ModelComparison(
            opened.model, written.model, on: source, relativeTolerance: options.dtype == .f32 ? 1e-4 : 2e-2)
        console.line(
            "verify \(options.output) on \(described): largest difference "
                + "\(Formatting.scientific(comparison.largestDifference)) of logits up to "
                + "\(Formatting.fixed(comparison.largestLogit, 2)) (allowed \(Formatting.scientific(comparison.tolerance))), "
                + "argmax \(comparison.agreements) of \(comparison.images)")
        if comparison.passes {
            console.line("verified".green)
        } else {
            console.error("the merged model does not agree with base and adapter")
        }
        return comparison.passes
    }

    private func card(_ opened: OpenedModel, _ adapter: AdapterFolder) -> String {
        var card = ModelCard(
            title: "\(opened.base.configuration.architecture ?? "Vision transformer") with "
                + "\(adapter.configuration.tuningMode) merged",
            summary: "A whole model: the tuning is folded into the weights and costs nothing at run time.")
        if case .checkpoint = opened.base { card.baseModel = opened.base.path }
        card.tags = [adapter.configuration.tuningMode, "timm"]
        card.classes = opened.classes
        card.usage = [
            "ssf predict --model \(options.output) IMAGE",
            "python -c 'import timm; timm.create_model(\"local-dir:\(options.output)\", pretrained=True)'",
        ]
        return card.markdown
    }
}
