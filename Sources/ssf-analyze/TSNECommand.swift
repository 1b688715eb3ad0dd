import ArgumentParser
import Foundation
import SSFAnalysis
import SSFCheckpoints
import SSFCommands
import SSFTensors

struct TSNECommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tsne",
        abstract: "Draw the features of models, or any matrix, in the plane (t-SNE).",
        discussion: """
            Figure 6 of the SSF paper for your models and images: what each model makes of the images, side by side, \
            coloured by class.

              ssf-analyze tsne --model linear=runs/linear --model ssf=runs/ssf --data photos --output tsne
              ssf-analyze tsne --features features.npy --labels labels.npy --output tsne

            A matrix is a .npy file with one sample a row; --features may be given several times, for matrices of the \
            same samples. The algorithm and its defaults are openTSNE's, with exact neighbours: perplexity 30, the \
            principal components as the beginning, 250 iterations with attraction times 12, then 500. Below 10,000 \
            samples repulsion is computed by Barnes-Hut, from there on by Fourier transforms.

            The folder of --output receives tsne.png, .svg and .pdf, tsne.csv and tsne.json, and tsne-NAME.npy for \
            each map. The JSON holds every setting, the Kullback-Leibler divergence, and two measures of what is kept: \
            the recall of each sample's 10 nearest neighbours, and trustworthiness. The same samples, settings and seed \
            give the same files, whatever the number of threads.
            """)

    @OptionGroup(title: "Models") var models: ModelListOptions

    @Option(
        help: ArgumentHelp(
            "Layer whose output is embedded: features (what the classifier sees), norm, blocks.0, ...",
            valueName: "name"))
    var layer = "features"

    @Option(help: "Features of an image where a layer has tokens: class (class token) or mean (of the patch tokens).")
    var tokens = "class"

    @OptionGroup(title: "Images") var data: AnalysisDataOptions
    @OptionGroup(title: "Preprocessing") var preprocessing: PreprocessingOptions

    @Option(
        name: .long, parsing: .singleValue,
        help: ArgumentHelp(
            "A matrix instead of a model: samples x features, .npy; once for each.", valueName: "name=path"))
    var features: [String] = []

    @Option(help: ArgumentHelp("Classes of the samples of --features: whole numbers, .npy.", valueName: "path"))
    var labels: String?

    @OptionGroup(title: "Embedding") var embedding: TSNEOptions

    @Option(help: ArgumentHelp("Folder for the figure and the numbers.", valueName: "path"))
    var output: String

    @OptionGroup(title: "Run time") var runtime: RuntimeOptions

    func validate() throws {
        guard tokens == "class" || tokens == "mean" else {
            throw ValidationError("--tokens must be class or mean, not \(tokens).")
        }
    }

    func run() throws {
        try Program.begin(runtime)
        let console = Console(quiet: runtime.quiet)
        var settings = embedding.settings
        settings.seed = data.seed
        guard features.isEmpty || models.model.isEmpty else {
            throw UserError(
                "--features and --model exclude each other", remedy: "leave one out; or draw them one after the other")
        }
        let samples =
            features.isEmpty
            ? try EmbeddedSamples(models: self, settings: settings, console: console)
            : try EmbeddedSamples(files: self, settings: settings, console: console)
        // Before the time is spent.
        let folder = try OutputFolder(output)
        let report = try report(of: samples, settings: settings, console)
        var names = try folder.write(
            report.figure(), as: "tsne", csv: report.csv(), json: try JSONText.of(report), as: "tsne")
        for embedding in report.embeddings {
            let name = "tsne-\(embedding.name).npy"
            try NPY.write(Tensor(embedding.points, shape: [report.samples, 2]), to: folder.file(name))
            names.append(name)
        }
        var table = TextTable(["map", "samples", "features", "repulsion", "KL", "recall", "trustworthiness"])
        for embedding in report.embeddings {
            table.add([
                embedding.name, "\(report.samples)", "\(embedding.features)", embedding.method.rawValue,
                Formatting.fixed(embedding.divergence, 4), Formatting.fixed(embedding.quality.recall, 3),
                Formatting.fixed(embedding.quality.trustworthiness, 4),
            ])
        }
        for line in table.lines(indent: 0) { try StandardOutput.line(line) }
        console.line("written to \(folder.path): \(names.joined(separator: ", "))")
    }

    private func report(of samples: EmbeddedSamples, settings: TSNESettings, _ console: Console) throws
        -> EmbeddingReport
    {
        let neighbors = min(10, EmbeddingQuality.largestNeighborhood(samples: samples.names.count))
        let embeddings = try samples.matrices.map { matrix in
            console.line("\(matrix.name): the neighbours of \(Formatting.counted(matrix.features.rows, "sample")) ...")
            if matrix.features.isConstant {
                console.warning("\(matrix.name): all samples are the same, and where they are put means nothing")
            }
            let tsne = try TSNE(matrix.features, settings: settings)
            let begin = ProcessInfo.processInfo.systemUptime
            var lastLine = begin
            let result = tsne.run { progress in
                let text =
                    "\(matrix.name) [\(progress.iteration)/\(progress.iterations)]  KL "
                    + Formatting.fixed(progress.divergence, 4) + (progress.isExaggerated ? "  (exaggerated)" : "")
                let now = ProcessInfo.processInfo.systemUptime
                console.transient(text)
                if !console.isTerminal, now - lastLine >= 5 {
                    console.line(text)
                    lastLine = now
                }
            }
            console.line(
                "\(matrix.name): neighbours \(Formatting.fixed(tsne.neighborSeconds, 3)) s, affinities "
                    + "\(Formatting.fixed(tsne.affinitySeconds, 3)) s, descent "
                    + "\(Formatting.fixed(ProcessInfo.processInfo.systemUptime - begin, 3)) s")
            if result.missedPerplexities > 0 {
                console.warning(
                    "\(matrix.name): \(Formatting.counted(result.missedPerplexities, "sample")) of \(matrix.features.rows) "
                        + "cannot have the perplexity \(settings.perplexity): too many others are equally near")
            }
            let quality = EmbeddingQuality(
                of: result.points, features: matrix.features, neighbors: neighbors, seed: settings.seed)
            return EmbeddingReport.Embedding(
                name: matrix.name, path: matrix.path, layer: matrix.layer, tokens: matrix.tokens,
                features: matrix.features.columns, result: result, quality: quality)
        }
        let present = Set(samples.labels)
        if present.count == 1 { console.note("all samples are of one class: \(samples.classes[samples.labels[0]])") }
        if present.count > EmbeddingFigure.mostNamed {
            console.note(
                "\(present.count) classes are more than can be told apart by colour: the figure numbers them, tsne.csv "
                    + "names them")
        }
        return EmbeddingReport(
            program: "ssf-analyze \(ProgramVersion.text)", data: samples.data, available: samples.available,
            names: samples.names, labels: samples.labels, classes: samples.classes, settings: settings,
            embeddings: embeddings)
    }
}

/// How the embedding is computed.
struct TSNEOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: "Neighbours that a sample has, in effect: at most a third of the samples. More shows larger structures.")
    var perplexity = 30.0

    @Option(help: "Repulsion: auto, barnes-hut, fft or exact (every pair).")
    var method = "auto"

    @Option(parsing: .unconditional, help: "Coarseness of Barnes-Hut: 0 is every pair.")
    var theta = 0.5

    @Option(
        name: [.long, .customLong("n-iter")], parsing: .unconditional,
        help: "Iterations after those with exaggerated attraction.")
    var iterations = 500

    @Option(parsing: .unconditional, help: "Iterations with exaggerated attraction.")
    var earlyIterations = 250

    @Option(parsing: .unconditional, help: "Factor of attraction in the early iterations.")
    var earlyExaggeration = 12.0

    @Option(parsing: .unconditional, help: "Factor of attraction afterwards: more than 1 draws clusters together.")
    var exaggeration = 1.0

    @Option(parsing: .unconditional, help: "Learning rate (default: samples over exaggeration).")
    var learningRate: Double?

    init() {}

    func validate() throws {
        guard TSNESettings.Method(rawValue: method) != nil else {
            let names = TSNESettings.Method.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--method must be one of \(names), not \(method).")
        }
    }

    var settings: TSNESettings {
        var settings = TSNESettings()
        settings.perplexity = perplexity
        settings.method = TSNESettings.Method(rawValue: method) ?? .automatic
        settings.theta = theta
        settings.iterations = iterations
        settings.earlyIterations = earlyIterations
        settings.earlyExaggeration = earlyExaggeration
        settings.exaggeration = exaggeration
        settings.learningRate = learningRate
        return settings
    }
}
