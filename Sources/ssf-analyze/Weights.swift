import ArgumentParser
import Foundation
import SSFAnalysis
import SSFCheckpoints
import SSFCommands
import SSFTensors

struct Weights: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compare the weights of tuned models with the pre-trained ones (Figure 4).",
        discussion: """
            Histograms of the weights and of the biases of all linear layers in all blocks, before and after tuning: SSF \
            and other adapters are merged in memory, full fine-tuning and merged folders are taken as they are. One \
            --model for each, with a name for the figures: --model SSF=runs/ssf --model full=runs/full.

            The numbers beside each histogram: the first Wasserstein distance (exact; in the units of the weights, and \
            in standard deviations of the pre-trained ones), the Kullback-Leibler divergence of the tuned histogram from \
            the pre-trained one (in nats, --smoothing added to every count), the part of the values that differ at all, \
            and the part that moved by more than --threshold standard deviations. They are given for all layers \
            together, for each layer over all blocks, and for each layer of each block.

            Bins are laid by the pre-trained values alone, so that models can be compared: --bins between the values \
            that leave out 0.05 % on either side, widened by a tenth on either side, and one beyond each end.

            The folder of --output receives, each as .png, .svg and .pdf: weights (all layers, a column for each model), \
            weights-layers (each layer, all models), weights-distance (how far each layer of each block moved) and, for \
            SSF adapters, scale-shift (|scale - 1| and |shift| of each site, mean over channels); and weights.csv, \
            weights-histograms.csv, scale-shift.csv and weights.json.
            """)

    @OptionGroup(title: "Models") var models: ModelListOptions

    @Option(help: ArgumentHelp("Folder for figures and numbers.", valueName: "path"))
    var output: String

    @Option(parsing: .unconditional, help: "Bins of a histogram.")
    var bins = 128

    @Option(parsing: .unconditional, help: "What is added to every count before the divergence is computed.")
    var smoothing = 0.5

    @Option(
        parsing: .unconditional,
        help: "By how many standard deviations a value has to move to count as moved.")
    var threshold = 0.1

    @Flag(help: "Say nothing but warnings and errors.")
    var quiet = false

    func validate() throws {
        guard (2...4096).contains(bins) else { throw ValidationError("--bins must be 2 to 4096, not \(bins).") }
        guard smoothing > 0, smoothing <= 1e6 else {
            throw ValidationError("--smoothing must be more than 0, not \(smoothing).")
        }
        guard threshold >= 0, threshold.isFinite else {
            throw ValidationError("--threshold must be 0 or more, not \(threshold).")
        }
    }

    func run() throws {
        _ = try Program.begin(threads: nil)
        let console = Console(quiet: quiet)
        let named = try models.named()
        let settings = WeightSettings(bins: bins, smoothing: smoothing, threshold: threshold)
        // Before the time is spent.
        let folder = try OutputFolder(output)

        var pretrained = try models.base.map { try Checkpoint.load($0) }
        var comparison: WeightComparison?
        var compared: [WeightReport.Model] = []
        // One tuned model at a time: its tensors go when the next one is opened.
        for model in named {
            console.line("\(model.name): \(model.path)")
            let weights = try models.weights(of: model)
            let base = try Self.base(pretrained, weights)
            pretrained = base
            let comparing =
                try comparison
                ?? WeightComparison(
                    pretrained: base.tensors, name: base.path, settings: settings)
            comparison = comparing
            let progress = AnalysisProgress(console, "\(model.name): layers", of: comparing.scopes.count)
            let changes = try comparing.changes(of: weights.tensors, name: model.path) { index, _ in
                if index > 0 { progress.advance() }
            }
            compared.append(
                WeightReport.Model(
                    name: model.name, path: model.path, method: weights.method, changes: changes,
                    modulation: weights.method == "ssf"
                        ? try Modulation.all(in: weights.adapter, name: model.path) : []))
        }
        let report = WeightReport(
            program: "ssf-analyze \(ProgramVersion.text)", pretrained: pretrained!.path, settings: settings,
            models: compared)
        let names = try folder.write(report)
        for line in WeightsText.lines(report) { try StandardOutput.line(line) }
        console.line("written to \(folder.path): \(names.joined(separator: ", "))")
    }

    /// The pre-trained model: the one that was named or found first, which must be the adapter's own.
    private static func base(_ known: Checkpoint?, _ weights: ModelWeights) throws -> Checkpoint {
        guard let known else {
            guard let own = weights.pretrained else {
                throw UserError(
                    "\(weights.path) does not say which model it began with", remedy: "name it with --base")
            }
            return own
        }
        if let own = weights.pretrained, own.path != known.path, own.checksum != known.checksum {
            throw UserError(
                "\(weights.path) began with other weights than the models before it", expected: known.path,
                found: own.path, remedy: "compare models of one pre-trained model at a time")
        }
        return known
    }
}

extension OutputFolder {
    /// Writes the figures of a comparison and the numbers beside them.
    ///
    /// - Returns: the names of the files.
    fileprivate func write(_ report: WeightReport) throws -> [String] {
        var names = try write(
            report.figure(), as: "weights", csv: report.csv(), json: try JSONText.of(report), as: "weights")
        names += try write(report.layerFigure(), as: "weights-layers")
        names += try write(report.distanceFigure(), as: "weights-distance")
        names += try write(report.histogramCSV(), as: "weights-histograms.csv")
        if let figure = report.modulationFigure(), let csv = report.modulationCSV() {
            names += try write(figure, as: "scale-shift")
            names += try write(csv, as: "scale-shift.csv")
        }
        return names
    }
}

/// What is printed of a comparison of weights.
enum WeightsText {
    static func lines(_ report: WeightReport) -> [String] {
        func number(_ value: Double) -> String { value == 0 ? "0" : Formatting.scientific(value) }
        var table = TextTable(["model", "values", "layer", "count", "W1 / std", "KL", "changed %", "moved %"])
        for model in report.models {
            for change in model.changes where !change.scope.name.hasPrefix("blocks.") {
                table.add([
                    model.name, change.scope.part.plural, change.scope.name, Formatting.count(change.count),
                    change.relativeWasserstein.map(number) ?? "-",
                    number(change.divergence), Formatting.percent(change.changed),
                    Formatting.percent(change.changedNoticeably),
                ])
            }
        }
        return table.lines(indent: 0)
    }
}
