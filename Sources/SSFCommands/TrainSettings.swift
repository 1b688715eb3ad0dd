import Foundation
import SSFImages
import SSFKernels
import SSFModels
import SSFTensors
import SSFTraining
import SSFTuning

/// The settings of a training run, resolved and checked.
public struct TrainSettings: Sendable {
    /// What must be known before the data are opened.
    public struct Source: Sendable {
        public var model: String?
        public var tuning: TuningConfiguration
        public var method: String { tuning.method }
        public var data: String
        public var format: DataFormat?
        public var splits: SplitOptions
        public var seed: UInt64
    }

    public var source: Source
    public var orientation: OrientationPolicy
    public var skipsBadImages: Bool
    /// Whether the test part is evaluated at all, and for the last epoch too where it is not the best.
    public var usesTest: Bool
    public var testsLast: Bool
    public var workers: Int
    public var positionResize: PositionEmbeddingResize
    public var augmentation: Augmentation
    public var training: TrainingConfiguration
    /// How the learning rate came about where it was stated for another batch size.
    public var rateNote: String?
    /// Whether features that never change are kept from epoch to epoch.
    public var keepsFeatures: Bool
    public var precision: Precision
    /// Whether a block keeps nothing for backward.
    public var recomputesBlocks: Bool
    public var threads: Int?
    public var output: String
    public var experiment: String

    /// Every key that a YAML file may set.
    public static let keys =
        [
            "model", "method", "data", "data-format", "train-split", "val-split", "test-split", "val-fraction",
            "test-fraction", "split-seed", "no-test", "test-last", "exif-orientation", "skip-bad-images", "workers",
            "img-size", "mean", "std", "crop-pct", "interpolation", "pos-embed-resize", "no-aug", "direct-resize",
            "scale", "ratio", "pad-crop", "hflip", "opt", "momentum", "lr", "lr-base", "lr-base-size", "lr-base-scale",
            "weight-decay", "decay-all", "epochs", "warmup-epochs", "warmup-lr", "min-lr", "cooldown-epochs",
            "sched-on-updates",
            "batch-size", "grad-accum-steps", "clip-grad", "smoothing", "drop-path", "seed", "from-scratch",
            "patch-size",
            "embed-dim", "depth", "num-heads", "mlp-ratio", "no-feature-cache", "recompute", "threads",
            "precision", "output", "experiment",
        ] + MethodOptions.keys + ["init-from"]

    /// What the images are, which decides the defaults.
    public static func kind(of format: DataFormat) -> TrainingDefaults.DataKind {
        format.holdsPhotographs ? .photographs : .benchmark
    }

    /// The first settings, by which model and data are opened.
    static func source(_ options: TrainOptions, _ resolver: SettingResolver) throws -> Source {
        let model = try resolver.optional("model", flag: options.model)
        let method = try resolver.value("method", flag: options.method, default: "ssf")
        let tuning = try options.tuning.configuration(method: method, resolver)
        let data: String = try resolver.required(
            "data", flag: options.data.data,
            remedy: "pass a folder of images, or draw some with --data synthetic:orientation")
        let formatName = try resolver.optional("data-format", flag: options.data.dataFormat)
        let format = try formatName.map(DataFormat.named)
        let seed = try seed("seed", options.optimization.seed, default: 0, resolver)
        let splitSeed = try Self.seed("split-seed", options.splitSeed, default: Int(seed), resolver)
        var splits = SplitOptions(
            train: try resolver.optional("train-split", flag: options.data.trainSplit),
            validation: try resolver.optional("val-split", flag: options.data.valSplit),
            test: try resolver.optional("test-split", flag: options.data.testSplit), seed: splitSeed)
        splits.validationFraction = try resolver.value("val-fraction", flag: options.valFraction, default: 0.1)
        splits.testFraction = try resolver.value("test-fraction", flag: options.testFraction, default: 0.1)
        return Source(model: model, tuning: tuning, data: data, format: format, splits: splits, seed: seed)
    }

    private static func seed(
        _ key: String, _ flag: Int?, default standard: Int, _ resolver: SettingResolver
    ) throws -> UInt64 {
        let seed = try resolver.value(key, flag: flag, default: standard)
        guard seed >= 0 else { throw UserError("--\(key) cannot be used", expected: "0 or more", found: "\(seed)") }
        return UInt64(seed)
    }

    /// The rest, whose defaults depend on the method and the kind of data.
    static func resolve(
        _ source: Source, format: DataFormat, options: TrainOptions, _ resolver: SettingResolver
    ) throws -> TrainSettings {
        let defaults = TrainingDefaults.of(method: source.method, data: kind(of: format))
        let o = options.optimization
        let perStep = try resolver.value("sched-on-updates", flag: o.schedOnUpdates, default: true)
        let epochs = try resolver.value("epochs", flag: o.epochs, default: defaults.epochs)
        let optimizer = try resolver.choice("opt", flag: o.opt, default: OptimizerChoice.adamw)
        let batchSize = try resolver.value("batch-size", flag: o.batchSize, default: defaults.batchSize)
        let accumulation = try resolver.value("grad-accum-steps", flag: o.gradAccumSteps, default: 1)
        let peak = try PeakRate.resolve(
            o, resolver, images: batchSize.multipliedReportingOverflow(by: accumulation).partialValue,
            optimizer: optimizer, standard: defaults.learningRate)
        let training = TrainingConfiguration(
            epochs: epochs, batchSize: batchSize, learningRate: peak.rate, optimizer: optimizer,
            momentum: try momentum(o, optimizer, resolver),
            weightDecay: try resolver.value("weight-decay", flag: o.weightDecay, default: defaults.weightDecay),
            decaysAll: try resolver.value("decay-all", flag: o.decayAll, default: false),
            cooldownEpochs: try resolver.value("cooldown-epochs", flag: o.cooldownEpochs, default: perStep ? 0 : 10),
            scheduleUnit: perStep ? .step : .epoch,
            warmupEpochs: try resolver.value(
                "warmup-epochs", flag: o.warmupEpochs, default: perStep ? defaults.warmupShare * Double(epochs) : 10),
            warmupRate: try resolver.value("warmup-lr", flag: o.warmupLr, default: perStep ? 0 : 1e-7),
            minimumRate: try resolver.value("min-lr", flag: o.minLr, default: perStep ? 0 : 1e-8),
            smoothing: try resolver.value("smoothing", flag: o.smoothing, default: 0),
            dropPath: try resolver.value("drop-path", flag: o.dropPath, default: 0),
            clipNorm: try resolver.optional("clip-grad", flag: o.clipGrad),
            accumulation: accumulation, seed: source.seed)
        try training.validate()
        let threads = try resolver.optional("threads", flag: options.runtime.threads)
        if let threads, threads < 1 {
            throw UserError("--threads cannot be used", expected: "1 or more", found: "\(threads)")
        }
        let precision = try PrecisionChoice.precision(
            named: try resolver.value("precision", flag: options.runtime.precision, default: "f32"))
        let workers = try resolver.value("workers", flag: options.data.workers, default: 1)
        guard workers > 0 else {
            throw UserError("--workers cannot be used", expected: "1 or more", found: "\(workers)")
        }
        return TrainSettings(
            source: source,
            orientation: try resolver.choice(
                "exif-orientation", flag: options.data.exifOrientation, default: format.defaultOrientation),
            skipsBadImages: try resolver.value(
                "skip-bad-images", flag: options.data.skipBadImages ? true : nil, default: false),
            usesTest: try !resolver.value("no-test", flag: options.noTest ? true : nil, default: false),
            testsLast: try resolver.value("test-last", flag: options.testLast ? true : nil, default: false),
            workers: workers,
            positionResize: try resolver.choice(
                "pos-embed-resize", flag: options.posEmbedResize, default: PositionEmbeddingResize.timm),
            augmentation: try Augmentation.resolve(options.augmentation, defaults: defaults, resolver),
            training: training, rateNote: peak.note,
            keepsFeatures: try !resolver.value(
                "no-feature-cache", flag: options.noFeatureCache ? true : nil, default: false),
            precision: precision,
            recomputesBlocks: try resolver.value("recompute", flag: options.recompute ? true : nil, default: false),
            threads: threads, output: try resolver.value("output", flag: options.output, default: "runs"),
            experiment: try resolver.value(
                "experiment", flag: options.experiment, default: defaultExperiment(source)))
    }

    /// The momentum of gradient descent; a setting that AdamW does not have.
    private static func momentum(
        _ options: OptimizationOptions, _ optimizer: OptimizerChoice, _ resolver: SettingResolver
    ) throws -> Double {
        guard optimizer == .adamw else { return try resolver.value("momentum", flag: options.momentum, default: 0.9) }
        guard !resolver.isStated("momentum", isFlagged: options.momentum != nil) else {
            throw UserError("`momentum` is no setting of adamw", remedy: "leave it out, or choose sgd with --opt")
        }
        resolver.leaveUnset("momentum")
        return 0.9
    }

    /// Data, method and model by their last names.
    private static func defaultExperiment(_ source: Source) -> String {
        func name(_ path: String) -> String {
            let last = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
            return String(last.map { $0.isLetter || $0.isNumber || "-_.".contains($0) ? $0 : "-" })
        }
        return [name(source.data), source.method, source.model.map(name) ?? "scratch"].joined(separator: "-")
    }
}
