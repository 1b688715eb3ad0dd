import ArgumentParser

/// Everything that `ssf compare` takes. What it does not know belongs to `ssf train`, and is handed to every run.
public struct CompareOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Pre-trained model: a folder or file, timm's or Hugging Face's.", valueName: "path"))
    public var model: String?

    @Option(
        name: [.long, .customLong("data-dir")],
        help: ArgumentHelp(
            "Images, in any layout of `ssf train`; several sets by repeating it or separated by commas.",
            valueName: "path"))
    public var data: [String] = []

    @Option(
        help: ArgumentHelp(
            "Methods, separated by commas, each with settings of its own if need be: ssf,lora:rank=4:lr=1e-3 (default: "
                + "all).", valueName: "names"))
    public var methods: [String] = []

    @Option(
        help: ArgumentHelp(
            "The methods of a table: \(ComparePreset.allCases.map(\.rawValue).joined(separator: ", ")).",
            valueName: "name"))
    public var preset: String?

    @Option(help: ArgumentHelp("Seeds: how many, or which (default: 3, which is 0,1,2).", valueName: "n|list"))
    public var seeds: String?

    @Option(
        help: ArgumentHelp(
            "Choose a setting of every method by validation, before the runs that are reported; may be repeated.",
            valueName: "key=a,b,c"))
    public var sweep: [String] = []

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Runs of the sweep for each method and set (default: the most that a method needs).", valueName: "n"))
    public var trials: Int?

    @Option(
        name: [.customShort("c"), .long],
        help: ArgumentHelp("YAML file of settings named as these options and those of ssf train.", valueName: "file"))
    public var config: String?

    @Option(help: ArgumentHelp("Folder for the runs and the report (default: comparison).", valueName: "path"))
    public var output: String?

    @Flag(help: "Go on in the folder of --output: what it holds of these runs is kept.")
    public var resume = false

    @Flag(help: "List the runs and about how long they take, and stop.")
    public var dryRun = false

    @Option(help: "How to print the report: text or json.")
    public var format = ReportFormat.text

    @Flag(help: "Say nothing but warnings, errors and the report.")
    public var quiet = false

    @Argument(
        parsing: .allUnrecognized,
        help: ArgumentHelp("Options of `ssf train` for every run, such as --epochs 30.", valueName: "train options"))
    public var training: [String] = []

    public init() {}

    public func validate() throws {
        if let trials, !(1...100_000).contains(trials) {
            throw ValidationError("--trials must be 1 to 100000, not \(trials).")
        }
    }
}
