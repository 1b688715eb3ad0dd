import Foundation
import SSFCheckpoints
import SSFImages
import SSFKernels
import SSFModels
import SSFTensors
import SSFTraining
import SSFTuning

/// A model that is to be used, not trained: a checkpoint with a classifier, or a base with an adapter.
package struct OpenedModel {
    package let model: TunedModel
    let base: BaseModel
    package let adapter: AdapterFolder?
    package let preprocessing: Preprocessing
    package let notes: [String]
    /// Whether the classifier is one that was trained: a backbone that is looked into may come without.
    package let hasClassifier: Bool

    package var classes: [String] { model.classes }
    /// For people.
    package let name: String

    /// What the class names mean, where the adapter or else the checkpoint's configuration says so.
    package var labelDescriptions: [String: String] {
        (adapter == nil ? base.configuration.labelDescriptions : adapter?.configuration.labelDescriptions) ?? [:]
    }

    /// Opens what a command names.
    ///
    /// - Parameters:
    ///   - model: path of a checkpoint; with an adapter, of its base, where that is not where it was.
    ///   - adapter: path of an adapter folder, or of a run folder, whose best adapter is meant.
    ///   - stated: preprocessing that wins over the model's own.
    ///   - precision: of products with frozen weights.
    /// - Throws: `UserError` when neither is given, the adapter's base is not the one at hand, or the checkpoint has no
    ///   classifier.
    static func open(
        model: String?, adapter: String?, stated: PartialPreprocessing = PartialPreprocessing(),
        precision: Precision = .float32
    ) throws -> OpenedModel {
        if let adapter {
            return try open(adapterOrRun: adapter, base: model, stated: stated, precision: precision)
        }
        guard let model else {
            throw UserError("--model or --adapter is missing", expected: "a folder", remedy: "name one of the two")
        }
        if AdapterFolder.isAdapter(model) {
            throw UserError("\(model) is an adapter folder", remedy: "pass it as --adapter \(model)")
        }
        return try open(checkpoint: try Checkpoint.load(model), stated: stated, precision: precision)
    }

    /// A checkpoint with its own classifier.
    ///
    /// - Parameter needsClassifier: false for looking at features: a checkpoint may then lack the classifier.
    static func open(
        checkpoint: Checkpoint, stated: PartialPreprocessing = PartialPreprocessing(),
        precision: Precision = .float32, needsClassifier: Bool = true
    ) throws -> OpenedModel {
        var checkpoint = checkpoint
        let count = classifierRows(of: checkpoint)
        guard count != nil || !needsClassifier else {
            throw UserError(
                "\(checkpoint.path) has no classifier", expected: "head.weight",
                remedy: "tune it first: ssf train --model \(checkpoint.path) --data IMAGES")
        }
        let notes = nameClasses(of: &checkpoint)
        let base = BaseModel.checkpoint(checkpoint)
        let (preprocessing, preprocessingNotes) = try PreprocessingResolution.resolve(
            options: stated, model: checkpoint.configuration.statedPreprocessing, nativeSize: try base.nativeSize(),
            resizesDirectly: false)
        let model = try untuned(base, preprocessing: preprocessing, precision: precision, positionResize: .timm)
        guard model.keepsHead || !needsClassifier else {
            throw UserError("\(checkpoint.path): the classifier does not fit the model's features")
        }
        return OpenedModel(
            model: model, base: base, adapter: nil, preprocessing: preprocessing,
            notes: model.notes + preprocessingNotes + notes, hasClassifier: model.keepsHead, name: base.name)
    }

    /// The checkpoint as it was before an adapter tuned it, with the adapter's preprocessing.
    ///
    /// - Returns: nil where this model is no adapter, or its base began at random.
    package func pretrained() throws -> OpenedModel? {
        guard adapter != nil, case .checkpoint(var checkpoint) = base else { return nil }
        let notes = Self.nameClasses(of: &checkpoint)
        let base = BaseModel.checkpoint(checkpoint)
        let model = try Self.untuned(
            base, preprocessing: preprocessing, precision: model.options.precision,
            positionResize: model.options.positionResize)
        return OpenedModel(
            model: model, base: base, adapter: nil, preprocessing: preprocessing, notes: notes,
            hasClassifier: model.keepsHead, name: base.name)
    }

    /// Rows of a checkpoint's classifier; nil where it has none.
    private static func classifierRows(of checkpoint: Checkpoint) -> Int? {
        guard let head = checkpoint.tensors["head.weight"], head.shape.rank == 2, head.shape[0] > 0 else { return nil }
        return head.shape[0]
    }

    /// Numbers the classes that no configuration names.
    private static func nameClasses(of checkpoint: inout Checkpoint) -> [String] {
        let count = classifierRows(of: checkpoint)
        guard checkpoint.configuration.labelNames?.count != count ?? 1 else { return [] }
        checkpoint.configuration.labelNames = (0..<(count ?? 1)).map(String.init)
        return count == nil ? [] : ["classes: no configuration names them; they are shown by their numbers"]
    }

    /// A model that nothing was attached to but the classifier that it has.
    ///
    /// - Precondition: the checkpoint's classes have names.
    private static func untuned(
        _ base: BaseModel, preprocessing: Preprocessing, precision: Precision, positionResize: PositionEmbeddingResize
    ) throws -> TunedModel {
        var options = TunedModel.Options(
            tuning: TuningConfiguration(method: "linear"), classes: base.configuration.labelNames!,
            imageSize: (preprocessing.height, preprocessing.width))
        options.precision = precision
        options.positionResize = positionResize
        return try base.tuned(options)
    }

    /// An adapter folder, or the best adapter of a run folder.
    ///
    /// - Parameters:
    ///   - base: path of the base, where that is not where it was.
    ///   - backbone: of the adapters that are opened together.
    static func open(
        adapterOrRun path: String, base: String?, stated: PartialPreprocessing, precision: Precision,
        backbone: Backbone? = nil
    ) throws -> OpenedModel {
        try open(
            adapter: RunFolder.adapter("best", of: path), base: base, stated: stated, precision: precision,
            backbone: backbone)
    }

    private static func open(
        adapter path: String, base basePath: String?, stated: PartialPreprocessing, precision: Precision,
        backbone: Backbone?
    ) throws -> OpenedModel {
        let folder = try AdapterFolder.read(path)
        let configuration = folder.configuration
        let base: BaseModel
        if let scratch = try BaseModel.scratch(statedIn: configuration.methodOptions, path: path) {
            guard backbone == nil else {
                throw UserError(
                    "\(path): its model began at random and was trained as a whole: it has no backbone to share",
                    remedy: "run it by itself")
            }
            base = scratch
        } else {
            base = try (backbone ?? Backbone()).base(of: folder, at: path) {
                try loadBase(basePath, adapter: path, configuration: configuration)
            }
        }
        let (preprocessing, notes) = try PreprocessingResolution.resolve(
            options: stated.filled(from: PartialPreprocessing(configuration.preprocessing)),
            model: PartialPreprocessing(),
            nativeSize: (configuration.preprocessing.height, configuration.preprocessing.width),
            resizesDirectly: false)
        var options = TunedModel.Options(
            tuning: try TuningConfiguration(configuration), classes: configuration.labelNames,
            imageSize: (preprocessing.height, preprocessing.width))
        options.precision = precision
        if let rule = configuration.methodOptions[AdapterWriter.positionKey]?.string {
            guard let resize = PositionEmbeddingResize(rawValue: rule) else {
                throw UserError(
                    "\(path)/adapter_config.json: method_options.\(AdapterWriter.positionKey)",
                    expected: PositionEmbeddingResize.allCases.map(\.rawValue).joined(separator: ", "), found: rule)
            }
            options.positionResize = resize
        }
        let model = try base.tuned(options, shared: backbone?.weights)
        try model.load(adapterTensors: folder.tensors)
        return OpenedModel(
            model: model, base: base, adapter: folder, preprocessing: preprocessing, notes: notes,
            hasClassifier: true, name: "\(base.name) with \(configuration.tuningMode) adapter \(path)")
    }

    private static func loadBase(
        _ given: String?, adapter: String, configuration: AdapterConfiguration
    ) throws -> Checkpoint {
        if let given { return try Checkpoint.load(given) }
        let stated = configuration.baseModelPath
        // A relative path is meant from where the run was started, or else from the adapter itself.
        // At last it is where it was on the machine that tuned it.
        var places = [stated]
        if !stated.hasPrefix("/") {
            places.append(adapter + "/" + stated)
            if let absolute = configuration.methodOptions[AdapterWriter.placeKey]?.string { places.append(absolute) }
        }
        do {
            return try Checkpoint.load(places.first { FileManager.default.fileExists(atPath: $0) } ?? stated)
        } catch var error as UserError {
            error.what = "the base model of \(adapter) cannot be opened: \(error.what)"
            error.remedy = "pass its place with --model"
            throw error
        }
    }

    /// A source of images as this model wants them.
    func source(
        _ dataset: ImageDataset, orientation: OrientationPolicy, workers: Int, skipsBadImages: Bool
    ) -> LoadedBatchSource {
        LoadedBatchSource(
            dataset, pipeline: preprocessing.pipeline(orientation: orientation), threads: workers,
            skipsBadImages: skipsBadImages)
    }
}

extension OrientationPolicy {
    /// The policy that an option names.
    static func named(_ name: String?, default fallback: OrientationPolicy) throws -> OrientationPolicy {
        guard let name else { return fallback }
        guard let policy = OrientationPolicy(rawValue: name) else {
            throw UserError(
                "--exif-orientation cannot be `\(name)`", expected: allCases.map(\.rawValue).joined(separator: ", "))
        }
        return policy
    }
}
