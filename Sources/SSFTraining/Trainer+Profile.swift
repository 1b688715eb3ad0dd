import SSFGraph
import SSFKernels
import SSFTensors

extension Trainer {
    /// Steps before the measured ones: programs are made, weights packed and caches filled in them.
    static let warmUpSteps = 3

    /// Makes real steps and measures where their time goes; the trainables move as in a run.
    ///
    /// The peak is that of the precision in which frozen weights are multiplied. It is measured between the steps, because
    /// the speed of a shared machine drifts.
    ///
    /// - Parameter steps: that count.
    /// - Throws: `UserError` that names an image which cannot be read.
    public func profile(steps: Int) throws -> StepProfile {
        precondition(steps > 0, "a profile needs a step")
        let meter = PeakMeter()
        let profile = OperationProfile()
        var peaks: [Double] = []
        var bandwidths = [meter.triadGigabytes()]
        var phases = Phases()
        var wall = 0.0
        var images = 0
        var epoch = completedEpochs
        var stream = try profileStream(epoch: epoch)
        for step in 0..<Self.warmUpSteps + steps {
            let isMeasured = step >= Self.warmUpSteps
            if step == Self.warmUpSteps {
                profile.reset()
                phases = Phases()
            }
            if isMeasured { peaks.append(meter.gigaFLOPs(model.options.precision)) }
            var clock = Stopwatch()
            var lap = Stopwatch()
            let learningRate = learningRate(step: step % max(1, stepsPerEpoch * configuration.totalEpochs), epoch: 0)
            if configuration.needsWholeGradient { model.parameters.zeroGradient() } else { beginUpdate() }
            phases.update += lap.lap()
            var outside = 0.0
            for part in 0..<min(configuration.accumulation, batchesPerEpoch) {
                var batch = try stream.next()
                if batch == nil {
                    epoch += 1
                    stream = try profileStream(epoch: epoch)
                    batch = try stream.next()
                }
                guard let batch else {
                    throw UserError("no image of the training part can be read", remedy: "check --data")
                }
                phases.data += lap.lap()
                // Features that a run would have kept are no part of its steps.
                let kept = try keptFeatures(of: batch)
                outside += lap.lap()
                let inputs = kept?.batch ?? batch
                let executor = try executor(batch: inputs.count)
                executor.profile = profile
                defer { executor.profile = nil }
                lap = Stopwatch()
                withExtendedLifetime(kept) {
                    fill(executor, inputs, batchIndex: step * configuration.accumulation + part)
                }
                phases.copy += lap.lap()
                // Whoever traces allocations sees those of the last forward and backward pass and of its update.
                let isTraced = step == Self.warmUpSteps + steps - 1 && part == 0
                if isTraced { AllocationTrace.begin() }
                executor.forward()
                var updateSeconds = 0.0
                executor.backward(lossScale: 1 / Float(inputs.count * configuration.accumulation)) { entry, gradient in
                    var clock = Stopwatch()
                    _ = update(entry, gradient, learningRate: learningRate)
                    updateSeconds += clock.lap()
                }
                phases.update += updateSeconds
                lap = Stopwatch()
                if isMeasured { images += inputs.count }
            }
            if configuration.needsWholeGradient {
                update(learningRate: learningRate, norm: GradientClipping.norm(model.parameters.gradient))
            }
            AllocationTrace.end()
            phases.update += lap.lap()
            if isMeasured { wall += clock.lap() - outside }
        }
        bandwidths.append(meter.triadGigabytes())
        return StepProfile(
            steps: steps, images: images / steps,
            operations: profile.entries.map { entry in
                StepProfile.Operation(
                    kind: entry.kind, site: entry.site,
                    row: StepProfile.Row(
                        name: entry.site, forwardSeconds: entry.forwardSeconds / Double(steps),
                        backwardSeconds: entry.backwardSeconds / Double(steps),
                        forwardFLOPs: entry.forwardFLOPs * configuration.accumulation,
                        backwardFLOPs: entry.backwardFLOPs * configuration.accumulation,
                        forwardBytes: entry.forwardBytes * configuration.accumulation,
                        backwardBytes: entry.backwardBytes * configuration.accumulation))
            },
            phases: [
                .init(name: "waiting for images", seconds: phases.data / Double(steps)),
                .init(name: "copying images", seconds: phases.copy / Double(steps)),
                .init(
                    name: "gradient norm and \(configuration.optimizer.title)", seconds: phases.update / Double(steps)),
            ],
            secondsPerStep: wall / Double(steps), peakGigaFLOPs: peaks.sorted()[peaks.count / 2],
            peakGigabytes: bandwidths.max()!)
    }

    private struct Phases {
        var data = 0.0
        var copy = 0.0
        var update = 0.0
    }

    private func profileStream(epoch: Int) throws -> any BatchStream {
        try training.batches(
            order: order.positions(epoch: epoch % configuration.totalEpochs, count: training.count),
            batchSize: min(configuration.batchSize, training.count),
            dropLast: configuration.dropsLastBatch(images: training.count), epoch: epoch)
    }
}
