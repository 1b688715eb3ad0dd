import SSFCheckpoints
import SSFGraph
import SSFKernels
import SSFModels
import SSFTensors

/// A base model with a method attached: its parameters, its executors, its adapter and its merged form.
///
/// Used by one thread at a time.
public final class TunedModel {
    /// What is decided when the method is attached.
    public struct Options: Sendable {
        public var tuning: TuningConfiguration
        /// The task's classes in head order.
        public var classes: [String]
        /// Height and width of the input; nil is what the checkpoint was trained on.
        public var imageSize: (height: Int, width: Int)?
        /// Of every initial value that is drawn.
        public var seed: UInt64
        /// Stochastic depth of the last block, in training.
        public var dropPathRate = 0.0
        /// Label smoothing of the loss, in training.
        public var smoothing = 0.0
        public var positionResize = PositionEmbeddingResize.timm
        /// Of products with frozen weights, and of what is kept inside a block (`Executor`).
        public var precision = Precision.float32
        /// Keep nothing inside a block in training, and run it forward again in backward.
        public var recomputesBlocks = false

        public init(
            tuning: TuningConfiguration, classes: [String], imageSize: (height: Int, width: Int)? = nil,
            seed: UInt64 = 0
        ) {
            self.tuning = tuning
            self.classes = classes
            self.imageSize = imageSize
            self.seed = seed
        }
    }

    public let model: any Model
    public let method: any TuningMethod
    /// The method and all its settings, the standard ones too.
    public let tuning: TuningConfiguration
    public let options: Options
    public let imageSize: (height: Int, width: Int)
    public let parameters: ParameterStore
    /// What was decided and should be said: heads and pooling found, head kept or begun anew, positions resized.
    public let notes: [String]
    /// Whether the classifier of the checkpoint is in use.
    public let keepsHead: Bool
    /// As recorded for a batch of one, without the attachment.
    public let baseProgram: Program
    private let tensors: [String: Tensor]
    private var executors: [String: Executor] = [:]

    public var classes: [String] { options.classes }

    /// Attaches a method to the model of a checkpoint.
    ///
    /// The checkpoint's head is kept only if its class count and its class names agree with the task's.
    ///
    /// - Parameter shared: what models of the same checkpoint have in common, where there are several.
    /// - Throws: `UserError` where the checkpoint is not a known model, the image size does not fit, or the method is
    ///   unknown.
    public convenience init(checkpoint: Checkpoint, options: Options, shared: SharedWeights? = nil) throws {
        let model = try ModelRegistry.model(for: checkpoint)
        var tensors = checkpoint.tensors
        var notes = checkpoint.notes + model.notes
        var keepsHead = false
        if let reason = Self.headMismatch(checkpoint, model: model, classes: options.classes) {
            notes.append("head: begun anew for \(options.classes.count) classes, \(reason)")
            for site in model.classifierSites {
                tensors["\(site).weight"] = nil
                tensors["\(site).bias"] = nil
            }
        } else {
            keepsHead = true
            notes.append("head: kept, its \(options.classes.count) classes agree in count and name")
        }
        try self.init(
            model: model, tensors: tensors, options: options, shared: shared, keepsHead: keepsHead, notes: notes)
    }

    /// Attaches a method to an architecture that begins at random.
    public convenience init(scratch model: any Model, options: Options) throws {
        try self.init(
            model: model, tensors: [:], options: options, shared: nil, keepsHead: false,
            notes: model.notes + ["weights: all begun at random"])
    }

    private init(
        model: any Model, tensors: [String: Tensor], options: Options, shared: SharedWeights?, keepsHead: Bool,
        notes: [String]
    ) throws {
        self.model = model
        self.options = options
        self.keepsHead = keepsHead
        method = try TuningRegistry.method(options.tuning)
        tuning = try TuningRegistry.complete(options.tuning)
        let native = model.nativeImageSize
        imageSize = options.imageSize ?? native
        var notes = notes + method.warnings
        let recording = RecordingOptions(
            batch: 1, imageHeight: imageSize.height, imageWidth: imageSize.width, classCount: options.classes.count)
        try model.checkImageSize(recording)
        if imageSize != native {
            notes.append(
                "position embedding: resized from \(native.height)x\(native.width) to \(imageSize.height)x\(imageSize.width) "
                    + (options.positionResize == .timm
                        ? "(bicubic, antialias, as timm)" : "(bicubic without antialias, as the SSF reference)"))
        }
        self.tensors = model.adapted(tensors, options: recording, resize: options.positionResize)
        baseProgram = try model.record(recording)

        var program = baseProgram
        try method.attach(to: &program, of: model)
        let formula = method.trainableCount(in: baseProgram, of: model)
        precondition(
            formula == program.trainableCount,
            "\(method.name) trains \(program.trainableCount) numbers, its formula says \(formula)")
        guard program.trainableCount > 0 else {
            throw UserError("\(method.name) would train nothing", remedy: "choose another method, or give classes")
        }
        parameters = try ParameterStore(program: program, tensors: self.tensors, seed: options.seed, shared: shared)
        self.notes = notes
    }

    /// Why the head of a checkpoint does not serve the classes; nil where it does.
    private static func headMismatch(_ checkpoint: Checkpoint, model: any Model, classes: [String]) -> String? {
        guard let weight = checkpoint.tensors["head.weight"], weight.shape.rank == 2 else {
            return "the checkpoint has none"
        }
        if weight.shape[1] != model.featureWidth {
            return "the checkpoint's reads \(weight.shape[1]) features, not \(model.featureWidth)"
        }
        if weight.shape[0] != classes.count { return "the checkpoint's has \(weight.shape[0])" }
        guard let names = checkpoint.configuration.labelNames else { return "the checkpoint does not name its classes" }
        return names == classes ? nil : "the checkpoint's \(names.count) have other names"
    }

    // MARK: Running

    /// An executor for a batch; made once for each batch and mode, over the same parameters.
    ///
    /// - Parameter handsOverGradients: as of `Executor`.
    public func executor(
        batch: Int, mode: ExecutionMode, taps: Set<String> = [], handsOverGradients: Bool = false
    ) throws -> Executor {
        let key = "\(batch)/\(mode)/\(taps.sorted().joined(separator: ","))/\(handsOverGradients)"
        if let found = executors[key] { return found }
        let made = Executor(
            try program(batch: batch, mode: mode), parameters: parameters, mode: mode, taps: taps,
            recomputesBlocks: options.recomputesBlocks, precision: options.precision,
            handsOverGradients: handsOverGradients)
        executors[key] = made
        return made
    }

    /// The program with the method attached; drop-path and smoothing in training only.
    public func program(batch: Int, mode: ExecutionMode) throws -> Program {
        var recording = RecordingOptions(
            batch: batch, imageHeight: imageSize.height, imageWidth: imageSize.width, classCount: classes.count)
        if mode == .training {
            recording.dropPathRate = options.dropPathRate
            recording.smoothing = options.smoothing
        }
        var program = try model.record(recording)
        try method.attach(to: &program, of: model)
        return program
    }

    // MARK: Adapter

    /// The modules of the base that the method acts on or trains, without the classifier, in order.
    public var targetModules: [String] {
        let sites = Set(baseProgram.operations.map(\.site))
        var modules: [String] = []
        for entry in parameters.layout.entries where !isOfClassifier(entry.name) {
            let parts = entry.name.split(separator: ".")
            let runs = (1..<max(parts.count, 2)).reversed().map { parts.prefix($0).joined(separator: ".") }
            let module = runs.first(where: sites.contains) ?? runs[0]
            if modules.last != module && !modules.contains(module) { modules.append(module) }
        }
        return modules
    }

    /// Copies of the trained parameters, f32, by name.
    public func adapterTensors() -> [String: Tensor] {
        Dictionary(
            uniqueKeysWithValues: parameters.layout.entries.map { entry in
                (entry.name, parameters.tensor(named: entry.name)!.copied())
            })
    }

    /// Takes over trained parameters.
    ///
    /// - Throws: `UserError` that names the tensor which is missing, too many or of another shape.
    public func load(adapterTensors given: [String: Tensor]) throws {
        let entries = parameters.layout.entries
        let names = Set(entries.map(\.name))
        if let extra = given.keys.sorted().first(where: { !names.contains($0) }) {
            throw UserError(
                "the adapter's tensor \(extra) is none that \(method.name) trains in this model",
                remedy: "check that the adapter was made for this base and method")
        }
        for entry in entries {
            guard let tensor = given[entry.name] else {
                throw UserError("the adapter lacks the tensor \(entry.name) \(entry.shape)")
            }
            guard tensor.shape.count == entry.shape.count, tensor.shape == entry.shape || tensor.shape.rank <= 1 else {
                throw UserError(
                    "the adapter's tensor \(entry.name) has the wrong shape", expected: "\(entry.shape)",
                    found: "\(tensor.shape)")
            }
        }
        for entry in entries {
            let values = given[entry.name]!.values
            _ = UnsafeMutableBufferPointer(rebasing: parameters.trainable.floats[entry.range]).update(
                fromContentsOf: values)
        }
    }

    /// Begins with the parameters that another task has trained, with the same method on the same base.
    ///
    /// The classifier is taken over where the classes are the same ones; else it stays as it begins for this task.
    ///
    /// - Parameters:
    ///   - given: the adapter's tensors.
    ///   - labelNames: its classes, in head order.
    /// - Returns: what was done about the classifier, as a note.
    /// - Throws: as `load(adapterTensors:)`.
    public func begin(from given: [String: Tensor], labelNames: [String]) throws -> String {
        var tensors = given
        let keepsClassifier = labelNames == classes
        if !keepsClassifier {
            let own = adapterTensors()
            tensors = tensors.filter { !isOfClassifier($0.key) }
                .merging(own.filter { isOfClassifier($0.key) }) { _, own in own }
        }
        try load(adapterTensors: tensors)
        return keepsClassifier
            ? "head: that of the adapter, whose \(classes.count) classes are the same"
            : "head: not the adapter's, whose \(labelNames.count) classes are others"
    }

    private func isOfClassifier(_ parameter: String) -> Bool {
        model.classifierSites.contains { parameter.hasPrefix($0 + ".") }
    }

    // MARK: Merging

    /// The tensors of the base with the tuning folded in, f32, under timm's names and shapes.
    ///
    /// - Throws: `UserError` where the method does not merge.
    public func merged() throws -> [String: Tensor] {
        if let obstacle = method.mergeObstacle {
            throw UserError("\(method.name) does not merge: \(obstacle)")
        }
        var all: [String: Tensor] = [:]
        // Constants that the method has attached are none of the base's, and not trained.
        let base = Set(baseProgram.parameters.map(\.name))
        for specification in parameters.specifications
        where specification.isTrainable || base.contains(specification.name) {
            let tensor = parameters.tensor(named: specification.name)!
            all[specification.name] = tensor.reshaped(specification.shape).copied()
        }
        return withBiasesAlike(try method.merge(all, program: baseProgram, model: model))
    }

    /// Where merging has given a bias to the linears of some blocks that had none, those of the other blocks get one of
    /// zeros: a checkpoint has them in all blocks or in none.
    private func withBiasesAlike(_ merged: [String: Tensor]) -> [String: Tensor] {
        func suffix(_ site: String) -> String? {
            Program.blockName(of: site).map { String(site.dropFirst($0.count)) }
        }
        let bare = baseProgram.operations.compactMap { $0 as? LinearOperation }
            .filter { linear in
                !linear.wiring.parameters.contains { baseProgram.parameters[$0.index].name == "\(linear.site).bias" }
            }
        let begun = Set(bare.filter { merged["\($0.site).bias"] != nil }.compactMap { suffix($0.site) })
        var result = merged
        for linear in bare where suffix(linear.site).map(begun.contains) == true {
            let name = "\(linear.site).bias"
            result[name] = merged[name] ?? Tensor(zeros: [linear.outputChannels])
        }
        return result
    }

    /// The base's tensors, taken out of a merged file by the adapter that was merged.
    ///
    /// - Parameter checkpoint: the merged model.
    /// - Returns: tensors under timm's names, f32. The position embedding stays at the merged model's image size, and
    ///   the classifier stays the task's.
    public static func unmerged(
        _ checkpoint: Checkpoint, adapter: [String: Tensor], tuning: TuningConfiguration
    ) throws -> (tensors: [String: Tensor], notes: [String]) {
        let model = try ModelRegistry.model(for: checkpoint)
        let method = try TuningRegistry.method(tuning)
        let size = model.nativeImageSize
        let program = try model.record(
            RecordingOptions(
                batch: 1, imageHeight: size.height, imageWidth: size.width,
                classCount: checkpoint.tensors["head.weight"]?.shape[0] ?? 0))
        return try method.unmerge(
            checkpoint.tensors.mapValues { $0.converted(to: .f32) }, adapter: adapter, program: program, model: model)
    }
}
