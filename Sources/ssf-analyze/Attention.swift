import ArgumentParser
import SSFAnalysis
import SSFCommands
import SSFTensors

struct Attention: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show where models look: maps of attention over images (Figure 7).",
        discussion: """
            A grid of images and models: the image, and for each --model what its class token looks at, laid over the \
            image, with the predicted class below and whether it is right. Images are named as files and folders, or \
            taken from a data set with --data (the first --limit of the test part, drawn evenly from the classes; \
            default: 4).

            --method class-token (default): the probabilities with which the class token attends to each patch in one \
            block, the last unless --block says otherwise; the mean of the heads, each head, or one (--heads). They are \
            those of the model, with all that tuning has changed in them.

            --method rollout (Abnar and Zuidema, 2020): what part of the class token comes from which patch through all \
            blocks up to --block, each taken for 0.5 A + 0.5 I with the mean of the heads for A.

            Prompts (VPT) are no part of the image: their columns are dropped and the rest is divided by its sum. In a \
            rollout, deep prompts end the paths that lead through them, for every block throws away what the one before \
            made of its own.

            A map has a number for each patch. It is laid where the model saw the image, the crop and the resize undone, \
            and blended between the middles of patches (--upsampling nearest shows the patches). Colours go from the \
            least to the greatest number of a map; what the model was not shown is dark.

            The folder of --output receives attention.png, .svg and .pdf (the grid), attention.csv and attention.json, and \
            in cells/ for every image and model the overlay and the map alone as PNG in the size of the image, and the \
            numbers as NPY [maps, rows, columns].
            """)

    @Argument(help: ArgumentHelp("Images, and folders of images.", valueName: "files"))
    var files: [String] = []

    @OptionGroup(title: "Models") var models: ModelListOptions

    @Option(help: "What is shown: class-token or rollout.")
    var method = AttentionRun.Method.classToken

    @Option(parsing: .unconditional, help: ArgumentHelp("Block, from 0 (default: the last).", valueName: "n"))
    var block: Int?

    @Option(help: ArgumentHelp("Heads: mean, each, or the number of one, from 0.", valueName: "heads"))
    var heads = AttentionRun.Heads.mean

    @Option(help: "Between the middles of patches: bilinear or nearest.")
    var upsampling = AttentionPicture.Interpolation.bilinear

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Part of the patches, those with most, that share the last colour: a few often take so much that nothing "
                + "else is seen.", valueName: "percent"))
    var saturate = 0.0

    @Option(help: ArgumentHelp("Folder for pictures and numbers.", valueName: "path"))
    var output: String

    @OptionGroup(title: "Data") var data: AnalysisDataOptions
    @OptionGroup(title: "Preprocessing") var preprocessing: PreprocessingOptions
    @OptionGroup(title: "Run time") var runtime: RuntimeOptions

    func validate() throws {
        if let block, block < 0 { throw ValidationError("--block must be 0 or more, not \(block).") }
        if !(0..<100).contains(saturate) {
            throw ValidationError("--saturate must be 0 or more and less than 100, not \(saturate).")
        }
        if method == .rollout, heads != .mean {
            throw ValidationError("--heads \(heads) has no meaning for a rollout, which takes the mean of the heads.")
        }
        if files.isEmpty == (data.data == nil) {
            throw ValidationError("Name images, or a data set with --data\(files.isEmpty ? "" : ", not both").")
        }
    }

    func run() throws {
        try Program.begin(runtime)
        try AttentionRun(options: self, console: Console(quiet: runtime.quiet)).run()
    }
}

extension AttentionRun.Method: ExpressibleByArgument {}
extension AttentionPicture.Interpolation: ExpressibleByArgument {}

extension AttentionRun.Heads: ExpressibleByArgument {
    init?(argument: String) {
        switch argument {
        case "mean": self = .mean
        case "each": self = .each
        default:
            guard let number = Int(argument), number >= 0 else { return nil }
            self = .one(number)
        }
    }

    var defaultValueDescription: String { description }
}
