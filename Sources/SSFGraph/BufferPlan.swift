import SSFTensors

/// The buffers of a program: who lives from when to when, who shares, and where each lies.
///
/// A value that is recomputed has two lives, one in forward and one in backward, and may lie elsewhere in each.
struct BufferPlan {
    struct Slot: Hashable {
        let operation: Int
        let input: Int
    }

    /// The private buffers of an operation, as indices into the plan.
    struct Buffers {
        var kept: [Int] = []
        var backwardScratch: [Int] = []
    }

    /// Per value; nil where nobody uses it. `restored` is nil where the first life goes on.
    private(set) var value: [Int?]
    private(set) var restoredValue: [Int?]
    /// Per value: the gradient.
    private(set) var gradient: [Int?]
    /// Per parameter: the gradient, where it is handed over.
    private(set) var parameterGradient: [Int?]
    /// Gradients of inputs that an operation writes aside, because it cannot add.
    private(set) var temporary: [Slot: Int] = [:]
    /// Per operation, for its forward pass and, where it is recomputed, for the pass that backward follows.
    private(set) var buffers: [Buffers] = []
    private(set) var restoredBuffers: [Buffers?] = []
    /// Per operation and input, whether the gradient has been begun when the operation runs backward.
    private(set) var accumulates: [[Bool]]
    private(set) var memory = MemoryPlan([])

    /// - Parameter gradientLives: per parameter, of gradients that are handed over; those of others are not planned.
    init(
        _ program: Program, _ differentiation: Differentiation, _ schedule: Schedule, taps: Set<String>,
        gradientLives: [ClosedRange<Int>?]
    ) {
        var requests = Requests()
        parameterGradient = zip(program.parameters, gradientLives).map { parameter, life in
            life.map { requests.add(parameter.shape.count, $0) }
        }
        value = [Int?](repeating: nil, count: program.values.count)
        restoredValue = value
        gradient = value
        accumulates = program.operations.map { $0.wiring.inputs.map { _ in false } }

        var lives = Lives(program, schedule, taps: taps)
        for (index, operation) in program.operations.enumerated() {
            let shapes = operation.wiring.inputs.map(program.shape(of:))
            let output = program.shape(of: operation.wiring.output)
            let need = differentiation.needs[index]
            let forward = schedule.forwardTime[index]
            let backward = schedule.backwardTime[index]
            if let restore = schedule.restoreTime[index] {
                let plain = operation.retention(shapes: shapes, output: output, need: need.none)
                buffers.append(requests.add(plain, forward...forward, backward: nil))
                let full = operation.retention(shapes: shapes, output: output, need: need)
                restoredBuffers.append(requests.add(full, restore...(backward ?? restore), backward: backward))
                lives.read(operation.wiring, full, restore: restore, backward: backward)
            } else {
                let retention = operation.retention(
                    shapes: shapes, output: output, need: backward == nil ? need.none : need)
                buffers.append(requests.add(retention, forward...(backward ?? forward), backward: backward))
                restoredBuffers.append(nil)
                lives.read(operation.wiring, retention, restore: nil, backward: backward)
            }
        }
        for index in program.values.indices {
            let bytes = program.values[index].byteCount
            value[index] = lives.first[index].map { requests.add(bytes: bytes, $0) }
            restoredValue[index] = lives.second[index].map { requests.add(bytes: bytes, $0) }
        }
        placeGradients(program, differentiation, schedule, &requests)
        memory = MemoryPlan(requests.all)
    }

    /// Gradients live from the last consumer, which runs first in backward, to the producer. Where an operation passes
    /// the gradient of its output on and nobody has begun that of the input, the two share one buffer.
    private mutating func placeGradients(
        _ program: Program, _ differentiation: Differentiation, _ schedule: Schedule, _ requests: inout Requests
    ) {
        var group = [Int?](repeating: nil, count: program.values.count)
        var life: [ClosedRange<Int>] = []
        var floats: [Int] = []
        for index in program.operations.indices.reversed() {
            guard let time = schedule.backwardTime[index] else { continue }
            let operation = program.operations[index]
            let output = operation.wiring.output.index
            if let own = group[output] { life[own] = life[own].lowerBound...max(life[own].upperBound, time) }
            for (slot, input) in operation.wiring.inputs.enumerated() where differentiation.needs[index].inputs[slot] {
                let count = program.values[input.index].shape.count
                if let begun = group[input.index] {
                    if operation.accumulatesGradient(ofInput: slot) {
                        accumulates[index][slot] = true
                    } else {
                        temporary[Slot(operation: index, input: slot)] = requests.add(count, time...time)
                    }
                    life[begun] = life[begun].lowerBound...max(life[begun].upperBound, time)
                } else if operation.passesGradient(toInput: slot), let own = group[output] {
                    group[input.index] = own
                } else {
                    group[input.index] = life.count
                    life.append(time...time)
                    floats.append(count)
                }
            }
        }
        let placed = life.indices.map { requests.add(floats[$0], life[$0]) }
        gradient = group.map { $0.map { placed[$0] } }
    }
}

/// What has been asked for so far.
private struct Requests {
    private(set) var all: [MemoryPlan.Request] = []

    mutating func add(_ floats: Int, _ lifetime: ClosedRange<Int>) -> Int {
        add(bytes: 4 * floats, lifetime)
    }

    mutating func add(bytes: Int, _ lifetime: ClosedRange<Int>) -> Int {
        all.append(MemoryPlan.Request(byteCount: bytes, lifetime: lifetime))
        return all.count - 1
    }

    /// - Parameters:
    ///   - life: of the kept buffers; begins with the pass that writes them.
    ///   - backward: when the operation runs backward, if it does.
    mutating func add(_ retention: Retention, _ life: ClosedRange<Int>, backward: Int?) -> BufferPlan.Buffers {
        BufferPlan.Buffers(
            kept: retention.buffers.map { add($0, life) },
            backwardScratch: backward.map { time in retention.backwardScratch.map { add($0, time...time) } } ?? [])
    }
}

/// When each value must be there.
private struct Lives {
    /// From the forward pass of the producer; the whole step for inputs and answers.
    private(set) var first: [ClosedRange<Int>?]
    /// From the second run of the producer.
    private(set) var second: [ClosedRange<Int>?]

    init(_ program: Program, _ schedule: Schedule, taps: Set<String>) {
        let whole = 0...max(schedule.events.count - 1, 0)
        first = program.values.map { $0.role == .activation ? nil : whole }
        second = program.values.map { _ in nil }
        for (index, operation) in program.operations.enumerated() {
            let time = schedule.forwardTime[index]
            let output = operation.wiring.output.index
            first[output] = time...time
            if let restore = schedule.restoreTime[index] {
                if schedule.events[restore] == .restoreKeepingOutput(index) {
                    first[output] = time...restore
                } else {
                    second[output] = restore...restore
                }
            }
            for input in operation.wiring.inputs { extend(&first[input.index], to: time) }
        }
        for value in [program.logits!, program.losses!] + taps.compactMap({ program.marks[$0] }) {
            first[value.index] = whole
        }
    }

    /// Takes note of what an operation reads after forward.
    mutating func read(_ wiring: Wiring, _ retention: Retention, restore: Int?, backward: Int?) {
        for (slot, input) in wiring.inputs.enumerated() {
            if let restore { extendLast(input, to: restore) }
            if let backward, retention.inputs[slot] { extendLast(input, to: backward) }
        }
        if let backward, retention.output { extendLast(wiring.output, to: backward) }
    }

    private mutating func extendLast(_ value: ValueID, to time: Int) {
        if second[value.index] != nil {
            extend(&second[value.index], to: time)
        } else {
            extend(&first[value.index], to: time)
        }
    }

    private func extend(_ life: inout ClosedRange<Int>?, to time: Int) {
        guard let old = life else { return }
        life = old.lowerBound...max(old.upperBound, time)
    }
}
