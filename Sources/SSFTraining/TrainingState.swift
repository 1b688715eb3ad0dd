import SSFTensors

/// What training needs, beside the adapter, to go on as if it had never stopped.
///
/// Everything drawn at random comes from streams that are keyed by the seed and by an epoch or step, so that the
/// counters are the whole state of the generators.
public struct TrainingState: @unchecked Sendable {
    /// Epochs that are complete.
    public var completedEpochs: Int
    /// Optimiser steps that are complete.
    public var completedSteps: Int
    public var seed: UInt64
    /// The trainable vector, bit for bit.
    public var trainable: Tensor
    /// What the optimiser keeps, by its names (`Optimizer.moments`).
    public var moments: [String: Tensor]
    /// The best validation top-1 so far, in 0...1, and the epoch that reached it.
    public var bestTop1: Double?
    public var bestEpoch: Int

    public init(
        completedEpochs: Int, completedSteps: Int, seed: UInt64, trainable: Tensor, moments: [String: Tensor],
        bestTop1: Double?, bestEpoch: Int
    ) {
        self.completedEpochs = completedEpochs
        self.completedSteps = completedSteps
        self.seed = seed
        self.trainable = trainable
        self.moments = moments
        self.bestTop1 = bestTop1
        self.bestEpoch = bestEpoch
    }
}
