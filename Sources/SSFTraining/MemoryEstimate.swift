import SSFGraph
import SSFTensors
import SSFTuning

/// The memory that a run will take at its peak, by part, known before any of it is allocated.
public struct MemoryEstimate: Sendable, Equatable {
    public struct Part: Sendable, Equatable {
        public var name: String
        public var bytes: Int

        public init(_ name: String, bytes: Int) {
            self.name = name
            self.bytes = bytes
        }
    }

    public var parts: [Part]

    public var total: Int { parts.reduce(0) { $0 + $1.bytes } }

    public init(_ parts: [Part]) {
        self.parts = parts
    }
}

extension Trainer {
    /// What a run with batches of `batch` images takes at its peak.
    ///
    /// Every batch size has buffers of its own, which stay: that of training, that of evaluation, and that of the last
    /// partial batch of each part that is evaluated.
    public func memoryEstimate(batch: Int) throws -> MemoryEstimate {
        let batch = min(batch, max(training.count, 1))
        let trained = model.parameters.layout.count
        var parts = resident
        let frozen = model.parameters.specifications.reduce(0) { $0 + $1.shape.count } - trained
        if resident.isEmpty { parts.append(.init("weights", bytes: 4 * frozen)) }

        let whole = try model.program(batch: batch, mode: .training)
        let step: MemoryNeed
        var evaluation = 0
        if features != nil, let end = whole.trainedSuffix() {
            let beginning = need(try model.program(batch: batch, mode: .inference), .inference)
            step = need(end.program, .training)
            // The beginning runs alone, before the steps; what is evaluated afterwards takes its place.
            evaluation = max(beginning.buffers, try evaluationBuffers(of: [laterEvaluation?.count ?? 0], batch: batch))
            parts.append(.init("packed weights", bytes: beginning.packedWeights + step.packedWeights))
            parts.append(
                .init("features", bytes: features!.byteCount(images: training.count + (validation?.count ?? 0))))
            parts.append(.init("scratch", bytes: max(beginning.scratch, step.scratch)))
        } else {
            step = need(whole, .training)
            evaluation = try evaluationBuffers(
                of: [validation?.count ?? 0, laterEvaluation?.count ?? 0], batch: batch)
            parts.append(.init("packed weights", bytes: step.packedWeights))
            parts.append(.init("scratch", bytes: step.scratch))
        }
        parts.append(.init("activations and gradients", bytes: step.buffers))
        parts.append(.init("evaluation", bytes: evaluation))
        // Values, the gradient where it is needed as a whole, and the values of the last good epoch, beside the moments.
        let optimizer = configuration.optimizer
        parts.append(
            .init(
                "trained numbers and \(optimizer.title)",
                bytes: ((configuration.needsWholeGradient ? 3 : 2) + optimizer.momentCount) * 4 * trained))
        parts.append(.init("saving", bytes: 4 * trained))
        let passes = [training, validation, laterEvaluation].compactMap { $0 }
        parts.append(
            .init(
                "images",
                bytes: passes.reduce(0) { $0 + $1.keptByteCount }
                    + (passes.map { $0.byteCount(batchSize: batch) }.max() ?? 0)))
        return MemoryEstimate(parts)
    }

    private func need(_ program: Program, _ mode: ExecutionMode) -> MemoryNeed {
        MemoryNeed(
            of: program, mode: mode, recomputesBlocks: mode == .training && model.options.recomputesBlocks,
            precision: model.options.precision,
            handsOverGradients: mode == .training && !configuration.needsWholeGradient)
    }

    /// The buffers of evaluating sets of these sizes.
    private func evaluationBuffers(of counts: [Int], batch: Int) throws -> Int {
        let sizes = Set(counts.flatMap { [min(batch, $0), $0 > batch ? $0 % batch : 0] }).filter { $0 > 0 }
        return try sizes.reduce(0) {
            $0
                + Executor.plannedByteCount(
                    of: try model.program(batch: $1, mode: .inference), mode: .inference,
                    precision: model.options.precision)
        }
    }

    /// The largest batch whose run fits into `bytes`, at most `limit`; nil where not even one image does.
    public func largestBatch(within bytes: Int, atMost limit: Int) throws -> Int? {
        var fits = 0
        var fails = limit + 1
        while fails - fits > 1 {
            let middle = (fits + fails) / 2
            if try memoryEstimate(batch: middle).total <= bytes { fits = middle } else { fails = middle }
        }
        return fits > 0 ? fits : nil
    }

    /// Refuses a run that needs more than is allowed.
    ///
    /// - Throws: `UserError` that names the need, what is allowed, and the batch size that would fit.
    func checkMemory(_ allowed: MemoryLimit.Allowance) throws {
        let batch = min(configuration.batchSize, training.count)
        try MemoryLimit.check(
            bytes: try memoryEstimate(batch: batch).total, for: "this run", remedy: try remedy(batch, allowed),
            allowed: allowed)
    }

    private func remedy(_ batch: Int, _ allowed: MemoryLimit.Allowance) throws -> String {
        // A tenth stays free for what an estimate cannot know.
        let room = allowed.bytes / 10 * 9
        if batch > 1, let fitting = try largestBatch(within: room, atMost: batch - 1) {
            let factor = (batch + fitting - 1) / fitting
            return "--batch-size \(fitting) fits"
                + (factor > 1 ? " (with --grad-accum-steps \(factor) for about the same updates)" : "")
                + "; so may --method linear or a smaller --img-size"
        }
        return "not even a batch of one image fits: choose a smaller model or --img-size, or --method linear"
    }

    /// Floating-point operations of one step; with features that are kept, of the trained end alone.
    public func flopsPerStep() throws -> (forward: Int, backward: Int) {
        let whole = try model.program(batch: min(configuration.batchSize, training.count), mode: .training)
        let program = features == nil ? whole : whole.trainedSuffix()?.program ?? whole
        let batches = min(configuration.accumulation, batchesPerEpoch)
        return (batches * program.forwardFLOPs, batches * program.backwardFLOPs)
    }
}
