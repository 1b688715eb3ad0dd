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
        public internal(set) var forwardSeconds = 0.0
        public internal(set) var backwardSeconds = 0.0
    }

    /// One for each operation of the fused program, in order.
    public internal(set) var entries: [Entry] = []
    let clock = ContinuousClock()

    public init() {}

    func begin(_ program: Program) {
        guard entries.count != program.operations.count else { return }
        entries = program.operations.map { operation in
            let wiring = operation.wiring
            let name = "\(type(of: operation))"
            return Entry(
                kind: name.hasSuffix("Operation") ? String(name.dropLast("Operation".count)) : name, site: wiring.site,
                forwardFLOPs: operation.forwardFLOPs(
                    shapes: wiring.inputs.map(program.shape(of:)), output: program.shape(of: wiring.output)))
        }
    }

    func measure(_ body: () -> Void) -> Double {
        let duration = clock.measure(body)
        return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    }
}
