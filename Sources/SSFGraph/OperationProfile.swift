import SSFTensors

/// Time spent in each operation of a program, forward and backward, summed over steps.
///
/// Hand one to an executor to have its steps measured; the cost of measuring is a clock reading an operation.
public final class OperationProfile {
    public struct Entry: Sendable {
        /// The operation's type, without "Operation": `Linear`.
        public let kind: String
        public let site: String
        /// Floating-point operations of one forward pass; a multiply-add counts as two.
        public let forwardFLOPs: Int
        /// The same of one backward pass.
        public let backwardFLOPs: Int
        /// Bytes that one forward pass reads and writes at least: every number once.
        public let forwardBytes: Int
        public let backwardBytes: Int
        public internal(set) var forwardSeconds = 0.0
        public internal(set) var backwardSeconds = 0.0
    }

    /// One for each operation of the fused program, in order.
    public internal(set) var entries: [Entry] = []
    let clock = ContinuousClock()

    public init() {}

    /// Sets the times back to zero; what the operations cost stays.
    public func reset() {
        for index in entries.indices {
            entries[index].forwardSeconds = 0
            entries[index].backwardSeconds = 0
        }
    }

    func begin(_ program: Program) {
        guard entries.count != program.operations.count else { return }
        let needs = Differentiation(program, trains: true).needs
        entries = zip(program.operations, needs).map { operation, need in
            let wiring = operation.wiring
            let shapes = wiring.inputs.map(program.shape(of:))
            let output = program.shape(of: wiring.output)
            let traffic = CompulsoryTraffic(operation, in: program, need: need)
            let name = "\(type(of: operation))"
            return Entry(
                kind: name.hasSuffix("Operation") ? String(name.dropLast("Operation".count)) : name, site: wiring.site,
                forwardFLOPs: operation.forwardFLOPs(shapes: shapes, output: output),
                backwardFLOPs: operation.backwardFLOPs(shapes: shapes, output: output, need: need),
                forwardBytes: traffic.forward, backwardBytes: traffic.backward)
        }
    }

    func measure(_ body: () -> Void) -> Double {
        let duration = clock.measure(body)
        return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    }
}
