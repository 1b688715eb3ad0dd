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
    public var batch: Int { program.batch }
    /// Bytes of the slab that holds activations, gradients and private buffers.
    public let plannedByteCount: Int
    /// Bytes that any plan must have for them.
    public let lowerBoundByteCount: Int

    /// Where the time of each operation is summed; nil measures nothing.
    public var profile: OperationProfile?

    private let slab: Storage
    private let contexts: [OperationContext]
    private let runsBackward: [Bool]
    /// Per operation, gradients that the operation could not add to: (temporary, destination, count).
    private let additions: [[(UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, Int)]]
    private let pointers: [UnsafeMutablePointer<Float>]
    private let masks: [(index: Int, rate: Double)]
    private let imagesIndex: Int
    private let labelsIndex: Int
    private let workspace: Workspace

    /// Prepares a program.
    ///
    /// - Parameters:
    ///   - program: finished, with or without a method attached; it is fused here unless `fuses` is false.
    ///   - parameters: made for a program with the same parameters.
    ///   - taps: names of marked values that stay readable after `forward`.
    public init(
        _ program: Program, parameters: ParameterStore, mode: ExecutionMode, taps: Set<String> = [],
        fuses: Bool = true
    ) {
        precondition(program.logits != nil && program.losses != nil, "the program has no answer")
        let program = fuses ? program.fused() : program
        self.program = program
        self.parameters = parameters
        self.mode = mode
        workspace = parameters.workspace

        let operations = program.operations
        let differentiation = Differentiation(program, trains: mode == .training)
        let builder = BufferBuilder(program, differentiation, mode: mode, taps: taps)
        slab = Storage(byteCount: builder.plan.byteCount)
        plannedByteCount = builder.plan.byteCount
        lowerBoundByteCount = builder.plan.lowerBound

        let base = slab.base
        func floats(_ request: Int) -> UnsafeMutablePointer<Float> {
            (base + builder.plan.offsets[request]).assumingMemoryBound(to: Float.self)
        }
        pointers = program.values.indices.map {
            builder.valueRequest[$0].map(floats) ?? base.assumingMemoryBound(to: Float.self)
        }
        let pointers = pointers

        var contexts: [OperationContext] = []
        var additions: [[(UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, Int)]] = []
        for (index, operation) in operations.enumerated() {
            let wiring = operation.wiring
            let need = differentiation.needs[index]
            var added: [(UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, Int)] = []
            var inputGradients: [UnsafeMutablePointer<Float>?] = []
            var accumulates: [Bool] = []
            for (slot, value) in wiring.inputs.enumerated() {
                guard need.inputs[slot], let request = builder.gradientRequest[value.index] else {
                    inputGradients.append(nil)
                    accumulates.append(false)
                    continue
                }
                if let temporary = builder.temporaryRequest[BufferBuilder.Slot(operation: index, input: slot)] {
                    added.append((floats(temporary), floats(request), program.shape(of: value).count))
                    inputGradients.append(floats(temporary))
                    accumulates.append(false)
                } else {
                    inputGradients.append(floats(request))
                    accumulates.append(builder.accumulates[index][slot])
                }
            }
            let context = OperationContext(
                inputShapes: wiring.inputs.map(program.shape(of:)), outputShape: program.shape(of: wiring.output),
                need: need, inputs: wiring.inputs.map { pointers[$0.index] }, output: pointers[wiring.output.index],
                inputGradients: inputGradients, accumulates: accumulates,
                outputGradient: builder.gradientRequest[wiring.output.index].map(floats),
                parameters: wiring.parameters.map { parameters.tensor($0).floats.baseAddress! },
                parameterGradients: wiring.parameters.enumerated().map {
                    need.parameters[$0.offset] ? parameters.gradientPointer($0.element) : nil
                },
                buffers: builder.bufferRequests[index].map(floats), workspace: workspace, store: parameters,
                parameterIDs: wiring.parameters)
            operation.bind(context)
            contexts.append(context)
            additions.append(added)
        }
        self.contexts = contexts
        self.additions = additions
        runsBackward = differentiation.needs.map { mode == .training && $0.any }
        imagesIndex = program.values.firstIndex { $0.role == .images }!
        labelsIndex = program.values.firstIndex { $0.role == .labels }!
        masks = program.values.enumerated().compactMap { index, value in
            if case .mask(let rate) = value.role { (index, rate) } else { nil }
        }
        for mask in masks { pointers[mask.index].update(repeating: 1, count: program.batch) }
    }

    /// What `plannedByteCount` of an executor would be, without one: nothing is allocated.
    public static func plannedByteCount(of program: Program, mode: ExecutionMode) -> Int {
        let program = program.fused()
        let differentiation = Differentiation(program, trains: mode == .training)
        return BufferBuilder(program, differentiation, mode: mode, taps: []).plan.byteCount
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
        for index in program.operations.indices {
            if let profile {
                profile.entries[index].forwardSeconds += profile.measure {
                    program.operations[index].forward(contexts[index])
                }
            } else {
                program.operations[index].forward(contexts[index])
            }
        }
    }

    /// Adds the gradient of `lossScale * sum(losses)` to `parameters.gradient`.
    ///
    /// - Parameter lossScale: 1 / B for the mean over the batch.
    /// - Precondition: the mode is training and `forward` has run on the same inputs.
    public func backward(lossScale: Float) {
        precondition(mode == .training, "an executor for inference has no backward pass")
        for index in program.operations.indices.reversed() where runsBackward[index] {
            contexts[index].lossScale = lossScale
            if let profile {
                profile.entries[index].backwardSeconds += profile.measure { runBackward(index) }
            } else {
                runBackward(index)
            }
        }
    }

    private func runBackward(_ index: Int) {
        program.operations[index].backward(contexts[index])
        for (temporary, destination, count) in additions[index] {
            Elementwise.addInPlace(count: count, x: temporary, into: destination)
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

/// Turns a program and its gradients into requests for memory: who lives from when to when, and who shares.
///
/// Time: operation i runs forward at step i and backward at step 2n - 1 - i.
private struct BufferBuilder {
    struct Slot: Hashable {
        let operation: Int
        let input: Int
    }

    private(set) var valueRequest: [Int?]
    private(set) var gradientRequest: [Int?]
    /// Gradients of inputs that an operation writes aside, because it cannot add.
    private(set) var temporaryRequest: [Slot: Int] = [:]
    private(set) var bufferRequests: [[Int]] = []
    /// Per operation and input, whether the gradient has been begun when the operation runs backward.
    private(set) var accumulates: [[Bool]]
    let plan: MemoryPlan

    init(_ program: Program, _ differentiation: Differentiation, mode: ExecutionMode, taps: Set<String>) {
        let operations = program.operations
        let count = operations.count
        let last = 2 * count
        var requests: [MemoryPlan.Request] = []
        func add(_ floats: Int, _ lifetime: ClosedRange<Int>) -> Int {
            requests.append(MemoryPlan.Request(byteCount: 4 * floats, lifetime: lifetime))
            return requests.count - 1
        }
        func backwardStep(_ operation: Int) -> Int { 2 * count - 1 - operation }

        // Values: from their producer to their last reader, forward or backward.
        var born = [Int](repeating: 0, count: program.values.count)
        var dies = born
        var lasts = program.values.map { $0.role != .activation }
        for value in [program.logits!, program.losses!] + taps.compactMap({ program.marks[$0] }) {
            lasts[value.index] = true
        }
        var retentions: [Retention] = []
        for (index, operation) in operations.enumerated() {
            let wiring = operation.wiring
            let need = differentiation.needs[index]
            let retention = operation.retention(
                shapes: wiring.inputs.map(program.shape(of:)), output: program.shape(of: wiring.output), need: need)
            retentions.append(retention)
            let returns = mode == .training && need.any
            born[wiring.output.index] = index
            dies[wiring.output.index] = returns && retention.output ? backwardStep(index) : index
            for (slot, value) in wiring.inputs.enumerated() {
                let end = returns && retention.inputs[slot] ? backwardStep(index) : index
                dies[value.index] = max(dies[value.index], end)
            }
            bufferRequests.append(
                retention.buffers.map { add($0, index...(returns ? backwardStep(index) : index)) })
        }
        let used = Set(operations.flatMap { $0.wiring.inputs + [$0.wiring.output] })
        valueRequest = program.values.indices.map { index in
            guard used.contains(ValueID(index: index)) || lasts[index] else { return nil }
            let floats = program.values[index].shape.count
            return add(floats, lasts[index] ? 0...last : born[index]...dies[index])
        }

        // Gradients: from the last consumer, which runs first in backward, to the producer. Where an operation passes
        // the gradient of its output on and nobody has begun that of the input, the two share one buffer.
        accumulates = operations.map { $0.wiring.inputs.map { _ in false } }
        var group = [Int?](repeating: nil, count: program.values.count)
        var groupLife: [ClosedRange<Int>] = []
        var groupFloats: [Int] = []
        if mode == .training {
            for index in operations.indices.reversed() where differentiation.needs[index].any {
                let operation = operations[index]
                let output = operation.wiring.output.index
                let step = backwardStep(index)
                if let own = group[output] {
                    groupLife[own] = groupLife[own].lowerBound...max(groupLife[own].upperBound, step)
                }
                for (slot, value) in operation.wiring.inputs.enumerated()
                where differentiation.needs[index].inputs[slot] {
                    if let begun = group[value.index] {
                        if operation.accumulatesGradient(ofInput: slot) {
                            accumulates[index][slot] = true
                        } else {
                            temporaryRequest[Slot(operation: index, input: slot)] = add(
                                program.values[value.index].shape.count, step...step)
                        }
                        groupLife[begun] = groupLife[begun].lowerBound...max(groupLife[begun].upperBound, step)
                    } else if operation.passesGradient(toInput: slot), let own = group[output] {
                        group[value.index] = own
                    } else {
                        group[value.index] = groupLife.count
                        groupLife.append(step...step)
                        groupFloats.append(program.values[value.index].shape.count)
                    }
                }
            }
        }
        let groupRequests = groupLife.indices.map { add(groupFloats[$0], groupLife[$0]) }
        gradientRequest = group.map { $0.map { groupRequests[$0] } }
        plan = MemoryPlan(requests)
    }
}
