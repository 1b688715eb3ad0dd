import SSFCheckpoints
import SSFImages
import SSFTensors
import SSFTraining

/// The images of a task, chosen and ready to be loaded.
struct TaskData {
    let collection: DatasetCollection
    let selection: DatasetSelection
    let training: LoadedBatchSource
    let validation: LoadedBatchSource?
    let test: LoadedBatchSource?

    /// What is said of the data before anything is computed.
    let notes: [String]

    init(
        collection: DatasetCollection, splits: SplitOptions, preprocessing: Preprocessing, settings: TrainSettings
    ) throws {
        self.collection = collection
        var splits = splits
        splits.requiresFiles = !settings.skipsBadImages
        selection = try collection.select(splits)
        func source(_ dataset: ImageDataset, _ pipeline: Pipeline) -> LoadedBatchSource {
            LoadedBatchSource(
                dataset, pipeline: pipeline, seed: settings.training.seed, threads: settings.workers,
                skipsBadImages: settings.skipsBadImages)
        }
        let evaluation = preprocessing.pipeline(orientation: settings.orientation)
        training = source(
            selection.train,
            preprocessing.pipeline(orientation: settings.orientation, augmentation: settings.augmentation))
        validation = selection.validation.map { source($0, evaluation) }
        test = settings.usesTest ? selection.test.map { source($0, evaluation) } : nil

        var notes = selection.notes
        for dataset in [selection.train, selection.validation, selection.test].compactMap({ $0 }) {
            let turned = collection.format.holdsPhotographs ? dataset.orientedCount() : 0
            if turned > 0 {
                notes.append(
                    "\(dataset.name): \(turned) photographs carry an EXIF orientation, which is "
                        + (settings.orientation == .apply ? "applied" : "ignored"))
            }
        }
        self.notes = notes
    }

    /// `1000 train / 200 val / 1000 test`
    var counts: String {
        [("train", selection.train), ("val", selection.validation), ("test", selection.test)]
            .compactMap { name, dataset in dataset.map { "\($0.count) \(name)" } }.joined(separator: " / ")
    }
}
