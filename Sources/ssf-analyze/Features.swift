import ArgumentParser
import Foundation
import SSFAnalysis
import SSFCheckpoints
import SSFCommands
import SSFKernels
import SSFParallel
import SSFTensors

struct Features: ParsableCommand {
    /// The form of the arrays on disk.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case npy, safetensors
    }

    static let configuration = CommandConfiguration(
        abstract: "Write the features of models, layer by layer, for notebooks.",
        discussion: """
            For each model and layer an array of f32, with a row for each image in the order of images.csv:

              --tokens class|mean   [images, channels]
              --tokens all          [images, tokens, channels], class token first; never a method's prompts

            Layers are blocks.0, blocks.1, ... (what a block returns), norm (after the last norm), features (what the \
            classifier sees) and logits.

            The folder of --output receives MODEL.LAYER.npy for each, or MODEL.safetensors with a tensor for each layer; \
            labels.npy; images.csv with file, label, class and what each model predicts; features.json with every \
            setting. Rows are written as they are computed: no set is too large for memory.
            """)

    @OptionGroup(title: "Models") var models: ModelListOptions

    @Option(help: ArgumentHelp("Layers, separated by commas; `blocks` is all of them.", valueName: "names"))
    var layers = "blocks,norm"

    @Option(help: "Features of an image: class (class token), mean (of the patch tokens) or all (tokens).")
    var tokens = "class"

    @Option(help: "Form of the arrays: npy or safetensors.")
    var format = Format.npy

    @OptionGroup(title: "Images") var data: AnalysisDataOptions
    @OptionGroup(title: "Preprocessing") var preprocessing: PreprocessingOptions

    @Option(help: ArgumentHelp("Folder for the files.", valueName: "path"))
    var output: String

    @OptionGroup(title: "Run time") var runtime: RuntimeOptions

    func validate() throws {
        guard TokenChoice(rawValue: tokens) != nil else {
            throw ValidationError("--tokens must be class, mean or all, not \(tokens).")
        }
    }

    func run() throws {
        try Program.begin(runtime)
        let console = Console(quiet: runtime.quiet)
        let models = try models.open(preprocessing: preprocessing, precision: runtime.chosenPrecision())
        for model in models { for note in model.opened.notes { console.note("\(model.name): \(note)") } }
        let images = try data.open()
        for note in images.notes { console.note(note) }
        let choice = TokenChoice(rawValue: tokens)!
        let selected = try models.map { try selectedLayers(of: $0, choice) }
        let folder = try OutputFolder(output)
        let bytes = selected.joined().reduce(0) { $0 + 4 * images.count * $1.extent.tokens * $1.extent.width }
        console.line(
            "isa \(KernelTable.current.instructionSet.rawValue)  threads \(Parallel.threads)  data \(images.dataset.name), "
                + "\(images.dataset.summary)  features \(Formatting.bytes(bytes))")
        let files = try zip(models, selected).map { model, layers in
            try FeatureFiles(model.name, layers, images: images.count, choice, format, folder)
        }
        var predictions = models.map { _ in [String](repeating: "", count: images.count) }
        let stream = try FeatureStream(models, images: images, options: data) { model in
            selected[models.firstIndex { $0.name == model.name }!].map(\.name).filter { $0 != FeatureFiles.logits }
        }
        try stream.forEachBatch(console) { batch in
            for (index, features) in batch.models.enumerated() {
                try files[index].write(features, choice, row: batch.indices[0])
                for (row, label) in (features.predictions ?? []).enumerated() {
                    predictions[index][batch.indices[row]] = features.model.opened.classes[label]
                }
            }
        }
        var names = try files.flatMap { try $0.finish() }
        names += try writeImages(images, models, predictions, folder)
        names += try folder.write(
            try JSONText.of(record(models, selected, images)), as: "features.json")
        try StandardOutput.line(
            "\(Formatting.counted(images.count, "image")), \(Formatting.bytes(bytes)): \(names.joined(separator: ", "))"
        )
    }

    /// The layers that are written, and what an image has in each.
    private func selectedLayers(of model: AnalyzedModel, _ choice: TokenChoice) throws -> [FeatureFiles.Layer] {
        var names: [String] = []
        for word in layers.split(separator: ",").map({ $0.trimmingCharacters(in: .whitespaces) }) {
            for name in word == "blocks" ? model.blockMarks : [word] where !names.contains(name) { names.append(name) }
        }
        guard !names.isEmpty else { throw UserError("--layers names none", expected: "blocks, norm, features, logits") }
        return try names.map { name in
            guard name == FeatureFiles.logits else {
                return FeatureFiles.Layer(name: name, extent: try model.extent(of: name, choice))
            }
            guard model.opened.hasClassifier else {
                throw UserError("the model \(model.name) has no classifier, hence no logits")
            }
            return FeatureFiles.Layer(name: name, extent: (1, model.opened.classes.count))
        }
    }

    private func writeImages(
        _ images: AnalysisImages, _ models: [AnalyzedModel], _ predictions: [[String]], _ folder: OutputFolder
    ) throws -> [String] {
        let labels = Tensor(zeros: [images.count], dtype: .i64)
        var lines = [CSV.row(["image", "file", "label", "class"] + models.map { "predicted by \($0.name)" })]
        for (index, label) in images.labels.enumerated() {
            labels.rawPointer.storeBytes(of: Int64(label), toByteOffset: 8 * index, as: Int64.self)
            lines.append(
                CSV.row(
                    ["\(index)", images.names[index], "\(label)", images.classes[label]] + predictions.map { $0[index] }
                ))
        }
        try NPY.write(labels, to: folder.file("labels.npy"))
        return ["labels.npy"] + (try folder.write(lines.joined(separator: "\n") + "\n", as: "images.csv"))
    }

    private func record(
        _ models: [AnalyzedModel], _ layers: [[FeatureFiles.Layer]], _ images: AnalysisImages
    ) throws -> FeatureRecord {
        FeatureRecord(
            program: "ssf-analyze \(ProgramVersion.text)",
            models: zip(models, layers).map { model, layers in
                FeatureRecord.Model(
                    name: model.name, path: model.path,
                    method: model.opened.adapter == nil ? nil : model.tuned.method.name,
                    preprocessing: model.opened.preprocessing,
                    layers: layers.map { FeatureRecord.Layer(name: $0.name, shape: $0.shape(images.count, tokens)) })
            },
            data: images.location, split: images.dataset.name, images: images.count, classes: images.classes,
            tokens: tokens, format: format.rawValue, limit: data.limit, seed: data.seed, batchSize: data.batchSize,
            precision: models[0].tuned.options.precision.rawValue,
            instructionSet: KernelTable.current.instructionSet.rawValue, threads: Parallel.threads)
    }
}

/// Every setting of a set of features: `features.json`.
private struct FeatureRecord: Codable {
    struct Layer: Codable {
        var name: String
        var shape: [Int]
    }
    struct Model: Codable {
        var name: String
        var path: String?
        var method: String?
        var preprocessing: Preprocessing
        var layers: [Layer]
    }
    var program: String
    var models: [Model]
    var data: String
    var split: String
    var images: Int
    var classes: [String]
    var tokens: String
    var format: String
    var limit: Int?
    var seed: UInt64
    var batchSize: Int
    var precision: String
    var instructionSet: String
    var threads: Int
}
