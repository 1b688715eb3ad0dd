import Foundation
import SSFAnalysis
import SSFCheckpoints
import SSFImages
import SSFKernels
import SSFModels
import SSFParallel
import SSFTensors
import SSFTraining
import SSFTuning

/// `ssf train`: from options to a run folder with the best and the last adapter and the results on the test part.
public final class TrainingRun {
    private let options: TrainOptions
    private let console: Console
    let resolver: SettingResolver
    let settings: TrainSettings
    private let base: BaseModel
    let model: TunedModel
    let preprocessing: Preprocessing
    let data: TaskData
    /// Memory that is taken before the run begins.
    private let resident: [MemoryEstimate.Part]
    /// The data that the run which goes on was started with.
    private let earlierData: String?

    /// Resolves the settings, opens data and model, and says what was decided; computes nothing.
    ///
    /// - Throws: `UserError` that names what cannot be used.
    public convenience init(options: TrainOptions, console: Console) throws {
        try self.init(
            options: options, file: options.config.map { try SettingsFile(path: $0, known: TrainSettings.keys) },
            console: console)
    }

    /// The same with the settings of a file that has been read.
    init(options: TrainOptions, file: SettingsFile?, console: Console) throws {
        self.options = options
        self.console = console
        let program = ResidentMemory.now
        let resumed = try options.resume.map { path in
            let settings = Self.runFolder(of: path) + "/args.yaml"
            guard FileManager.default.fileExists(atPath: settings) else {
                throw UserError(
                    "\(path): a run cannot go on from here", expected: "the `last` folder of a run",
                    found: "no \(settings)")
            }
            return try SettingsFile(path: settings, known: TrainSettings.keys)
        }
        resolver = SettingResolver(file: file, resumed: resumed)
        earlierData = try resumed?.value("data", as: String.self)
        let source = try TrainSettings.source(options, resolver)
        let collection = try DatasetCollection.open(source.data, format: source.format)
        guard collection.classes.count > 1 else {
            throw UserError(
                "\(source.data): there is nothing to tell apart", expected: "at least 2 classes",
                found: collection.classes.isEmpty ? "none" : "one, \(collection.classes[0])")
        }
        settings = try TrainSettings.resolve(source, format: collection.format, options: options, resolver)
        if let threads = settings.threads { Parallel.setThreads(threads) }

        let stated = try PreprocessingResolution.stated(options.preprocessing, resolver: resolver)
        base = try Self.openBase(source, options, imageSize: stated.inputSize?[1], resolver)
        let (preprocessing, preprocessingNotes) = try PreprocessingResolution.resolve(
            options: stated, model: base.configuration.statedPreprocessing, nativeSize: try base.nativeSize(),
            resizesDirectly: settings.augmentation.resizesDirectly)
        self.preprocessing = preprocessing

        var tuning = TunedModel.Options(
            tuning: source.tuning, classes: collection.classes,
            imageSize: (preprocessing.height, preprocessing.width), seed: settings.training.seed)
        tuning.dropPathRate = settings.training.dropPath
        tuning.smoothing = settings.training.smoothing
        tuning.positionResize = settings.positionResize
        tuning.precision = settings.precision
        tuning.recomputesBlocks = settings.recomputesBlocks
        model = try base.tuned(tuning)
        resident = try ResidentMemory.parts(program: program, base: base, model: model)
        // A run that goes on has its values from where it stopped.
        let initial = try resolver.optional("init-from", flag: options.initFrom)
        let beginning =
            options.resume == nil
            ? try initial.map { [model, base] in try InitialAdapter.load($0, into: model, base: base) } : nil
        data = try TaskData(
            collection: collection, splits: source.splits, preprocessing: preprocessing, settings: settings)
        describe(preprocessingNotes + [beginning].compactMap { $0 })
    }

    private static func openBase(
        _ source: TrainSettings.Source, _ options: TrainOptions, imageSize: Int?, _ resolver: SettingResolver
    ) throws -> BaseModel {
        let isScratch = try resolver.value(
            "from-scratch", flag: options.scratch.fromScratch ? true : nil, default: false)
        if isScratch {
            guard source.model == nil else {
                throw UserError("--from-scratch and --model exclude each other", remedy: "leave one out")
            }
            guard source.method == "full", source.tuning.options["train-only"] == nil else {
                throw UserError(
                    "--from-scratch needs every parameter trained", expected: "--method full",
                    found: "--method \(source.method)\(source.method == "full" ? " --train-only" : "")")
            }
            return try .scratch(options.scratch, imageSize: imageSize, resolver)
        }
        guard let path = source.model else {
            throw UserError(
                "--model is missing", expected: "a folder with a pre-trained model",
                remedy: "download one: hf download timm/vit_tiny_patch16_224.augreg_in21k_ft_in1k --local-dir vit_tiny")
        }
        return .checkpoint(try Checkpoint.load(path))
    }

    /// The run folder to which a `last` folder, or a run folder itself, belongs.
    private static func runFolder(of path: String) -> String {
        AdapterFolder.isAdapter(path)
            ? URL(fileURLWithPath: path).standardizedFileURL.deletingLastPathComponent().path : path
    }

    /// The state that a run goes on from.
    ///
    /// - Throws: `UserError` when it belongs to another base, other classes or another method, or nothing is left to do.
    private func savedState(_ resume: String) throws -> TrainingState {
        let path = RunFolder.adapter("last", of: resume)
        guard AdapterFolder.isAdapter(path) else { throw SavedState.missing(path) }
        let (adapter, state) = try SavedState.read(path)
        if let mismatch = adapter.mismatch(baseChecksum: base.checksum, basePath: base.path) { throw mismatch }
        let earlier = adapter.configuration
        try InitialAdapter.check(
            earlier, is: model.tuning, path: path, remedy: "leave --method and its settings out when resuming")
        guard earlier.labelNames == model.classes else {
            func list(_ names: [String]) -> String {
                "\(names.count): " + names.prefix(8).joined(separator: ", ") + (names.count > 8 ? ", ..." : "")
            }
            throw UserError(
                "\(path): the run has other classes than the data", expected: list(earlier.labelNames),
                found: list(model.classes), remedy: "leave --data out when resuming")
        }
        let epochs = settings.training.totalEpochs
        let hasResults =
            data.test == nil || FileManager.default.fileExists(atPath: Self.runFolder(of: path) + "/results.json")
        guard state.completedEpochs < epochs || (state.completedEpochs == epochs && !hasResults) else {
            throw UserError(
                "\(path): the run is already finished, all \(state.completedEpochs) epochs of it",
                remedy: "pass a larger --epochs to train on")
        }
        if let earlierData, earlierData != settings.source.data {
            console.warning("the run was begun on \(earlierData) and goes on on \(settings.source.data)")
        }
        return state
    }

    // MARK: Saying what will be done

    /// What bf16 comes to here: `auto` may have chosen it, and not every run gains by it.
    private var precisionNote: String {
        if settings.source.method == "full" {
            return "precision: bf16 is for frozen weights; what is trained is multiplied in f32"
        }
        return InstructionSet.current.multipliesBFloat16
            ? "precision: frozen weights are multiplied in bf16"
            : "precision: this processor does not multiply bf16; it widens it, which saves memory and no time"
    }

    private func describe(_ preprocessingNotes: [String]) {
        let layout = model.parameters.layout
        let baseCount = model.parameters.specifications.reduce(0) { $0 + $1.shape.count }
        let share = 100 * Double(layout.count) / Double(max(baseCount, 1))
        console.line(
            "model \(base.name)  method \(model.method.name)  trainable \(Formatting.count(layout.count)) of "
                + "\(Formatting.count(baseCount)) (\(Formatting.fixed(share, 2)) %)  "
                + "isa \(KernelTable.current.instructionSet.rawValue)  threads \(Parallel.threads)  data \(data.counts)"
        )
        for note in model.notes + preprocessingNotes + data.notes { console.note(note) }
        if settings.precision == .bfloat16 { console.note(precisionNote) }
        console.line(
            "data \(data.collection.location) (\(data.collection.format.rawValue)): train \(data.selection.train.name), "
                + data.selection.train.summary)
        let crop =
            preprocessing.cropRule == .direct
            ? "direct resize" : "\(preprocessing.cropMode) crop \(preprocessing.cropFraction)"
        console.line(
            "input \(preprocessing.height)x\(preprocessing.width), \(preprocessing.interpolation), \(crop), "
                + (data.training.pipeline.crop == preprocessing.cropRule && data.training.pipeline.flipProbability == 0
                    ? "no augmentation" : "augmented"))
        let t = settings.training
        console.line(
            "\(t.optimizer.title)  lr \(Formatting.significant(t.learningRate))  weight decay \(t.weightDecay)\(t.decaysAll ? " on all" : "")  "
                + "batch \(t.batchSize)\(t.accumulation > 1 ? " x \(t.accumulation)" : "")  epochs \(t.epochs)"
                + (t.cooldownEpochs > 0 ? " and \(t.cooldownEpochs) at the minimum rate" : "")
                + "  warm-up \(Formatting.fixed(t.warmupEpochs, 1)) epochs  seed \(t.seed)")
        if let note = settings.rateNote { console.note(note) }
        if t.warmupEpochs >= Double(t.epochs) {
            console.note("the warm-up is as long as the run or longer: --lr is never reached (see --warmup-epochs)")
        }
        if t.minimumRate > t.learningRate {
            console.note(
                "--min-lr \(t.minimumRate) is above --lr \(t.learningRate): the rate ends higher than its peak")
        }
        for line in TrainableTable.lines(layout) { console.line(line) }
        if data.validation == nil {
            console.note("no validation part: the last epoch is the best; choose with --train-split and --val-split")
        }
    }

    // MARK: Running

    /// Trains, evaluates the test part once, and writes everything.
    ///
    /// - Returns: the exit code.
    public func run() throws -> Int32 {
        // Everything that can be refused is refused before the first file is written.
        let trainer = try makeTrainer()
        let state = try options.resume.map(savedState)
        if let state { try trainer.resume(from: state) }
        let folder = try makeFolder()
        let writer = AdapterWriter(
            model: model, base: base, preprocessing: preprocessing, dataset: settings.source.data,
            recipe: resolver.resolved.compactMap { entry in entry.yaml.map { (entry.key, $0) } })
        let recorder = try RunRecorder(folder: folder, writer: writer, completedEpochs: state?.completedEpochs ?? 0)
        let progress = ProgressLine(console: console, savedAt: folder.file("best"))
        let failure = FailureNotice()
        trainer.observers = [recorder, progress, failure]
        Interruption.listen()
        let begin = ProcessInfo.processInfo.systemUptime
        let earlier = state == nil ? nil : try RunSummary.reopen(folder)
        let outcome = try trainer.run()
        var summary = RunSummary(trainer.state, of: model, data: data, epochs: settings.training.totalEpochs)
        summary.trainingSeconds = ProcessInfo.processInfo.systemUptime - begin + (earlier?.trainingSeconds ?? 0)
        summary.peakBytes = earlier?.peakBytes ?? 0
        switch outcome {
        case .stopped where trainer.state.completedEpochs == 0:
            try summary.write(.stopped, to: folder)
            console.warning("stopped: no epoch was finished, nothing was saved")
            return 1
        case .stopped:
            try summary.write(.stopped, to: folder)
            console.warning("stopped before the end of an epoch; \(folder.file("last")) holds the epochs before it")
            console.next("ssf train --resume \(Shell.quoted(folder.file("last")))")
            return 1
        case .diverged:
            let error = failure.error(keptAt: folder.file("last"))
            try summary.write(.diverged, reason: error.what, to: folder)
            throw error
        case .finished:
            try finish(folder, bestEpoch: summary.bestEpoch)
            try summary.write(.finished, to: folder)
            return 0
        }
    }

    func makeTrainer() throws -> Trainer {
        try Trainer(
            model: model, training: data.training, validation: data.validation, configuration: settings.training,
            featureLimit: settings.keepsFeatures ? FrozenFeatures.defaultByteLimit : 0,
            resident: resident, laterEvaluation: data.test, isStopRequested: { Interruption.isRequested })
    }

    /// Prints what a run would do and take, its time from steps that are really made, and leaves nothing behind.
    public func dryRun() throws {
        let trainer = try makeTrainer()
        let training = settings.training
        let batch = min(training.batchSize, data.training.count)
        let memory = try trainer.memoryEstimate(batch: batch)
        let report = DryRunReport(
            settings: resolver.resolved, trainable: model.parameters.layout.count,
            parameters: model.parameters.specifications.reduce(0) { $0 + $1.shape.count },
            flops: try trainer.flopsPerStep(),
            steps: training.totalEpochs * training.stepsPerEpoch(images: data.training.count), memory: memory,
            allowed: MemoryLimit.allowed, batchSize: batch,
            largestBatch: try trainer.largestBatch(
                within: MemoryLimit.allowed.bytes / 10 * 9, atMost: min(data.training.count, 4096)),
            estimate: try trainer.estimate(), features: trainer.featureUse)
        switch options.format {
        case .text: try StandardOutput.write(report.lines.map { $0 + "\n" }.joined())
        case .json: try StandardOutput.write(try JSONText.of(report.json))
        }
    }

    /// Makes steps, prints where their time goes, and leaves nothing behind but the file that was asked for.
    public func profile(steps: Int) throws {
        let trainer = try makeTrainer()
        console.line("measuring \(Formatting.counted(steps, "step")) ...")
        let report = ProfileReport(profile: try trainer.profile(steps: steps))
        if let file = options.profileFile {
            try OutputFile.write(Data(try JSONText.of(report.json).utf8), to: file)
            console.line("saved \(file)")
        }
        switch options.format {
        case .text: try StandardOutput.write(report.lines.map { $0 + "\n" }.joined())
        case .json: try StandardOutput.write(try JSONText.of(report.json))
        }
    }

    private func makeFolder() throws -> RunFolder {
        let folder: RunFolder
        if let resume = options.resume {
            folder = RunFolder(existing: Self.runFolder(of: resume))
        } else {
            folder = try RunFolder.create(output: settings.output, experiment: settings.experiment)
        }
        try folder.write(resolver.document, to: "args.yaml")
        try folder.write(EnvironmentReport.current().json(), to: "environment.json")
        console.line("run folder \(folder.path)")
        return folder
    }

    private func finish(_ folder: RunFolder, bestEpoch: Int) throws {
        for (name, source) in [("train", data.training), ("validation", data.validation)] {
            if let source, !source.badImages.isEmpty {
                console.warning(
                    "\(Formatting.counted(source.badImages.count, "image")) of the \(name) part could not be read and "
                        + "were left out")
                for (_, error) in source.badImages.sorted(by: { $0.key < $1.key }).prefix(3) {
                    console.warning(error.what)
                }
            }
        }
        let best = folder.file("best")
        if let test = data.test {
            // The best epoch need not be the last, whose values the model holds.
            if settings.testsLast, bestEpoch != settings.training.totalEpochs - 1 {
                let results = try evaluate(test)
                try write(results, of: test, to: folder, suffix: "-last")
                try StandardOutput.line("Last  " + line(results, of: test))
            }
            try model.load(adapterTensors: try AdapterFolder.read(best).tensors)
            let results = try evaluate(test)
            try write(results, of: test, to: folder, suffix: "")
            try folder.write(results.confusionCSV, to: "confusion.csv")
            try StandardOutput.line("Test  " + line(results, of: test))
            console.line("lowest recalls:")
            for line in results.lines { console.line(line) }
        }
        console.line(
            "saved \(folder.path); peak memory \(Formatting.bytes(ProcessMemory.peak)) (\(ProcessMemory.peak) bytes)")
        console.next(
            "ssf merge --adapter \(Shell.quoted(best)) --output \(Shell.quoted(folder.file("merged"))) --verify")
    }

    private func evaluate(_ test: LoadedBatchSource) throws -> RunResults {
        RunResults(
            predictions: try Evaluator(model: model, batchSize: settings.training.batchSize).predictions(for: test),
            classes: model.classes)
    }

    private func write(_ results: RunResults, of test: LoadedBatchSource, to folder: RunFolder, suffix: String) throws {
        let summary = results.summary(split: test.dataset.name, skippedImages: test.badImages.count)
        try folder.write(try JSONText.of(summary), to: "results\(suffix).json")
        try folder.write(results.predictionsCSV(of: test.dataset), to: "predictions\(suffix).csv")
    }

    private func line(_ results: RunResults, of test: LoadedBatchSource) -> String {
        let metrics = results.metrics
        return "\(test.dataset.name)  \(metrics.count) images  loss \(Formatting.loss(metrics.loss))  "
            + "top1 \(Formatting.percent(metrics.top1, 2))  top5 \(Formatting.percent(metrics.top5, 2))  "
            + "macro recall \(Formatting.percent(metrics.macroRecall, 2))"
    }
}

/// Remembers why a run failed.
private final class FailureNotice: RunObserver {
    private var event: RunDiverged?

    func runDiverged(_ event: RunDiverged) { self.event = event }

    func error(keptAt path: String) -> UserError {
        let step = event?.step ?? 0
        let epoch = event?.epoch ?? 0
        let kept = event?.restoredEpoch.map { "the adapter of epoch \($0) is" } ?? "the initial values are"
        // Before the first update no learning rate can be to blame.
        let origin = step == 0 ? "the model or the images hold values that are not finite; else " : ""
        return UserError(
            "the loss or its gradient is no longer finite at step \(step) (epoch \(epoch))", expected: "a finite loss",
            found: "\(event?.loss ?? .nan); \(kept) kept in \(path)",
            remedy: origin + "lower --lr, or limit gradients with --clip-grad 1")
    }
}
