import ArgumentParser
import Foundation
import SSFCheckpoints
import SSFTensors
import SSFTuning

/// Everything that `ssf unmerge` takes.
public struct UnmergeOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Merged folder.", valueName: "path"))
    public var model: String

    @Option(help: ArgumentHelp("The adapter that was merged.", valueName: "path"))
    public var adapter: String

    @Option(help: ArgumentHelp("The adapter's base, whose tensors are then returned exactly.", valueName: "path"))
    public var base: String?

    @Option(help: ArgumentHelp("Folder to write.", valueName: "path"))
    public var output: String

    @OptionGroup(title: "Run time") public var runtime: RuntimeOptions

    public init() {}
}

/// `ssf unmerge`: takes an adapter out of a merged model again.
public struct UnmergeRun {
    private let options: UnmergeOptions
    private let console: Console

    public init(options: UnmergeOptions, console: Console) {
        self.options = options
        self.console = console
    }

    public func run() throws {
        try MergedFolder.checkPlace(options.output)
        let merged = try Checkpoint.load(options.model)
        let adapter = try AdapterFolder.read(RunFolder.adapter("best", of: options.adapter))
        try checkMerged(merged, adapter)
        let base = try options.base.map(Checkpoint.load)
        if let base, var mismatch = adapter.mismatch(baseChecksum: base.checksum, basePath: base.path) {
            mismatch.remedy = "pass the base model that was tuned as --base"
            throw mismatch
        }
        reportVanishing(adapter)

        var folder: MergedFolder
        if let base {
            folder = MergedFolder(
                tensors: base.tensors, configuration: base.configuration,
                labelNames: base.configuration.labelNames ?? [],
                labelDescriptions: base.configuration.labelDescriptions,
                preprocessing: try preprocessing(of: base))
            console.line("the tensors are those of \(base.path), exactly")
        } else {
            let (tensors, notes) = try TunedModel.unmerged(
                merged, adapter: adapter.tensors,
                tuning: try TuningConfiguration(adapter.configuration))
            for note in notes { console.note(note) }
            console.note("the classifier stays that of the task: merging replaced the base's")
            folder = MergedFolder(
                tensors: tensors, configuration: merged.configuration, labelNames: adapter.configuration.labelNames,
                labelDescriptions: adapter.configuration.labelDescriptions,
                preprocessing: adapter.configuration.preprocessing)
        }
        let rows = folder.tensors["head.weight"]?.shape[0] ?? 0
        if folder.labelNames.count != rows { folder.labelNames = (0..<rows).map(String.init) }
        for difference in try folder.write(to: options.output) { console.warning(difference) }
        console.line("unmerged \(folder.tensors.count) tensors into \(options.output)")
        console.next("ssf train --model \(Shell.quoted(options.output)) --data IMAGES")
    }

    /// Taking an adapter out of a model into which it was never merged would give weights of no model. The classifier
    /// tells: merging puts the adapter's in the place of the base's.
    ///
    /// - Throws: `UserError` when classes or classifier of the model are not the adapter's.
    private func checkMerged(_ merged: Checkpoint, _ adapter: AdapterFolder) throws {
        let remedy = "pass the adapter that was merged into \(options.model)"
        let labels = merged.configuration.labelNames ?? []
        guard labels.isEmpty || labels == adapter.configuration.labelNames else {
            throw UserError(
                "the classes of \(options.model) are not those of \(options.adapter)",
                expected: adapter.configuration.labelNames.prefix(8).joined(separator: ", "),
                found: labels.prefix(8).joined(separator: ", "), remedy: remedy)
        }
        for name in ["head.weight", "head.bias"] {
            guard let trained = adapter.tensors[name] else { continue }
            // As merging stored it: rounded to the type of the file.
            guard let stored = merged.tensors[name], stored.shape.count == trained.shape.count,
                zip(trained.converted(to: stored.dtype).values, stored.values).allSatisfy({
                    abs($0 - $1) <= 1e-6 * abs($0)
                })
            else {
                throw UserError(
                    "\(options.adapter) was not merged into \(options.model): \(name) differs", remedy: remedy)
            }
        }
    }

    /// Names the sites whose scale has nearly vanished: dividing by it loses what was there.
    private func reportVanishing(_ adapter: AdapterFolder) {
        let sites = adapter.tensors.compactMap { name, tensor -> (String, Int)? in
            guard name.hasSuffix(".scale") else { return nil }
            let vanishing = tensor.values.count { abs($0) < 1e-6 }
            return vanishing == 0 ? nil : (String(name.dropLast(".scale".count)), vanishing)
        }
        for (site, count) in sites.sorted(by: { $0.0 < $1.0 }) {
            console.warning("\(site): \(count) channels have a scale below 1e-6, which only the base can restore")
        }
    }

    private func preprocessing(of base: Checkpoint) throws -> Preprocessing {
        let (preprocessing, notes) = try PreprocessingResolution.resolve(
            options: PartialPreprocessing(), model: base.configuration.statedPreprocessing,
            nativeSize: try BaseModel.checkpoint(base).nativeSize(), resizesDirectly: false)
        for note in notes { console.note(note) }
        return preprocessing
    }
}
