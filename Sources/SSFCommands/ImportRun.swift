import ArgumentParser
import Foundation
import SSFCheckpoints
import SSFTensors
import SSFTuning

/// Everything that `ssf import` takes.
public struct ImportOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A folder of Hugging Face's PEFT with LoRA, or a .safetensors state dict of the SSF reference code.",
            valueName: "path"))
    public var source: String

    @Option(help: ArgumentHelp("The base model that was tuned.", valueName: "path"))
    public var model: String

    @Option(
        help: ArgumentHelp("Text file with the name of each class on a line, in head order.", valueName: "file"))
    public var classNames: String?

    @Option(help: ArgumentHelp("Adapter folder to write.", valueName: "path"))
    public var output: String

    @OptionGroup(title: "Run time") public var runtime: RuntimeOptions

    public init() {}
}

/// `ssf import`: what another program has tuned as an adapter folder.
public struct ImportRun {
    private let options: ImportOptions
    private let console: Console

    public init(options: ImportOptions, console: Console) {
        self.options = options
        self.console = console
    }

    public func run() throws {
        let checkpoint = try Checkpoint.load(options.model)
        let base = BaseModel.checkpoint(checkpoint)
        var (tuning, tensors) = try source(checkpoint)
        if tensors["head.weight"] == nil {
            guard let head = checkpoint.tensors["head.weight"] else {
                throw UserError("\(options.source) has no classifier, and \(options.model) has none either")
            }
            tensors["head.weight"] = head.converted(to: .f32)
            tensors["head.bias"] = checkpoint.tensors["head.bias"]?.converted(to: .f32)
            console.note("classifier: that of \(options.model); \(options.source) has none")
        }
        let names = try classNames(count: tensors["head.weight"]!.shape[0], checkpoint.configuration)
        let (preprocessing, notes) = try PreprocessingResolution.resolve(
            options: PartialPreprocessing(), model: checkpoint.configuration.statedPreprocessing,
            nativeSize: try base.nativeSize(), resizesDirectly: false)
        for note in notes { console.note(note) }
        let model = try base.tuned(
            TunedModel.Options(
                tuning: tuning, classes: names, imageSize: (preprocessing.height, preprocessing.width)))
        try model.load(adapterTensors: tensors)
        try AdapterWriter(
            model: model, base: base, preprocessing: preprocessing, dataset: "imported from \(options.source)",
            recipe: []
        ).write(to: options.output, metrics: [], state: nil)
        console.line("imported \(tensors.count) tensors of \(tuning.method) into \(options.output)")
        console.next("ssf predict --adapter \(Shell.quoted(options.output)) IMAGE")
    }

    /// The method and the adapter's tensors.
    private func source(_ base: Checkpoint) throws -> (TuningConfiguration, [String: Tensor]) {
        if PEFTFolder.isPEFT(options.source) {
            let folder = try PEFTFolder.read(options.source)
            return (
                try LowRankTuning.configuration(of: folder),
                folder.factors.merging(folder.classifier) { own, _ in own }
            )
        }
        if AdapterFolder.isAdapter(options.source) {
            throw UserError("\(options.source) is an adapter folder already", remedy: "pass it as --adapter")
        }
        guard options.source.hasSuffix(".safetensors") else {
            throw UserError(
                "\(options.source) is nothing that can be imported",
                expected: "a folder of PEFT, or a .safetensors state dict of the SSF reference",
                remedy: "save a .pth state dict with safetensors.torch.save_file")
        }
        let tensors = try Safetensors.read(options.source).tensors
        guard SSFReferenceKeys.recognises(tensors) else {
            throw UserError(
                "\(options.source) holds no ssf_scale_1, ...", expected: "a state dict of the SSF reference")
        }
        return (
            TuningConfiguration(method: ScalingAndShifting.name),
            try ScalingAndShifting.adapter(
                fromReference: tensors, path: options.source, base: base.tensors, classifierSites: ["head"])
        )
    }

    private func classNames(count: Int, _ configuration: ModelConfiguration) throws -> [String] {
        guard let file = options.classNames else {
            if let names = configuration.labelNames, names.count == count {
                console.note("classes: the \(count) of the base model")
                return names
            }
            console.note("classes: their numbers; --class-names names them")
            return (0..<count).map(String.init)
        }
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw UserError("\(file) cannot be read", expected: "a text file", remedy: "check --class-names")
        }
        let names = text.split(whereSeparator: \.isNewline).map(String.init)
        guard names.count == count, Set(names).count == count else {
            throw UserError("\(file): the classes", expected: "\(count) different names", found: "\(names.count) lines")
        }
        return names
    }
}
