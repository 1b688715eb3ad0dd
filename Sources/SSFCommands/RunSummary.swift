import Foundation
import SSFAnalysis
import SSFCheckpoints
import SSFTraining
import SSFTuning

/// `run.json`: how a run ended and what it took. It is written last: a folder without it holds a run that goes on, or
/// one that was ended by force.
public struct RunSummary: Codable, Sendable, Equatable {
    public static let fileName = "run.json"

    public enum Status: String, Codable, Sendable {
        case finished
        /// Asked to stop; `last` holds the epochs before.
        case stopped
        /// The loss was no number any more.
        case diverged
    }

    public var status: Status
    /// Why it diverged.
    public var reason: String?
    /// Complete epochs, and those that were asked for.
    public var completedEpochs: Int
    public var epochs: Int
    /// Counted from 0; by validation, and the last where there is no such part.
    public var bestEpoch: Int
    /// Wall-clock time of training over all sessions of the run: steps, validation and saving, without opening model
    /// and images before and the test afterwards.
    public var trainingSeconds: Double
    /// The most memory that a process of the run held, test included.
    public var peakBytes: Int
    /// Trained numbers, and all of the model with the classifier.
    public var trainable: Int
    public var parameters: Int
    /// Of the file with the trained tensors: what a further task takes on disk beside the base.
    public var adapterBytes: Int
    public var trainImages: Int
    public var validationImages: Int
    public var testImages: Int

    enum CodingKeys: String, CodingKey {
        case status, reason, epochs, trainable, parameters
        case completedEpochs = "completed_epochs"
        case bestEpoch = "best_epoch"
        case trainingSeconds = "training_seconds"
        case peakBytes = "peak_bytes"
        case adapterBytes = "adapter_bytes"
        case trainImages = "train_images"
        case validationImages = "validation_images"
        case testImages = "test_images"
    }

    init(_ state: TrainingState, of model: TunedModel, data: TaskData, epochs: Int) {
        status = .stopped
        completedEpochs = state.completedEpochs
        self.epochs = epochs
        bestEpoch = state.bestEpoch
        trainingSeconds = 0
        peakBytes = 0
        trainable = model.parameters.layout.count
        parameters = model.parameters.specifications.reduce(0) { $0 + $1.shape.count }
        adapterBytes = 0
        trainImages = data.training.count
        validationImages = data.validation?.count ?? 0
        testImages = data.test?.count ?? 0
    }

    /// Writes the file, with the memory that this process has held and the size of the best adapter.
    mutating func write(_ status: Status, reason: String? = nil, to folder: RunFolder) throws {
        (self.status, self.reason) = (status, reason)
        peakBytes = max(peakBytes, ProcessMemory.peak)
        let attributes = try? FileManager.default.attributesOfItem(
            atPath: folder.file("best") + "/" + AdapterFolder.tensorsName)
        adapterBytes = (attributes?[.size] as? Int) ?? 0
        try folder.write(try JSONText.of(self), to: Self.fileName)
    }

    /// What an earlier session said, and says no more that the run has ended.
    static func reopen(_ folder: RunFolder) throws -> RunSummary? {
        guard var summary = read(folder.path) else { return nil }
        (summary.status, summary.reason) = (.stopped, nil)
        try folder.write(try JSONText.of(summary), to: fileName)
        return summary
    }

    /// What the folder of a run says; nil where it says nothing.
    public static func read(_ folder: String) -> RunSummary? {
        FileManager.default.contents(atPath: folder + "/" + fileName).flatMap {
            try? JSONDecoder().decode(RunSummary.self, from: $0)
        }
    }
}
