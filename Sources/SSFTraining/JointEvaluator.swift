import SSFGraph
import SSFTensors
import SSFTuning

/// Runs models over one pass of a set of images without training them: each batch is decoded once for all of them.
///
/// Models over one backbone (`SharedWeights`) also share its weights and the memory in which they run.
public final class JointEvaluator {
    private let models: [TunedModel]
    /// Images of a batch; the last batch of a set has what remains and a program of its own.
    public let batchSize: Int
    /// Seconds that each model has run, without the waiting for images and the making of programs.
    public private(set) var seconds: [Double]

    /// - Precondition: there is a model, and all take images of one size.
    public init(models: [TunedModel], batchSize: Int) {
        precondition(batchSize > 0 && !models.isEmpty)
        precondition(models.allSatisfy { $0.imageSize == models[0].imageSize }, "images of several sizes")
        self.models = models
        self.batchSize = batchSize
        seconds = [Double](repeating: 0, count: models.count)
    }

    /// Hands the logits of each batch, row-major [count, K], to `body` in the order of the set: for each batch those of
    /// every model, with its position.
    ///
    /// - Throws: what the source throws for an image that cannot be read, what `body` throws, and `UserError` when a
    ///   batch needs more memory than the machine has.
    public func forEachBatch(
        of source: any BatchSource,
        _ body: (_ batch: ImageBatch, _ model: Int, _ logits: UnsafeBufferPointer<Float>) throws -> Void
    ) throws {
        let batchSize = min(batchSize, max(source.count, 1))
        try reserve(batchSize)
        let stream = try source.batches(
            order: Array(0..<source.count), batchSize: batchSize, dropLast: false, epoch: 0)
        while let batch = try stream.next() {
            if batch.count == 0 { continue }
            for (position, model) in models.enumerated() {
                let executor = try model.executor(batch: batch.count, mode: .inference)
                var clock = Stopwatch()
                _ = executor.images.update(fromContentsOf: batch.pixels)
                // The losses are not asked for, but computed; the memory may hold what another model has left there.
                executor.labels.update(repeating: 0)
                executor.forward()
                seconds[position] += clock.lap()
                try executor.logits.withContiguousStorageIfAvailable { try body(batch, position, $0) }
            }
        }
    }

    /// Checks that the buffers fit, and takes those that the models share at their largest.
    private func reserve(_ batch: Int) throws {
        let needs = try models.map {
            Executor.plannedByteCount(
                of: try $0.program(batch: batch, mode: .inference), mode: .inference, precision: $0.options.precision)
        }
        let shared = models[0].parameters.shared
        let isShared = shared != nil && models.allSatisfy { $0.parameters.shared === shared }
        try MemoryLimit.check(bytes: isShared ? needs.max()! : needs.reduce(0, +), for: "evaluation")
        if isShared { _ = shared?.slab(byteCount: needs.max()!) }
    }
}
