import Foundation
import SSFCheckpoints
import SSFImages
import SSFKernels
import SSFParallel
import SSFTensors
import SSFTraining
import SSFTuning

/// `ssf triage`: what tuning a model for a set of images could gain, from features that are computed once.
///
/// Nothing is chosen by the test part: its images are compared with the others, and that is all.
public struct TriageRun {
    private let options: TriageOptions
    private let console: Console

    public init(options: TriageOptions, console: Console) {
        self.options = options
        self.console = console
    }

    /// Pairs are listed up to this number.
    private static let listedPairs = 5
    /// Queries of the neighbour search, so that it takes seconds on any set.
    private static let mostQueries = 10_000
    /// Cosine above which two images count as the same.
    private static let duplicateSimilarity: Float = 0.999

    /// - Throws: `UserError` that names what cannot be used.
    public func run() throws {
        let begin = ProcessInfo.processInfo.systemUptime
        let task = try Task(options, console)
        var parts: [(name: String, dataset: ImageDataset, features: FeatureSource)] = []
        for dataset in [task.selection.train, task.selection.validation, task.selection.test].compactMap({ $0 }) {
            guard dataset.count > 0 else { continue }
            let source = LoadedBatchSource(
                dataset, pipeline: task.preprocessing.pipeline(orientation: task.orientation),
                threads: options.data.workers ?? 1, skipsBadImages: options.data.skipBadImages)
            let features = try task.features.source(of: source, batchSize: options.batchSize) { done in
                console.transient("\(dataset.name) [\(done)/\(dataset.count)]")
                return true
            }
            parts.append((dataset.name, dataset, features!))
            if !source.badImages.isEmpty {
                console.warning(
                    "\(Formatting.counted(source.badImages.count, "image")) of \(dataset.name) could not be read")
            }
        }
        let featureSeconds = ProcessInfo.processInfo.systemUptime - begin
        let train = parts[0].features
        let hasValidation = task.selection.validation.map { $0.count > 0 } ?? false

        console.transient("neighbours and duplicates")
        let neighbours = parts.map { NearestNeighbours($0.features.features) }
        let knn = self.knn(
            train: train, neighbours: neighbours, validation: hasValidation ? parts[1].features : nil,
            classes: task.classes.count)
        var duplicates: [TriageReport.Duplicates] = []
        for a in parts.indices {
            for b in parts.indices where b > a {
                let pairs = neighbours[a].pairs(neighbours[b], above: Self.duplicateSimilarity)
                duplicates.append(
                    TriageReport.Duplicates(
                        first: parts[a].name, second: parts[b].name, images: Set(pairs.map(\.query)).count,
                        pairs: pairs.prefix(Self.listedPairs).map { pair in
                            TriageReport.Pair(
                                first: parts[a].dataset.items[pair.neighbour.index].name,
                                second: parts[b].dataset.items[pair.query].name,
                                similarity: Double(pair.neighbour.similarity),
                                hasSameLabel: train.labels.isEmpty
                                    || parts[a].features.labels[pair.neighbour.index]
                                        == parts[b].features.labels[pair.query]
                            )
                        }))
            }
        }

        console.transient("linear probes")
        let (fitted, chosenOn, chosenBy) = try split(train, hasValidation ? parts[1].features : nil, task)
        var probe = LinearProbe()
        probe.seed = UInt64(options.seed)
        let candidates = try probe.candidates(model: task.model, training: fitted, validation: chosenOn)

        console.transient("a step of ssf")
        let run = try task.estimateOfTuning(images: parts[0].dataset)
        let report = TriageReport(
            model: task.base.name, data: task.collection.location, classes: task.classes,
            parts: parts.map { .init(name: $0.name, images: $0.dataset.count) }, histogram: parts[0].dataset.histogram,
            knn: knn, probes: candidates.map(TriageReport.Probe.init),
            confusions: TriageReport.confusions(candidates.first?.metrics, classes: task.classes),
            chosenBy: chosenBy, chosenOnImages: chosenOn.count, duplicates: duplicates, tuning: run,
            featureWidth: task.features.width, featureSeconds: featureSeconds,
            seconds: ProcessInfo.processInfo.systemUptime - begin)
        if let file = options.resultsFile {
            try OutputFile.write(Data(try JSONText.of(report).utf8), to: file)
            console.line("saved \(file)")
        }
        switch options.format {
        case .text: try StandardOutput.write(report.lines.map { $0 + "\n" }.joined())
        case .json: try StandardOutput.write(try JSONText.of(report))
        }
        console.next(
            "ssf train --model \(Shell.quoted(options.model)) --data \(Shell.quoted(options.data.data!)) "
                + "--method \(report.recommendation.method)")
    }

    /// Accuracy of the neighbours' vote: of validation images among the training images, or of each training image
    /// among the others.
    private func knn(
        train: FeatureSource, neighbours: [NearestNeighbours], validation: FeatureSource?, classes: Int
    ) -> TriageReport.Neighbours {
        let queries = validation ?? train
        let present = queries.labels.indices.filter { queries.isPresent[$0] }
        let step = max(1, (present.count + Self.mostQueries - 1) / Self.mostQueries)
        let rows = stride(from: 0, to: present.count, by: step).map { present[$0] }
        let found = neighbours[0].search(
            neighbours[validation == nil ? 0 : 1], rows: rows, k: options.neighbours, excludesSelf: validation == nil)
        var right = 0
        for (row, near) in zip(rows, found)
        where NearestNeighbours.vote(
            near.filter { train.isPresent[$0.index] }, labels: train.labels, classes: classes)
            == Int(queries.labels[row])
        {
            right += 1
        }
        return TriageReport.Neighbours(
            k: options.neighbours, top1: 100 * Double(right) / Double(max(rows.count, 1)), images: rows.count,
            kind: validation == nil ? "each training image among the others" : "validation among training images")
    }

    /// What the probe is fitted to, and what chooses it.
    private func split(
        _ train: FeatureSource, _ validation: FeatureSource?, _ task: Task
    ) throws -> (fitted: FeatureSource, chosenOn: FeatureSource, name: String) {
        if let validation { return (train, validation, "the validation part") }
        let (rest, part) = train.stratified(
            fraction: options.valFraction, classes: task.classes.count, seed: UInt64(options.seed))
        guard !part.isEmpty else {
            throw UserError(
                "too few images to choose a probe by", expected: "two or more of some class",
                found: task.selection.train.summary)
        }
        return (train.subset(rest), train.subset(part), "a part of the training images set apart, evenly by class")
    }
}

extension TriageRun {
    /// The model and the images.
    private struct Task {
        let base: BaseModel
        let model: TunedModel
        let features: FrozenFeatures
        let collection: DatasetCollection
        let selection: DatasetSelection
        let preprocessing: Preprocessing
        let orientation: OrientationPolicy
        private let workers: Int

        var classes: [String] { collection.classes }

        init(_ options: TriageOptions, _ console: Console) throws {
            let location = options.data.data!
            collection = try DatasetCollection.open(location, format: try options.data.dataFormat.map(DataFormat.named))
            guard collection.classes.count > 1 else {
                throw UserError(
                    "\(location): there is nothing to tell apart", expected: "at least 2 classes",
                    found: "\(collection.classes.count)")
            }
            var splits = SplitOptions(
                train: options.data.trainSplit, validation: options.data.valSplit, test: options.data.testSplit,
                seed: UInt64(options.seed))
            splits.validationFraction = options.valFraction
            splits.requiresFiles = !options.data.skipBadImages
            selection = try collection.select(splits)
            orientation = try .named(
                options.data.exifOrientation, default: collection.format.defaultOrientation)
            workers = options.data.workers ?? 1

            base = .checkpoint(try Checkpoint.load(options.model))
            let kind = TrainSettings.kind(of: collection.format)
            let (preprocessing, notes) = try PreprocessingResolution.resolve(
                options: try PreprocessingResolution.stated(options.preprocessing),
                model: base.configuration.statedPreprocessing, nativeSize: try base.nativeSize(),
                resizesDirectly: !TrainingDefaults.of(method: "linear", data: kind).augments)
            self.preprocessing = preprocessing
            model = try base.tuned(
                Self.options("linear", collection.classes, preprocessing, seed: UInt64(options.seed)))
            guard let features = try FrozenFeatures(model) else {
                throw UserError("\(options.model): the model has no features that stay as they are")
            }
            self.features = features
            console.line(
                "model \(base.name)  isa \(KernelTable.current.instructionSet.rawValue)  threads \(Parallel.threads)  "
                    + "data \(selection.train.name), \(selection.train.summary)")
            for note in model.notes + notes + collection.notes + selection.notes { console.note(note) }
        }

        private static func options(
            _ method: String, _ classes: [String], _ preprocessing: Preprocessing, seed: UInt64
        ) -> TunedModel.Options {
            TunedModel.Options(
                tuning: TuningConfiguration(method: method), classes: classes,
                imageSize: (preprocessing.height, preprocessing.width), seed: seed)
        }

        /// What `ssf train` with its defaults would take, from steps of a small batch that are really made.
        func estimateOfTuning(images: ImageDataset) throws -> TriageReport.Tuning {
            let method = "ssf"
            let defaults = TrainingDefaults.of(method: method, data: TrainSettings.kind(of: collection.format))
            let tuned = try base.tuned(Self.options(method, classes, preprocessing, seed: 0))
            // About a teraFLOP: a second or two on any machine that would be used for this.
            let flops = try tuned.program(batch: 1, mode: .training)
            let perImage = max(1, flops.forwardFLOPs + flops.backwardFLOPs)
            let batch = min(max(1_000_000_000_000 / perImage, 4), defaults.batchSize, images.count)
            let source = LoadedBatchSource(
                images.subset(Array(0..<batch)), pipeline: preprocessing.pipeline(orientation: orientation),
                threads: workers, skipsBadImages: true)
            let trainer = try Trainer(
                model: tuned, training: source,
                configuration: TrainingConfiguration(
                    epochs: 1, batchSize: batch, learningRate: defaults.learningRate))
            let seconds = try trainer.estimate().secondsPerStep / Double(batch)
            return TriageReport.Tuning(
                method: method, epochs: defaults.epochs, trainable: tuned.parameters.layout.count,
                seconds: seconds * Double(images.count * defaults.epochs))
        }
    }
}
