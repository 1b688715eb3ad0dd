import ArgumentParser
import Foundation
import SSFTuning

/// Everything that `ssf train` takes. Each option is unset unless a person gave it: defaults are resolved later, under
/// the YAML file and the run that is resumed.
public struct TrainOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Pre-trained model: a folder or file, timm's or Hugging Face's.", valueName: "path"))
    public var model: String?

    @Option(
        name: [.long, .customLong("tuning-mode")],
        help: ArgumentHelp(
            "Tuning method: \(TuningRegistry.methods.map(\.name).joined(separator: ", ")) (default: ssf).",
            valueName: "name"))
    public var method: String?

    @Option(
        name: [.customShort("c"), .long],
        help: ArgumentHelp("YAML file of settings named as these options; options win over it.", valueName: "file"))
    public var config: String?

    @Option(help: ArgumentHelp("Go on with a run: its folder, or the `last` folder in it.", valueName: "path"))
    public var resume: String?

    @Option(help: ArgumentHelp("Folder in which the run's folder is made (default: runs).", valueName: "path"))
    public var output: String?

    @Option(help: ArgumentHelp("Name of the run's folder (default: data, method and model).", valueName: "name"))
    public var experiment: String?

    @Flag(help: "Say what would be trained, in which memory and time, and stop.")
    public var dryRun = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Make this many steps, print the time, FLOPs and bytes of every operation in them, and stop; nothing is "
                + "written.", valueName: "steps"))
    public var profile: Int?

    @Option(help: "What --dry-run and --profile print on standard output: text or json.")
    public var format = ReportFormat.text

    @Option(help: ArgumentHelp("Write the profile here as JSON, whatever is printed.", valueName: "file"))
    public var profileFile: String?

    @Flag(
        help: "Keep one value of each block for backward, and compute the rest again: a third more time, little memory."
    )
    public var recompute = false

    @Flag(help: "Compute the features of frozen layers anew in every epoch where they could be kept.")
    public var noFeatureCache = false

    @Option(
        help: ArgumentHelp(
            "Begin with an adapter of the same method and base that was trained on another task: its folder, or a run's.",
            valueName: "path"))
    public var initFrom: String?

    @OptionGroup(title: "Method") public var tuning: MethodOptions
    @OptionGroup(title: "Data") public var data: DataOptions
    @Option(
        parsing: .unconditional,
        help: "Part of the training images set apart for validation where there is no such part.")
    public var valFraction: Double?
    @Option(parsing: .unconditional, help: "Part of the images set apart for the test where there are no splits.")
    public var testFraction: Double?
    @Option(
        parsing: .unconditional,
        help: "Seed by which images are set apart for validation and test (default: that of --seed).")
    public var splitSeed: Int?
    @Flag(help: "Leave the test part alone: it is set apart, and no image of it is read.")
    public var noTest = false
    @Flag(help: "Evaluate the last epoch on the test part too, where another is the best.")
    public var testLast = false
    @OptionGroup(title: "Preprocessing") public var preprocessing: PreprocessingOptions
    @Option(
        help: ArgumentHelp(
            "How the position embedding is resized to another input size: timm (bicubic, antialias) or reference (the "
                + "SSF code's: bicubic without).", valueName: "rule"))
    public var posEmbedResize: String?
    @OptionGroup(title: "Augmentation") public var augmentation: AugmentationOptions
    @OptionGroup(title: "Optimisation") public var optimization: OptimizationOptions
    @OptionGroup(title: "Training from scratch") public var scratch: ScratchOptions
    @OptionGroup(title: "Run time") public var runtime: RuntimeOptions

    public init() {}

    public func validate() throws {
        if let profile, !(1...100_000).contains(profile) {
            throw ValidationError("--profile must be 1 to 100000 steps, not \(profile).")
        }
        if profile != nil, dryRun { throw ValidationError("--profile and --dry-run exclude each other.") }
        if profileFile != nil, profile == nil { throw ValidationError("--profile-file needs --profile.") }
        if format == .json, profile == nil, !dryRun {
            throw ValidationError("--format json needs --profile or --dry-run.")
        }
    }
}
