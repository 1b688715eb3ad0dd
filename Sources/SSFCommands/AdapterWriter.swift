import Foundation
import SSFCheckpoints
import SSFTensors
import SSFTraining
import SSFTuning

/// Writes the trained parameters of a run as adapter folders.
struct AdapterWriter {
    let model: TunedModel
    let base: BaseModel
    /// Of the base's weights; reading them all takes a moment, so it is done once.
    let baseChecksum: String
    let preprocessing: Preprocessing
    let dataset: String
    let labelDescriptions: [String: String]?
    let recipe: [(name: String, value: String)]

    init(
        model: TunedModel, base: BaseModel, preprocessing: Preprocessing, dataset: String,
        recipe: [(name: String, value: String)]
    ) {
        self.model = model
        self.base = base
        baseChecksum = base.checksum
        self.preprocessing = preprocessing
        self.dataset = dataset
        labelDescriptions = model.keepsHead ? base.configuration.labelDescriptions : nil
        self.recipe = recipe
    }

    /// Under `method_options`.
    static let positionKey = "pos_embed_resize"
    static let placeKey = "base_model_absolute_path"
    /// In the training state, where everything else is a moment of the optimiser.
    static let trainableKey = "trainable"

    private var configuration: AdapterConfiguration {
        return AdapterConfiguration(
            peftType: model.method.name.uppercased(), tuningMode: model.method.name, baseModelPath: base.path,
            baseModelArchitecture: base.configuration.architecture, baseModelChecksum: baseChecksum,
            targetModules: model.targetModules, modulesToSave: model.model.classifierSites, labelNames: model.classes,
            labelDescriptions: labelDescriptions, preprocessing: preprocessing,
            globalPool: base.configuration.globalPool,
            methodOptions: model.tuning.options.merging(base.scratchOptions) { own, _ in own }
                .merging(positionOptions) { own, _ in own }
                .merging(placeOptions) { own, _ in own })
    }

    /// Where the base is on this machine, where the path above depends on the folder that the run is started from.
    private var placeOptions: [String: JSONValue] {
        guard case .checkpoint = base, !base.path.hasPrefix("/") else { return [:] }
        return [Self.placeKey: .string(URL(fileURLWithPath: base.path).standardizedFileURL.path)]
    }

    /// The rule by which the base's position embedding was resized, where it is not the usual one.
    private var positionOptions: [String: JSONValue] {
        let rule = model.options.positionResize
        return rule == .timm ? [:] : [Self.positionKey: .string(rule.rawValue)]
    }

    /// Writes a folder; what stood there is replaced as a whole.
    ///
    /// - Parameter state: nil for a folder that is used and not resumed.
    func write(to path: String, metrics: [(name: String, value: String)], state: TrainingState?) throws {
        var card = ModelCard(
            title: "\(base.configuration.architecture ?? "Vision transformer") tuned by \(model.method.name)",
            summary: "\(Formatting.grouped(model.parameters.layout.count)) trained numbers, to be used with the base "
                + "model: \(type(of: model.method).summary).")
        if case .checkpoint = base { card.baseModel = base.path }
        card.datasets = [dataset]
        card.tags = [model.method.name]
        card.metrics = metrics
        card.recipe = recipe
        card.classes = model.classes
        let name = URL(fileURLWithPath: path).lastPathComponent
        card.usage = ["ssf predict --adapter \(name) IMAGE", "ssf merge --adapter \(name) --output MERGED --verify"]
        var folder = AdapterFolder(
            configuration: configuration, tensors: model.adapterTensors(), modelCard: card.markdown)
        if let state {
            folder.trainerState = try SavedState(state).json()
            folder.trainingState = state.moments.merging([Self.trainableKey: state.trainable]) { _, own in own }
        }
        try folder.write(to: path)
    }
}

/// `trainer_state.json`: the counters of a `TrainingState`; its vectors lie in `training_state.safetensors`.
struct SavedState: Codable {
    var epoch: Int
    var step: Int
    var seed: UInt64
    var bestTop1: Double?
    var bestEpoch: Int

    enum CodingKeys: String, CodingKey {
        case epoch, step, seed
        case bestTop1 = "best_top1"
        case bestEpoch = "best_epoch"
    }

    init(_ state: TrainingState) {
        epoch = state.completedEpochs
        step = state.completedSteps
        seed = state.seed
        bestTop1 = state.bestTop1
        bestEpoch = state.bestEpoch
    }

    /// What is said of a run that ended in its first epoch.
    static func missing(_ path: String) -> UserError {
        UserError(
            "\(path): a run cannot go on from here", found: "no epoch of it was completed", remedy: "start the run anew"
        )
    }

    func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        return try encoder.encode(self) + Data("\n".utf8)
    }

    /// An adapter folder with the state that it holds.
    ///
    /// - Throws: `UserError` when the folder cannot be resumed from.
    static func read(_ path: String) throws -> (adapter: AdapterFolder, state: TrainingState) {
        let folder = try AdapterFolder.read(path)
        guard let saved = try folder.trainerState(as: SavedState.self, path: path),
            let trainable = folder.trainingState[AdapterWriter.trainableKey],
            folder.trainingState.values.allSatisfy({ $0.dtype == .f32 })
        else {
            if URL(fileURLWithPath: path).lastPathComponent == "last" {
                throw missing(path)
            }
            throw UserError(
                "\(path): a run cannot go on from here",
                expected: "\(AdapterFolder.trainerStateName) and \(AdapterFolder.trainingStateName)",
                remedy: "pass the `last` folder of a run to --resume")
        }
        let state = TrainingState(
            completedEpochs: saved.epoch, completedSteps: saved.step, seed: saved.seed,
            trainable: trainable.converted(to: .f32),
            moments: folder.trainingState.filter { $0.key != AdapterWriter.trainableKey }
                .mapValues { $0.converted(to: .f32) },
            bestTop1: saved.bestTop1, bestEpoch: saved.bestEpoch)
        return (folder, state)
    }
}
