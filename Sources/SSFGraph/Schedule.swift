import SSFTensors

/// The order in which a step does its work, and when: every buffer lives between two times of it.
///
/// Forward runs the operations as they stand, backward runs them in reverse. With recomputation an operation inside a
/// block keeps nothing from forward; when backward reaches the block, its operations run a second time, from the value
/// that the block began with (arXiv 1604.06174), and only then backward.
struct Schedule {
    enum Event: Equatable {
        case forward(Int)
        /// Forward once more, for what backward reads.
        case restore(Int)
        /// The same for the operation whose output is still there: only what backward reads besides.
        case restoreKeepingOutput(Int)
        case backward(Int)
    }

    /// In order; the time of an event is its index.
    private(set) var events: [Event] = []
    /// Per operation; nil where it does not happen.
    private(set) var forwardTime: [Int]
    private(set) var restoreTime: [Int?]
    private(set) var backwardTime: [Int?]

    /// - Parameters:
    ///   - runsBackward: per operation, whether it takes part in backward at all.
    ///   - recomputes: whether blocks keep nothing.
    init(_ program: Program, runsBackward: [Bool], recomputes: Bool) {
        let count = program.operations.count
        forwardTime = Array(0..<count)
        restoreTime = [Int?](repeating: nil, count: count)
        backwardTime = restoreTime
        events = (0..<count).map(Event.forward)

        var end = count
        for block in (recomputes ? program.blocks() : []).reversed() where runsBackward[block].contains(true) {
            appendBackward((block.upperBound..<end).reversed().filter { runsBackward[$0] })
            for index in block {
                restoreTime[index] = events.count
                let isLast = index == block.upperBound - 1
                events.append(isLast ? .restoreKeepingOutput(index) : .restore(index))
            }
            appendBackward(block.reversed().filter { runsBackward[$0] })
            end = block.lowerBound
        }
        appendBackward((0..<end).reversed().filter { runsBackward[$0] })
    }

    /// Per parameter, from the event that first adds to its gradient to the one behind which nobody adds to it or reads
    /// the parameter any more; nil where it has no gradient.
    func gradientLives(_ program: Program, needs: [GradientNeed]) -> [ClosedRange<Int>?] {
        var lives = [ClosedRange<Int>?](repeating: nil, count: program.parameters.count)
        for (index, operation) in program.operations.enumerated() {
            guard let time = backwardTime[index] else { continue }
            for (slot, parameter) in operation.wiring.parameters.enumerated() where needs[index].parameters[slot] {
                let life = lives[parameter.index] ?? time...time
                lives[parameter.index] = min(life.lowerBound, time)...max(life.upperBound, time)
            }
        }
        return lives
    }

    private mutating func appendBackward(_ operations: [Int]) {
        for index in operations {
            backwardTime[index] = events.count
            events.append(.backward(index))
        }
    }
}

extension Program {
    /// The operations of each block, in order. A block is what stands between two values that the model has marked as
    /// ends of blocks, where nothing but its last value is used outside.
    func blocks() -> [Range<Int>] {
        let ends = blockEnds.compactMap { end in operations.firstIndex { $0.wiring.output == end } }.sorted()
        return zip(ends, ends.dropFirst()).compactMap { first, last in
            let block = first + 1..<last + 1
            let inner = Set(operations[block.dropLast()].map(\.wiring.output))
            let leaks = operations[(last + 1)...].contains { !inner.isDisjoint(with: $0.wiring.inputs) }
            return leaks || logits.map(inner.contains) == true || losses.map(inner.contains) == true ? nil : block
        }
    }
}
