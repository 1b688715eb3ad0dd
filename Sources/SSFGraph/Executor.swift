import SSFKernels
import SSFTensors

/// What an executor is for.
public enum ExecutionMode: Sendable, Equatable {
    /// Forward and backward.
    case training
    /// Forward only: buffers live no longer than their last reader.
    case inference
}

/// Runs a program: derives its backward pass, places every buffer once, and replays the operations.
///
/// After the first step nothing is allocated. Several executors may share a `ParameterStore`, and with it scratch
/// memory: of those that do, one runs at a time.
public final class Executor {
    public let program: Program
    public let parameters: ParameterStore
    public let mode: ExecutionMode
    /// Whether gradients of parameters are handed over instead of being added up in the store.
    public let handsOverGradients: Bool
    public var batch: Int { program.batch }
    /// Bytes of the slab that holds activations, gradients and private buffers.
    public let plannedByteCount: Int
    /// Bytes that any plan must have for them.
    public let lowerBoundByteCount: Int

    /// Where the time of each operation is summed; nil measures nothing.
    public var profile: OperationProfile?

    private let slab: Storage
    private let schedule: Schedule
    private let stepsOfForward: Int
    private let forwardContexts: [OperationContext]
    /// The same objects, but for operations that are recomputed.
    private let backwardContexts: [OperationContext]
    /// Per operation, gradients that the operation could not add to: (temporary, destination, count).
    private let additions: [[(UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, Int)]]
    /// Per event, what happens to the gradients of parameters that are handed over.
    private let begun: [[HandedGradient]]
    private let complete: [[HandedGradient]]
    private let pointers: [UnsafeMutablePointer<Float>]
    private let masks: [(index: Int, rate: Double)]
    private let imagesIndex: Int
    private let labelsIndex: Int

    /// Prepares a program.
    ///
    /// - Parameters:
    ///   - program: finished, with or without a method attached; it is fused here unless `fuses` is false.
    ///   - parameters: made for a program with the same parameters.
    ///   - taps: names of marked values that stay readable after `forward`.
    ///   - recomputesBlocks: keep nothing inside a block of the model, and run it forward again in backward.
    ///   - precision: what frozen weights, the activations between them and the factors of attention are multiplied and,
    ///     inside a block, kept in. Trained weights, sums, norms, softmax, the residual stream and every gradient stay
    ///     single precision.
    ///   - handsOverGradients: the gradient of a parameter has memory from the first operation that adds to it to the
    ///     last, and is handed over then; all of them together never exist. Not for those who need the gradient as a
    ///     whole, for its norm or for a sum over batches, before they use any of it.
    public init(
        _ program: Program, parameters: ParameterStore, mode: ExecutionMode, taps: Set<String> = [],
        fuses: Bool = true, recomputesBlocks: Bool = false, precision: Precision = .float32,
        handsOverGradients: Bool = false
    ) {
        precondition(program.logits != nil && program.losses != nil, "the program has no answer")
        let prepared = Preparation(
            program, mode: mode, taps: taps, fuses: fuses, recomputesBlocks: recomputesBlocks, precision: precision,
            handsOverGradients: handsOverGradients)
        let program = prepared.program
        let buffers = prepared.buffers
        self.program = program
        self.parameters = parameters
        self.mode = mode
        self.handsOverGradients = handsOverGradients
        schedule = prepared.schedule
        stepsOfForward = program.operations.count
        slab =
            (mode == .inference ? parameters.shared?.slab(byteCount: buffers.memory.byteCount) : nil)
            ?? Storage(byteCount: buffers.memory.byteCount)
        plannedByteCount = buffers.memory.byteCount
        lowerBoundByteCount = buffers.memory.lowerBound

        let base = slab.base
        func floats(_ request: Int) -> UnsafeMutablePointer<Float> {
            (base + buffers.memory.offsets[request]).assumingMemoryBound(to: Float.self)
        }
        // A value that nobody uses has no place; whoever is handed this one has no use for it.
        let nowhere = base.assumingMemoryBound(to: Float.self)
        let pointers = buffers.value.map { $0.map(floats) ?? nowhere }
        let restored = zip(buffers.restoredValue, pointers).map { $0.map(floats) ?? $1 }
        self.pointers = pointers
        let gradients = program.parameters.indices.map { index in
            if handsOverGradients { return buffers.parameterGradient[index].map(floats) }
            return mode == .training ? parameters.gradientPointer(ParameterID(index: index)) : nil
        }
        var begun = [[HandedGradient]](repeating: [], count: prepared.schedule.events.count)
        var complete = begun

        var forwardContexts: [OperationContext] = []
        var backwardContexts: [OperationContext] = []
        var additions: [[(UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, Int)]] = []
        for (index, operation) in program.operations.enumerated() {
            let wiring = operation.wiring
            var added: [(UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, Int)] = []
            var inputGradients: [UnsafeMutablePointer<Float>?] = []
            var accumulates: [Bool] = []
            let runsBackward = prepared.schedule.backwardTime[index] != nil
            let fullNeed = prepared.differentiation.needs[index]
            let need = runsBackward ? fullNeed : fullNeed.none
            for (slot, value) in wiring.inputs.enumerated() {
                guard need.inputs[slot], let request = buffers.gradient[value.index] else {
                    inputGradients.append(nil)
                    accumulates.append(false)
                    continue
                }
                if let temporary = buffers.temporary[BufferPlan.Slot(operation: index, input: slot)] {
                    added.append((floats(temporary), floats(request), program.shape(of: value).count))
                    inputGradients.append(floats(temporary))
                    accumulates.append(false)
                } else {
                    inputGradients.append(floats(request))
                    accumulates.append(buffers.accumulates[index][slot])
                }
            }
            // What has no gradient writes none.
            let writes =
                handsOverGradients && buffers.gradient[wiring.output.index] != nil
                && program.shape(of: wiring.output).count > 0
            let addsToParameters = wiring.parameters.enumerated().map { slot, parameter in
                guard let life = prepared.gradientLives[parameter.index],
                    life.lowerBound == prepared.schedule.backwardTime[index]
                else { return true }
                if writes && operation.writesGradient(ofParameter: slot) { return false }
                begun[life.lowerBound].append(
                    HandedGradient(parameter, in: parameters, at: gradients[parameter.index]!))
                return true
            }
            func context(
                _ need: GradientNeed, _ pointers: [UnsafeMutablePointer<Float>], _ own: BufferPlan.Buffers
            ) -> OperationContext {
                OperationContext(
                    need: need, inputs: wiring.inputs.map { (program.values[$0.index], pointers[$0.index]) },
                    output: (program.values[wiring.output.index], pointers[wiring.output.index]),
                    inputGradients: inputGradients, accumulates: accumulates,
                    outputGradient: buffers.gradient[wiring.output.index].map(floats),
                    parameters: wiring.parameters.enumerated().map {
                        operation.readsParameter($0.offset) ? parameters.floats($0.element) : nowhere
                    },
                    parameterGradients: wiring.parameters.enumerated().map {
                        need.parameters[$0.offset] ? gradients[$0.element.index] : nil
                    },
                    accumulatesParameters: addsToParameters,
                    buffers: own.kept.map(floats), backwardScratch: own.backwardScratch.map(floats),
                    workspace: parameters.workspace,
                    store: parameters, parameterIDs: wiring.parameters)
            }
            if let own = buffers.restoredBuffers[index] {
                let first = context(need.none, pointers, buffers.buffers[index])
                let second = context(need, restored, own)
                operation.bind(first)
                operation.bind(second)
                forwardContexts.append(first)
                backwardContexts.append(second)
            } else {
                let only = context(need, pointers, buffers.buffers[index])
                operation.bind(only)
                forwardContexts.append(only)
                backwardContexts.append(only)
            }
            additions.append(added)
        }
        self.forwardContexts = forwardContexts
        self.backwardContexts = backwardContexts
        self.additions = additions
        for (index, life) in prepared.gradientLives.enumerated() {
            guard let life else { continue }
            complete[life.upperBound].append(
                HandedGradient(ParameterID(index: index), in: parameters, at: gradients[index]!))
        }
        self.begun = begun
        self.complete = complete
        imagesIndex = program.values.firstIndex { $0.role == .images }!
        labelsIndex = program.values.firstIndex { $0.role == .labels }!
        masks = program.values.enumerated().compactMap { index, value in
            if case .mask(let rate) = value.role { (index, rate) } else { nil }
        }
        for mask in masks { pointers[mask.index].update(repeating: 1, count: program.batch) }
    }

    /// The gradient of a parameter, in memory that is its own for a part of backward.
    private struct HandedGradient {
        /// Of the store's layout.
        let entry: Int
        let values: UnsafeMutableBufferPointer<Float>

        init(_ parameter: ParameterID, in store: ParameterStore, at place: UnsafeMutablePointer<Float>) {
            entry = store.entry(of: parameter)!
            values = UnsafeMutableBufferPointer(start: place, count: store.layout.entries[entry].range.count)
        }
    }

    /// Everything about a program that can be known without memory.
    private struct Preparation {
        let program: Program
        let differentiation: Differentiation
        let schedule: Schedule
        /// Per parameter, in events; nil for all where gradients are not handed over.
        let gradientLives: [ClosedRange<Int>?]
        let buffers: BufferPlan

        init(
            _ program: Program, mode: ExecutionMode, taps: Set<String>, fuses: Bool, recomputesBlocks: Bool,
            precision: Precision, handsOverGradients: Bool
        ) {
            self.program = fuses ? program.fused(keeping: taps, precision: precision) : program
            differentiation = Differentiation(self.program, trains: mode == .training)
            schedule = Schedule(
                self.program, runsBackward: differentiation.needs.map { mode == .training && $0.any },
                recomputes: recomputesBlocks)
            gradientLives =
                handsOverGradients
                ? schedule.gradientLives(self.program, needs: differentiation.needs)
                : self.program.parameters.map { _ in nil }
            buffers = BufferPlan(
                self.program, differentiation, schedule, taps: taps, gradientLives: gradientLives)
        }
    }

    /// What `plannedByteCount` of an executor would be, without one: nothing is allocated.
    public static func plannedByteCount(
        of program: Program, mode: ExecutionMode, taps: Set<String> = [], recomputesBlocks: Bool = false,
        precision: Precision = .float32, handsOverGradients: Bool = false
    ) -> Int {
        Preparation(
            program, mode: mode, taps: taps, fuses: true, recomputesBlocks: recomputesBlocks, precision: precision,
            handsOverGradients: handsOverGradients
        ).buffers.memory.byteCount
    }

    /// Floating-point operations of a forward and a backward pass of an executor, without one; a multiply-add counts as
    /// two. What backward runs forward again is a part of it; for inference it is none.
    public static func flops(
        of program: Program, mode: ExecutionMode, recomputesBlocks: Bool = false
    ) -> (forward: Int, backward: Int) {
        let prepared = Preparation(
            program, mode: mode, taps: [], fuses: true, recomputesBlocks: recomputesBlocks, precision: .float32,
            handsOverGradients: false)
        return prepared.schedule.flops(of: prepared.program, needs: prepared.differentiation.needs)
    }

    // MARK: Inputs

    /// [B, channels, H, W], normalised; the caller fills it before `forward`, while it holds the executor.
    public var images: UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(start: pointers[imagesIndex], count: program.values[imagesIndex].shape.count)
    }

    /// [B], class indices; the caller fills it before `forward`.
    public var labels: UnsafeMutableBufferPointer<Int32> {
        UnsafeMutableBufferPointer(
            start: UnsafeMutableRawPointer(pointers[labelsIndex]).assumingMemoryBound(to: Int32.self), count: batch)
    }

    /// Draws the drop-path masks of a step: 0 with the rate of the mask, else 1 / (1 - rate), per sample.
    public func drawMasks(using random: inout RandomGenerator) {
        for mask in masks {
            for sample in 0..<batch {
                pointers[mask.index][sample] = random.uniform() < mask.rate ? 0 : Float(1 / (1 - mask.rate))
            }
        }
    }

    // MARK: Steps

    /// Computes every value from the inputs.
    public func forward() {
        profile?.begin(program)
        for event in schedule.events[..<stepsOfForward] { run(event) }
    }

    /// Adds the gradient of `lossScale * sum(losses)` to `parameters.gradient`.
    ///
    /// - Parameter lossScale: 1 / B for the mean over the batch.
    /// - Precondition: the mode is training, `forward` has run on the same inputs, and gradients are not handed over.
    public func backward(lossScale: Float) {
        precondition(!handsOverGradients, "somebody must take the gradients")
        backward(lossScale: lossScale) { _, _ in }
    }

    /// Forms the gradient of `lossScale * sum(losses)` and hands over that of each trainable parameter as soon as nothing
    /// more is added to it and nothing more reads the parameter, which may therefore be changed at once.
    ///
    /// - Parameter take: is given the place of the parameter in the store's layout, and the gradient, which is gone when
    ///   it returns.
    /// - Precondition: as above, but for gradients that are handed over.
    public func backward(
        lossScale: Float, handingOverTo take: (_ entry: Int, _ gradient: UnsafeMutableBufferPointer<Float>) -> Void
    ) {
        precondition(mode == .training, "an executor for inference has no backward pass")
        for time in stepsOfForward..<schedule.events.count {
            let event = schedule.events[time]
            if case .backward(let index) = event { backwardContexts[index].lossScale = lossScale }
            for gradient in begun[time] { gradient.values.update(repeating: 0) }
            run(event)
            for gradient in complete[time] { take(gradient.entry, gradient.values) }
        }
    }

    private func run(_ event: Schedule.Event) {
        guard let profile else { return perform(event) }
        let seconds = profile.measure { perform(event) }
        switch event {
        case .forward(let index): profile.entries[index].forwardSeconds += seconds
        // Recomputation is a price of backward.
        case .restore(let index), .restoreKeepingOutput(let index), .backward(let index):
            profile.entries[index].backwardSeconds += seconds
        }
    }

    private func perform(_ event: Schedule.Event) {
        switch event {
        case .forward(let index):
            program.operations[index].forward(forwardContexts[index])
        case .restore(let index):
            program.operations[index].forward(backwardContexts[index])
        case .restoreKeepingOutput(let index):
            program.operations[index].restore(backwardContexts[index])
        case .backward(let index):
            program.operations[index].backward(backwardContexts[index])
            for (temporary, destination, count) in additions[index] {
                Elementwise.addInPlace(count: count, x: temporary, into: destination)
            }
        }
    }

    // MARK: Outputs

    /// [B, K], valid until the next `forward`.
    public var logits: FloatView { output(program.logits!) }

    /// [B], valid until the next `forward`.
    public var losses: FloatView { output(program.losses!) }

    /// A tapped value and its shape.
    ///
    /// - Precondition: `name` was among the taps.
    public func tap(_ name: String) -> (shape: Shape, values: FloatView) {
        guard let value = program.marks[name] else { preconditionFailure("the program has no value named \(name)") }
        return (program.shape(of: value), output(value))
    }

    private func output(_ value: ValueID) -> FloatView {
        FloatView(storage: slab, base: pointers[value.index], count: program.shape(of: value).count)
    }
}
