import ArgumentParser

/// Everything that `ssf triage` takes.
public struct TriageOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Pre-trained model: a folder or file, timm's or Hugging Face's.", valueName: "path"))
    public var model: String

    @OptionGroup(title: "Data") public var data: DataOptions

    @Option(
        parsing: .unconditional,
        help: "Part of the training images set apart for validation where there is no such part.")
    public var valFraction = 0.2

    @Option(
        name: [.customShort("b"), .long], parsing: .unconditional, help: "Images that pass through the model at once.")
    public var batchSize = 64

    @Option(parsing: .unconditional, help: "Neighbours that vote.")
    public var neighbours = 20

    @Option(parsing: .unconditional, help: "Seed of everything drawn at random.")
    public var seed = 0

    @Option(help: "What is printed on standard output: text or json.")
    public var format = ReportFormat.text

    @Option(help: ArgumentHelp("Write the findings here as JSON, whatever is printed.", valueName: "file"))
    public var resultsFile: String?

    @OptionGroup(title: "Preprocessing") public var preprocessing: PreprocessingOptions
    @OptionGroup(title: "Run time") public var runtime: RuntimeOptions

    public init() {}

    public func validate() throws {
        if batchSize < 1 { throw ValidationError("--batch-size must be 1 or more, not \(batchSize).") }
        if neighbours < 1 { throw ValidationError("--neighbours must be 1 or more, not \(neighbours).") }
        if seed < 0 { throw ValidationError("--seed must be 0 or more, not \(seed).") }
        if !(valFraction > 0 && valFraction < 1) {
            throw ValidationError("--val-fraction must be more than 0 and less than 1, not \(valFraction).")
        }
        if data.data == nil { throw ValidationError("--data is missing: a folder of images, or synthetic:TASK.") }
    }
}
