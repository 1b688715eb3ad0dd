import ArgumentParser
import Foundation
import SSFCheckpoints
import SSFTensors
import SSFTuning

/// Everything that `ssf export` takes.
public struct ExportOptions: ParsableArguments {
    /// Who will read what is written.
    public enum Format: String, ExpressibleByArgument, CaseIterable, Sendable {
        case peft
        case reference
    }

    @Option(help: ArgumentHelp("Adapter folder of a run, or the run's folder: its best.", valueName: "path"))
    public var adapter: String

    @Option(help: ArgumentHelp("The adapter's base, where that is not where it was.", valueName: "path"))
    public var model: String?

    @Option(
        help: "peft: a folder of Hugging Face's PEFT (lora); reference: a state dict of the SSF code (ssf).")
    public var format: Format

    @Option(help: ArgumentHelp("Folder to write for peft; .safetensors file for reference.", valueName: "path"))
    public var output: String

    @OptionGroup(title: "Run time") public var runtime: RuntimeOptions

    public init() {}
}

/// `ssf export`: an adapter in the form in which another program reads it.
public struct ExportRun {
    private let options: ExportOptions
    private let console: Console

    public init(options: ExportOptions, console: Console) {
        self.options = options
        self.console = console
    }

    public func run() throws {
        let opened = try OpenedModel.open(model: options.model, adapter: options.adapter)
        for note in opened.notes { console.note(note) }
        switch options.format {
        case .peft:
            let folder = try LowRankTuning.exported(opened.model, baseModelPath: opened.base.path)
            try folder.write(to: options.output)
            console.line(
                "exported \(folder.factors.count) factors of rank \(folder.rank), for timm's model, into "
                    + options.output)
            console.line("load it with peft.PeftModel.from_pretrained(timm_model, \"\(options.output)\")")
        case .reference:
            guard options.output.hasSuffix(".safetensors") else {
                throw UserError(
                    "--output cannot be used", expected: "a file that ends with .safetensors", found: options.output)
            }
            let tensors = try ScalingAndShifting.referenceTensors(opened.model)
            try Safetensors.write(tensors, to: options.output)
            console.line("exported \(tensors.count) tensors under the reference's names into \(options.output)")
            console.line("load it with model.load_state_dict(safetensors.torch.load_file(\"\(options.output)\"))")
        }
    }
}
