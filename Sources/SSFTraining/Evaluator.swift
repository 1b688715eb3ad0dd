import SSFGraph
import SSFTensors
import SSFTuning

/// Runs a model over a data set without training it.
public final class Evaluator {
    private let model: TunedModel
    /// Where the sets hold features instead of pixels.
    private let features: FrozenFeatures?
    /// Images of a batch; the last batch of a set has what remains and a program of its own.
    public let batchSize: Int

    public init(model: TunedModel, batchSize: Int) {
        precondition(batchSize > 0)
        self.model = model
        features = nil
        self.batchSize = batchSize
    }

    /// Runs the trained end of `model` over sets of features.
    init(model: TunedModel, features: FrozenFeatures?, batchSize: Int) {
        precondition(batchSize > 0)
        self.model = model
        self.features = features
        self.batchSize = batchSize
    }

    /// Hands the logits of each batch, row-major [count, K], to `body` in the order of the set.
    ///
    /// - Throws: what the source throws for an image that cannot be read, what `body` throws, and `UserError` when a
    ///   batch needs more memory than the machine has.
    public func forEachBatch(
        of source: any BatchSource, _ body: (ImageBatch, UnsafeBufferPointer<Float>) throws -> Void
    ) throws {
        guard let features else {
            return try JointEvaluator(models: [model], batchSize: batchSize).forEachBatch(of: source) {
                batch, _, logits in try body(batch, logits)
            }
        }
        let stream = try source.batches(
            order: Array(0..<source.count), batchSize: min(batchSize, max(source.count, 1)), dropLast: false, epoch: 0)
        while let batch = try stream.next() {
            if batch.count == 0 { continue }
            let executor = try features.executor(batch: batch.count, mode: .inference)
            _ = executor.images.update(fromContentsOf: batch.pixels)
            executor.forward()
            try executor.logits.withContiguousStorageIfAvailable { try body(batch, $0) }
        }
    }

    /// The prediction for each image of a set, in its order.
    public func predictions(for source: any BatchSource) throws -> [Prediction] {
        var predictions: [Prediction] = []
        predictions.reserveCapacity(source.count)
        try forEachBatch(of: source) { batch, logits in
            let classes = logits.count / batch.count
            for i in 0..<batch.count {
                predictions.append(
                    Prediction(
                        index: batch.indices[i], label: Int(batch.labels[i]),
                        logits: UnsafeBufferPointer(rebasing: logits[i * classes..<(i + 1) * classes])))
            }
        }
        return predictions
    }
}
