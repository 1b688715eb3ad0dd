import SSFGraph
import SSFTensors
import SSFTuning

/// Trains what is trainable in a model: batches, backward passes, an optimiser, a schedule, an evaluation after each epoch.
///
/// The same seed, data and thread count or any other give the same bits; a run that was stopped after an epoch and
/// resumed ends as if it had not been stopped.
public final class Trainer {
    public let configuration: TrainingConfiguration
    let model: TunedModel
    /// Images, or their features once these are computed.
    var training: any BatchSource
    var validation: (any BatchSource)?
    let order: BatchOrder
    /// Who hears of the run; may be changed until it begins.
    public var observers: [any RunObserver]

    private let optimizer: any Optimizer
    private let schedule: LearningRateSchedule
    let batchesPerEpoch: Int
    let stepsPerEpoch: Int
    var completedEpochs = 0
    private var completedSteps = 0
    private var bestTop1: Double?
    private var bestEpoch = 0
    /// What the trainables were at the end of the last complete epoch.
    private var lastGood: Tensor
    private var lastExecutor: Executor?
    private let isStopRequested: () -> Bool
    /// Set where the run keeps features: its steps then run the trained end of the model alone.
    let features: FrozenFeatures?
    /// Memory that is taken already and stays, by part.
    let resident: [MemoryEstimate.Part]
    /// What the caller evaluates when the run is over.
    let laterEvaluation: (any BatchSource)?
    /// Whether the run keeps the features of its images, and why not.
    public let featureUse: FeatureUse

    /// How a run ended.
    public enum Outcome: Sendable, Equatable {
        case finished
        /// A stop was asked for; the epochs before it are complete.
        case stopped
        case diverged(step: Int)
    }

    /// - Parameters:
    ///   - validation: evaluated after each epoch, and by which the best epoch is chosen; without one the last is the
    ///     best.
    ///   - order: of the images; from the configuration's seed where none is given.
    ///   - featureLimit: bytes that the features of the images may take where a part of the model never changes and the
    ///     images look the same in every epoch; 0 computes them anew in every epoch.
    ///   - resident: memory that the caller has taken for weights and for itself, for the estimate; the weights of the
    ///     model where nothing is said.
    ///   - laterEvaluation: what the caller will evaluate afterwards, for the estimate.
    ///   - memory: what the run may take.
    ///   - isStopRequested: asked before every step; when it answers true the run ends without completing its epoch.
    /// - Throws: `UserError` when nothing trains, the training part is empty, a number cannot be used, or the run
    ///   needs more memory than it may have.
    public init(
        model: TunedModel, training: any BatchSource, validation: (any BatchSource)? = nil,
        configuration: TrainingConfiguration, order: BatchOrder? = nil, observers: [any RunObserver] = [],
        featureLimit: Int = FrozenFeatures.defaultByteLimit, resident: [MemoryEstimate.Part] = [],
        laterEvaluation: (any BatchSource)? = nil, memory: MemoryLimit.Allowance = MemoryLimit.allowed,
        isStopRequested: @escaping () -> Bool = { false }
    ) throws {
        try configuration.validate()
        guard training.count > 0 else {
            throw UserError("the training part has no images", remedy: "check --data and --train-split")
        }
        let layout = model.parameters.layout
        guard layout.count > 0 else {
            throw UserError("nothing would be trained", remedy: "choose another --method")
        }
        self.model = model
        self.training = training
        self.validation = validation.flatMap { $0.count > 0 ? $0 : nil }
        self.configuration = configuration
        self.order = order ?? .shuffled(seed: configuration.seed)
        self.observers = observers
        self.isStopRequested = isStopRequested
        optimizer = configuration.makeOptimizer(
            count: layout.count,
            segments: layout.entries.map {
                DecaySegment(
                    range: $0.range,
                    weightDecay: $0.decays || configuration.decaysAll ? Float(configuration.weightDecay) : 0)
            })
        schedule = configuration.schedule(images: training.count)
        batchesPerEpoch = configuration.batchesPerEpoch(images: training.count)
        stepsPerEpoch = configuration.stepsPerEpoch(images: training.count)
        lastGood = model.parameters.trainable.copied()
        (features, featureUse) = try FrozenFeatures.decide(
            model: model, training: training, validation: self.validation, limit: featureLimit)
        self.resident = resident
        self.laterEvaluation = laterEvaluation
        try checkMemory(memory)
    }

    // MARK: State

    /// What a later run needs to go on from the end of the last complete epoch.
    public var state: TrainingState {
        TrainingState(
            completedEpochs: completedEpochs, completedSteps: completedSteps, seed: configuration.seed,
            trainable: model.parameters.trainable, moments: optimizer.moments, bestTop1: bestTop1,
            bestEpoch: bestEpoch)
    }

    /// Goes on from `state`.
    ///
    /// - Throws: `UserError` when it belongs to another run.
    public func resume(from state: TrainingState) throws {
        let count = model.parameters.layout.count
        guard Set(state.moments.keys) == Set(optimizer.moments.keys) else {
            throw UserError(
                "the run was trained by another optimiser than \(configuration.optimizer.title)",
                expected: "a state with \(optimizer.moments.keys.sorted().joined(separator: ", "))",
                found: state.moments.keys.sorted().joined(separator: ", "), remedy: "leave --opt out when resuming")
        }
        guard state.trainable.count == count, state.moments.values.allSatisfy({ $0.count == count }) else {
            throw UserError(
                "the training state does not fit the model", expected: "\(count) trainable numbers",
                found: "\(state.trainable.count)", remedy: "resume with the model and method of the run")
        }
        guard state.seed == configuration.seed else {
            throw UserError(
                "--seed differs from that of the run", expected: "\(state.seed)", found: "\(configuration.seed)",
                remedy: "leave --seed out when resuming")
        }
        guard state.completedSteps == state.completedEpochs * stepsPerEpoch else {
            throw UserError(
                "the training state has another number of steps per epoch",
                expected: "\(state.completedSteps) steps in \(state.completedEpochs) epochs",
                found: "\(stepsPerEpoch) steps per epoch", remedy: "resume with the data and batch size of the run")
        }
        _ = model.parameters.trainable.floats.update(fromContentsOf: state.trainable.floats)
        optimizer.restore(moments: state.moments, stepCount: state.completedSteps)
        completedEpochs = state.completedEpochs
        completedSteps = state.completedSteps
        bestTop1 = state.bestTop1
        bestEpoch = state.bestEpoch
        lastGood = model.parameters.trainable.copied()
    }

    // MARK: Running

    /// Trains the epochs that remain.
    ///
    /// - Throws: what an observer or the data throws.
    public func run() throws -> Outcome {
        let estimate = try estimate()
        for observer in observers {
            try observer.runStarted(
                RunStarted(
                    configuration: configuration, images: training.count, validationImages: validation?.count ?? 0,
                    stepsPerEpoch: stepsPerEpoch, firstEpoch: completedEpochs, estimate: estimate,
                    features: featureUse))
        }
        guard try keepFeatures() else { return .stopped }
        while completedEpochs < configuration.totalEpochs {
            let outcome = try runEpoch(completedEpochs)
            if outcome != .finished { return outcome }
        }
        return .finished
    }

    /// Computes the features of both parts, if the run keeps any.
    ///
    /// - Returns: false if a stop was asked for.
    private func keepFeatures() throws -> Bool {
        guard let features, !(training is FeatureSource) else { return true }
        let total = training.count + (validation?.count ?? 0)
        var before = 0
        func compute(_ images: any BatchSource) throws -> FeatureSource? {
            let kept = try features.source(of: images, batchSize: configuration.batchSize) { done in
                for observer in observers { try observer.featuresComputed(before + done, of: total) }
                return !isStopRequested()
            }
            before += images.count
            return kept
        }
        guard let kept = try compute(training) else { return false }
        if let images = validation {
            guard let keptForValidation = try compute(images) else { return false }
            validation = keptForValidation
        }
        training = kept
        return true
    }

    private func runEpoch(_ epoch: Int) throws -> Outcome {
        let positions = order.positions(epoch: epoch, count: training.count)
        let stream = try training.batches(
            order: positions, batchSize: min(configuration.batchSize, training.count),
            dropLast: configuration.dropsLastBatch(images: training.count), epoch: epoch)
        var lossSum = 0.0
        var imageCount = 0
        var trainingSeconds = 0.0
        var dataSeconds = 0.0
        var learningRate = 0.0

        for stepInEpoch in 0..<stepsPerEpoch {
            if isStopRequested() { return .stopped }
            var clock = Stopwatch()
            let step = epoch * stepsPerEpoch + stepInEpoch
            let batches = min(configuration.accumulation, batchesPerEpoch - stepInEpoch * configuration.accumulation)
            learningRate = self.learningRate(step: step, epoch: epoch)
            if configuration.needsWholeGradient { model.parameters.zeroGradient() }
            var squares = 0.0
            var stepLoss = 0.0
            var stepImages = 0
            var stepDataSeconds = 0.0
            for part in 0..<batches {
                var wait = Stopwatch()
                guard let batch = try stream.next() else { break }
                stepDataSeconds += wait.lap()
                if !configuration.needsWholeGradient { beginUpdate() }
                stepLoss += try differentiate(
                    batch, batchIndex: step * configuration.accumulation + part, of: batches
                ) { entry, gradient in
                    squares += update(entry, gradient, learningRate: learningRate)
                }
                stepImages += batch.count
            }
            // Images that were left out because they cannot be read may end an epoch early.
            if stepImages == 0 { continue }

            let norm =
                configuration.needsWholeGradient
                ? GradientClipping.norm(model.parameters.gradient) : squares.squareRoot()
            guard stepLoss.isFinite && norm.isFinite else {
                return try diverge(epoch: epoch, step: step, loss: stepLoss / Double(stepImages))
            }
            if configuration.needsWholeGradient { update(learningRate: learningRate, norm: norm) }

            lossSum += stepLoss
            imageCount += stepImages
            let seconds = clock.lap()
            trainingSeconds += seconds
            dataSeconds += stepDataSeconds
            let event = StepFinished(
                epoch: epoch, stepInEpoch: stepInEpoch, stepsPerEpoch: stepsPerEpoch, step: step,
                loss: stepLoss / Double(stepImages), epochLoss: lossSum / Double(imageCount),
                learningRate: learningRate, gradientNorm: norm, images: stepImages, seconds: seconds,
                dataSeconds: stepDataSeconds)
            for observer in observers { try observer.stepFinished(event) }
        }

        // The last update has not been used yet: an epoch is good only if a loss that follows it is finite.
        if let loss = lossAfterUpdate(), !loss.isFinite {
            return try diverge(epoch: epoch, step: (epoch + 1) * stepsPerEpoch - 1, loss: loss)
        }
        completedEpochs = epoch + 1
        completedSteps = completedEpochs * stepsPerEpoch
        let metrics = try validation.map { source in
            ClassificationMetrics(
                try Evaluator(model: model, features: features, batchSize: configuration.batchSize)
                    .predictions(for: source),
                classCount: model.classes.count)
        }
        let isBest = metrics.map { $0.top1 > bestTop1 ?? -1 } ?? true
        if isBest {
            bestTop1 = metrics?.top1
            bestEpoch = epoch
        }
        _ = lastGood.floats.update(fromContentsOf: model.parameters.trainable.floats)
        let event = EpochFinished(
            epoch: epoch, epochs: configuration.totalEpochs, trainLoss: lossSum / Double(max(imageCount, 1)),
            validation: metrics, isBest: isBest, bestTop1: bestTop1, bestEpoch: bestEpoch, learningRate: learningRate,
            imagesPerSecond: Double(imageCount) / max(trainingSeconds, 1e-9),
            dataShare: dataSeconds / max(trainingSeconds, 1e-9), state: state)
        for observer in observers { try observer.epochFinished(event) }
        return .finished
    }

    /// Runs a batch of a step of `batches`, each of which counts alike, forward and backward, and returns the sum of its
    /// losses.
    ///
    /// - Parameter take: is given the gradient of each trainable as soon as it is complete, unless the run needs the whole
    ///   gradient: then the batch's share is added to that.
    func differentiate(
        _ batch: ImageBatch, batchIndex: Int, of batches: Int,
        handingOverTo take: (_ entry: Int, _ gradient: UnsafeMutableBufferPointer<Float>) -> Void
    ) throws -> Double {
        let executor = try executor(batch: batch.count)
        fill(executor, batch, batchIndex: batchIndex)
        executor.forward()
        executor.backward(lossScale: 1 / Float(batch.count * batches), handingOverTo: take)
        lastExecutor = executor
        return executor.losses.reduce(0) { $0 + Double($1) }
    }

    /// What a training step of `batch` images runs: the model, or its trained end.
    func executor(batch: Int) throws -> Executor {
        let handsOver = !configuration.needsWholeGradient
        return try features?.executor(batch: batch, mode: .training, handsOverGradients: handsOver)
            ?? model.executor(batch: batch, mode: .training, handsOverGradients: handsOver)
    }

    /// Hands a batch to an executor and draws its drop-path masks.
    func fill(_ executor: Executor, _ batch: ImageBatch, batchIndex: Int) {
        _ = executor.images.update(fromContentsOf: batch.pixels)
        _ = executor.labels.update(fromContentsOf: batch.labels)
        var generator = RandomGenerator(seed: configuration.seed, stream: "drop-path", index: UInt64(batchIndex))
        executor.drawMasks(using: &generator)
    }

    /// The learning rate of a step.
    func learningRate(step: Int, epoch: Int) -> Double { schedule.rate(step: step, epoch: epoch) }

    /// Begins an update that is made tensor by tensor.
    func beginUpdate() { optimizer.beginUpdate() }

    /// Updates a trainable, and returns what its gradient adds to the square of the norm of all.
    func update(_ entry: Int, _ gradient: UnsafeMutableBufferPointer<Float>, learningRate: Double) -> Double {
        let gradient = UnsafeBufferPointer(gradient)
        // First, because it leaves the gradient in the cache.
        let squares = GradientClipping.sumOfSquares(gradient)
        optimizer.update(
            model.parameters.layout.entries[entry].range, of: model.parameters.trainable, gradient: gradient,
            learningRate: learningRate)
        return squares
    }

    /// Updates all trainables from the gradients that were added up, of norm `norm`.
    func update(learningRate: Double, norm: Double) {
        optimizer.update(
            parameters: model.parameters.trainable, gradients: model.parameters.gradient, learningRate: learningRate,
            gradientScale: Float(GradientClipping.factor(norm: norm, limit: configuration.clipNorm)))
    }

    /// The mean loss of the last batch, whose images are still in place, under the trainables as they are now.
    private func lossAfterUpdate() -> Double? {
        guard let lastExecutor else { return nil }
        lastExecutor.forward()
        return lastExecutor.losses.reduce(0) { $0 + Double($1) } / Double(lastExecutor.batch)
    }

    private func diverge(epoch: Int, step: Int, loss: Double) throws -> Outcome {
        _ = model.parameters.trainable.floats.update(fromContentsOf: lastGood.floats)
        let event = RunDiverged(
            epoch: epoch, step: step, loss: loss, restoredEpoch: completedEpochs > 0 ? completedEpochs - 1 : nil)
        for observer in observers { try observer.runDiverged(event) }
        return .diverged(step: step)
    }
}
