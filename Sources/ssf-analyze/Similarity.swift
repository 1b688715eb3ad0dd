import ArgumentParser
import Foundation
import SSFAnalysis
import SSFCommands
import SSFTensors

struct Similarity: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compare the features of models, block by block, with those of a reference.",
        discussion: """
            Figure 5 of the SSF paper for your models and images: how similar the features behind each block are to \
            those of a reference, in the paper full fine-tuning. The paper does not say how it measures similarity; \
            every figure names the measure that it draws:

              cosine         mean over images of the cosine between the two models' features
              cka-biased     linear CKA over all images; too large unless images are many more than channels
              cka-unbiased   the same with the unbiased estimator of HSIC, over all images
              cka-minibatch  the same averaged over batches: needs the memory of one batch

            Cosine needs models of one width, for it compares number with number; CKA does not. Models of different \
            depth are compared in the map of all blocks against all blocks.

            Beside the models the pre-trained one is drawn (the floor), and with --ceiling the reference's method from \
            another seed: where two such runs are not alike, the measure says little of the others. The command then \
            says whether the model that was tuned by SSF is the nearest one in the last block, as the paper has it, with \
            a 95 % interval of each difference over images.

            The folder of --output receives similarity.png, .svg and .pdf (the curves), similarity-layers.* (the maps), \
            similarity.csv, similarity-layers.csv and similarity.json.
            """)

    @OptionGroup(title: "Models") var models: ModelListOptions

    @Option(help: ArgumentHelp("The model that all are compared with (default: the first).", valueName: "name"))
    var reference: String?

    @Option(
        help: ArgumentHelp("The model that is the reference's method from another seed.", valueName: "name"))
    var ceiling: String?

    @Option(
        help: ArgumentHelp(
            "The model of which it is asked whether it is the nearest (default: the one tuned by ssf).",
            valueName: "name"))
    var subject: String?

    @Flag(inversion: .prefixedNo, help: "Draw the pre-trained model too, where it is known.")
    var floor = true

    @Option(
        help: ArgumentHelp(
            "Measures to compute and draw, separated by commas, or all (default: cka-unbiased,cosine; of all tokens: "
                + "cka-minibatch,cosine).", valueName: "names"))
    var measure: String?

    @Option(
        help:
            "Features of an image: class (class token), mean (of the patch tokens) or all (tokens, one after the other)."
    )
    var tokens = "class"

    @Option(parsing: .unconditional, help: "Times that images are drawn anew for an interval; 0 for none.")
    var replicates = 1000

    @OptionGroup(title: "Images") var data: AnalysisDataOptions
    @OptionGroup(title: "Preprocessing") var preprocessing: PreprocessingOptions

    @Option(help: ArgumentHelp("Folder for the figures and the numbers.", valueName: "path"))
    var output: String

    @OptionGroup(title: "Run time") var runtime: RuntimeOptions

    func validate() throws {
        guard TokenChoice(rawValue: tokens) != nil else {
            throw ValidationError("--tokens must be class, mean or all, not \(tokens).")
        }
        guard (0...1_000_000).contains(replicates) else {
            throw ValidationError("--replicates must be 0 to 1000000, not \(replicates).")
        }
    }

    func run() throws {
        try Program.begin(runtime)
        let console = Console(quiet: runtime.quiet)
        let report = try SimilarityRun(self, console).report()
        let folder = try OutputFolder(output)
        var names = try folder.write(
            report.figure(), as: "similarity", csv: report.csv(), json: try JSONText.of(report), as: "similarity")
        if let figure = report.layerFigure() {
            names += try folder.write(figure, as: "similarity-layers")
            names += try folder.write(report.layerCSV(), as: "similarity-layers.csv")
        }
        for line in SimilarityText.lines(report) { try StandardOutput.line(line) }
        console.line("written to \(folder.path): \(names.joined(separator: ", "))")
    }

    /// The measures in the order in which they were named.
    func measures(_ choice: TokenChoice) throws -> [SimilarityMeasure] {
        guard let measure else { return choice == .all ? [.minibatchCKA, .cosine] : [.unbiasedCKA, .cosine] }
        if measure == "all" { return [.unbiasedCKA, .cosine, .biasedCKA, .minibatchCKA] }
        var result: [SimilarityMeasure] = []
        for word in measure.split(separator: ",", omittingEmptySubsequences: false) {
            let name = word.trimmingCharacters(in: .whitespaces)
            guard let one = SimilarityMeasure(rawValue: name) else {
                let names = SimilarityMeasure.allCases.map(\.rawValue)
                throw UserError(
                    "--measure cannot be `\(name)`", expected: names.joined(separator: ", "),
                    remedy: Suggestion.nearest(to: name, among: names).map { "did you mean `\($0)`?" })
            }
            if !result.contains(one) { result.append(one) }
        }
        return result
    }
}
