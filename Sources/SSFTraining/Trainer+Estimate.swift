import SSFGraph
import SSFTensors

extension Trainer {
    /// Times a step, and the features that the run keeps, without changing anything: the first of each makes programs
    /// and packs weights, the second is timed.
    public func estimate() throws -> RunEstimate {
        let batch = min(configuration.batchSize, training.count)
        let stream = try training.batches(
            order: order.positions(epoch: completedEpochs, count: training.count), batchSize: batch, dropLast: false,
            epoch: completedEpochs)
        guard let first = try stream.next() else {
            throw UserError("no image of the training part can be read", remedy: "check --data")
        }
        var featureSeconds = 0.0
        var stepSeconds = 0.0
        for _ in 0..<2 {
            var clock = Stopwatch()
            let kept = try keptFeatures(of: first)
            featureSeconds = clock.lap() / Double(first.count)
            try withExtendedLifetime(kept) {
                _ = try differentiate(kept?.batch ?? first, batchIndex: 0, of: 1) { _, _ in }
            }
            stepSeconds = clock.lap()
        }

        var evaluationSeconds = 0.0
        if let validation {
            // Inference takes about a third of a frozen-weight step; the sets are small, so an estimate will do.
            evaluationSeconds = stepSeconds / 3 * Double(validation.count) / Double(first.count)
        }
        let images = training.count + (validation?.count ?? 0)
        return RunEstimate(
            secondsPerStep: stepSeconds * Double(configuration.accumulation), secondsPerEvaluation: evaluationSeconds,
            steps: (configuration.totalEpochs - completedEpochs) * stepsPerEpoch,
            evaluations: configuration.totalEpochs - completedEpochs,
            bytes: try memoryEstimate(batch: first.count).total,
            secondsForFeatures: keepsFeaturesStill ? featureSeconds * Double(images) : 0)
    }

    /// Features of a batch of images in memory of their own.
    struct KeptBatch {
        let values: Tensor
        let labels: [Int32]
        let indices: [Int]

        var batch: ImageBatch {
            ImageBatch(pixels: UnsafeBufferPointer(values.floats), labels: labels, indices: indices)
        }
    }

    /// Whether the run keeps features and has yet to compute them.
    private var keepsFeaturesStill: Bool { features != nil && !(training is FeatureSource) }

    /// The features of a batch of images in a run that keeps them; nil in others, and where the batch holds features.
    func keptFeatures(of batch: ImageBatch) throws -> KeptBatch? {
        guard let features, keepsFeaturesStill else { return nil }
        let values = Tensor(Array(try features.features(of: batch)), shape: [batch.count, features.width])
        return KeptBatch(values: values, labels: batch.labels, indices: batch.indices)
    }
}
