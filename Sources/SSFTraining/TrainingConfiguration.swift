import SSFTensors

/// The numbers of a training run, resolved: nothing here has a default that depends on anything else.
public struct TrainingConfiguration: Sendable, Equatable {
    /// Epochs of warm-up and cosine together.
    public var epochs: Int
    /// Epochs at the minimum rate after them.
    public var cooldownEpochs: Int
    public var batchSize: Int
    public var learningRate: Double
    public var optimizer: OptimizerChoice
    /// Of SGD, in both of its forms.
    public var momentum: Double
    /// On the tensors that decay: decoupled with AdamW, a part of the gradient with SGD.
    public var weightDecay: Double
    public var scheduleUnit: LearningRateSchedule.Unit
    /// Epochs of warm-up; may be fractional when the schedule counts steps.
    public var warmupEpochs: Double
    public var warmupRate: Double
    public var minimumRate: Double
    /// Label smoothing: the label's target is `1 - smoothing + smoothing / K`, that of every other class `smoothing / K`.
    public var smoothing: Double
    /// Stochastic depth of the last block.
    public var dropPath: Double
    /// Global norm to which gradients are clipped.
    public var clipNorm: Double?
    /// Whether every trainable decays, not only those that decay by default.
    public var decaysAll: Bool
    /// Batches whose gradients make up one update.
    public var accumulation: Int
    public var seed: UInt64

    public init(
        epochs: Int, batchSize: Int, learningRate: Double, optimizer: OptimizerChoice = .adamw, momentum: Double = 0.9,
        weightDecay: Double = 0, decaysAll: Bool = false, cooldownEpochs: Int = 0,
        scheduleUnit: LearningRateSchedule.Unit = .step, warmupEpochs: Double = 0, warmupRate: Double = 0,
        minimumRate: Double = 0, smoothing: Double = 0, dropPath: Double = 0, clipNorm: Double? = nil,
        accumulation: Int = 1, seed: UInt64 = 0
    ) {
        self.epochs = epochs
        self.cooldownEpochs = cooldownEpochs
        self.batchSize = batchSize
        self.learningRate = learningRate
        self.optimizer = optimizer
        self.momentum = momentum
        self.weightDecay = weightDecay
        self.decaysAll = decaysAll
        self.scheduleUnit = scheduleUnit
        self.warmupEpochs = warmupEpochs
        self.warmupRate = warmupRate
        self.minimumRate = minimumRate
        self.smoothing = smoothing
        self.dropPath = dropPath
        self.clipNorm = clipNorm
        self.accumulation = accumulation
        self.seed = seed
    }

    public var totalEpochs: Int { epochs + cooldownEpochs }

    /// Whether an epoch over `images` images leaves out its last partial batch: always, unless there would be none left.
    public func dropsLastBatch(images: Int) -> Bool { images >= batchSize }

    /// Whether an update reads the gradient as a whole, for its norm or because several batches add to it, rather than
    /// that of each tensor when it is complete.
    public var needsWholeGradient: Bool { clipNorm != nil || accumulation > 1 }

    /// Batches of one epoch.
    public func batchesPerEpoch(images: Int) -> Int {
        dropsLastBatch(images: images) ? images / batchSize : 1
    }

    /// Optimiser steps of one epoch; the last may accumulate fewer batches than the others.
    public func stepsPerEpoch(images: Int) -> Int {
        (batchesPerEpoch(images: images) + accumulation - 1) / accumulation
    }

    /// The learning rates of the run.
    public func schedule(images: Int) -> LearningRateSchedule {
        let steps = stepsPerEpoch(images: images)
        return LearningRateSchedule(
            unit: scheduleUnit, peak: learningRate, length: scheduleUnit == .step ? epochs * steps : epochs,
            warmup: Int((scheduleUnit == .step ? warmupEpochs * Double(steps) : warmupEpochs).rounded()),
            warmupRate: warmupRate, minimumRate: minimumRate)
    }

    /// The optimiser of `count` trainables under the decays of `segments`.
    func makeOptimizer(count: Int, segments: [DecaySegment]) -> any Optimizer {
        switch optimizer {
        case .adamw: AdamWOptimizer(count: count, segments: segments)
        case .sgd, .momentum:
            SGDOptimizer(count: count, segments: segments, momentum: Float(momentum), isNesterov: optimizer == .sgd)
        }
    }

    /// - Throws: `UserError` that names the number which cannot be used.
    public func validate() throws {
        func require(_ condition: Bool, _ name: String, _ expected: String, _ found: some CustomStringConvertible)
            throws
        {
            if !condition { throw UserError("--\(name) cannot be used", expected: expected, found: "\(found)") }
        }
        // Far beyond any use, and low enough that counts of steps and images stay exact.
        let most = 1_000_000
        try require((1...most).contains(epochs), "epochs", "1 to \(most)", epochs)
        try require((0...most).contains(cooldownEpochs), "cooldown-epochs", "0 to \(most)", cooldownEpochs)
        try require((1...most).contains(batchSize), "batch-size", "1 to \(most)", batchSize)
        try require(learningRate > 0 && learningRate.isFinite, "lr", "a positive number", learningRate)
        try require((0..<1).contains(momentum), "momentum", "0 or more and less than 1", momentum)
        try require(weightDecay >= 0 && weightDecay.isFinite, "weight-decay", "0 or more", weightDecay)
        try require((0...Double(most)).contains(warmupEpochs), "warmup-epochs", "0 to \(most)", warmupEpochs)
        try require(warmupRate >= 0 && warmupRate.isFinite, "warmup-lr", "0 or more", warmupRate)
        try require(minimumRate >= 0 && minimumRate.isFinite, "min-lr", "0 or more", minimumRate)
        try require((0..<1).contains(smoothing), "smoothing", "0 or more and less than 1", smoothing)
        try require((0..<1).contains(dropPath), "drop-path", "0 or more and less than 1", dropPath)
        try require(clipNorm.map { $0 > 0 && $0.isFinite } ?? true, "clip-grad", "a positive number", clipNorm ?? 0)
        try require((1...most).contains(accumulation), "grad-accum-steps", "1 to \(most)", accumulation)
    }
}
