/// A method on a set of images: its runs, one for each seed, and what they took.
public struct ComparisonCell: Codable, Sendable, Equatable {
    /// A run that came to its end.
    public struct Run: Codable, Sendable, Equatable {
        public var seed: Int
        /// Top-1 on the test part in per cent, after the last epoch and after the one that validation chose.
        public var lastTop1: Double
        public var bestTop1: Double
        public var bestEpoch: Int
        /// Wall-clock seconds of training, and the most memory the process held, in bytes.
        public var seconds: Double
        public var peakBytes: Int
        public var adapterBytes: Int

        enum CodingKeys: String, CodingKey {
            case seed, seconds
            case lastTop1 = "last_top1"
            case bestTop1 = "best_top1"
            case bestEpoch = "best_epoch"
            case peakBytes = "peak_bytes"
            case adapterBytes = "adapter_bytes"
        }

        public init(
            seed: Int, lastTop1: Double, bestTop1: Double, bestEpoch: Int, seconds: Double, peakBytes: Int,
            adapterBytes: Int
        ) {
            (self.seed, self.lastTop1, self.bestTop1, self.bestEpoch) = (seed, lastTop1, bestTop1, bestEpoch)
            (self.seconds, self.peakBytes, self.adapterBytes) = (seconds, peakBytes, adapterBytes)
        }

        public func top1(_ epoch: ReportedEpoch) -> Double { epoch == .last ? lastTop1 : bestTop1 }
    }

    public var method: String
    public var dataset: String
    /// Trained numbers, the classifier's among them, and all of the model.
    public var trainable: Int
    public var parameters: Int
    /// Beyond the base after merging, where that is possible: numbers, and multiply-adds of an image.
    public var extraParameters: Int
    public var extraMultiplyAdds: Int
    /// What the sweep chose, by key.
    public var chosen: [String: String]
    public var runs: [Run]
    /// Seeds whose loss was no number any more, and seeds that ended otherwise.
    public var diverged: [Int]
    public var failed: [Int]

    enum CodingKeys: String, CodingKey {
        case method, dataset, trainable, parameters, chosen, runs, diverged, failed
        case extraParameters = "extra_parameters_inference"
        case extraMultiplyAdds = "extra_multiply_adds_inference"
    }

    public init(
        method: String, dataset: String, trainable: Int, parameters: Int, extraParameters: Int = 0,
        extraMultiplyAdds: Int = 0, chosen: [String: String] = [:], runs: [Run] = [], diverged: [Int] = [],
        failed: [Int] = []
    ) {
        (self.method, self.dataset, self.trainable, self.parameters) = (method, dataset, trainable, parameters)
        (self.extraParameters, self.extraMultiplyAdds) = (extraParameters, extraMultiplyAdds)
        (self.chosen, self.runs, self.diverged, self.failed) = (chosen, runs, diverged, failed)
    }

    /// Top-1 in per cent over the seeds that came through.
    public func summary(_ epoch: ReportedEpoch) -> SampleSummary? { SampleSummary(runs.map { $0.top1(epoch) }) }

    public var seconds: Double? { SampleSummary(runs.map(\.seconds))?.mean }
    /// The most of any of its runs.
    public var peakBytes: Int? { runs.map(\.peakBytes).max() }
    public var adapterBytes: Int? { runs.map(\.adapterBytes).max() }
    /// In per cent.
    public var trainableShare: Double { 100 * Double(trainable) / Double(max(parameters, 1)) }
}
