import SSFGraph

/// Where the time of a training step goes: every operation of the program with what it costs and moves, and what
/// happens around the program.
///
/// Times are means over the measured steps.
public struct StepProfile: Sendable {
    /// One operation, or several of a kind added up.
    public struct Row: Sendable, Equatable {
        public var name: String
        /// Operations in it.
        public var count: Int
        /// Seconds of one step.
        public var forwardSeconds: Double
        public var backwardSeconds: Double
        /// Floating-point operations of one step; a multiply-add counts as two.
        public var forwardFLOPs: Int
        public var backwardFLOPs: Int
        /// Bytes that must pass through memory in one step: every number read once and written once.
        public var forwardBytes: Int
        public var backwardBytes: Int

        public var seconds: Double { forwardSeconds + backwardSeconds }
        public var flops: Int { forwardFLOPs + backwardFLOPs }
        public var bytes: Int { forwardBytes + backwardBytes }
        public var gigaFLOPsPerSecond: Double { seconds > 0 ? Double(flops) / seconds * 1e-9 : 0 }
        public var gigabytesPerSecond: Double { seconds > 0 ? Double(bytes) / seconds * 1e-9 : 0 }

        public init(
            name: String, count: Int = 1, forwardSeconds: Double, backwardSeconds: Double, forwardFLOPs: Int,
            backwardFLOPs: Int, forwardBytes: Int, backwardBytes: Int
        ) {
            self.name = name
            self.count = count
            self.forwardSeconds = forwardSeconds
            self.backwardSeconds = backwardSeconds
            self.forwardFLOPs = forwardFLOPs
            self.backwardFLOPs = backwardFLOPs
            self.forwardBytes = forwardBytes
            self.backwardBytes = backwardBytes
        }

        static func + (a: Row, b: Row) -> Row {
            Row(
                name: a.name, count: a.count + b.count, forwardSeconds: a.forwardSeconds + b.forwardSeconds,
                backwardSeconds: a.backwardSeconds + b.backwardSeconds, forwardFLOPs: a.forwardFLOPs + b.forwardFLOPs,
                backwardFLOPs: a.backwardFLOPs + b.backwardFLOPs, forwardBytes: a.forwardBytes + b.forwardBytes,
                backwardBytes: a.backwardBytes + b.backwardBytes)
        }
    }

    /// An operation: its type and its site.
    public struct Operation: Sendable {
        public var kind: String
        public var site: String
        public var row: Row

        public init(kind: String, site: String, row: Row) {
            self.kind = kind
            self.site = site
            self.row = row
        }
    }

    /// What a step does besides its program.
    public struct Phase: Sendable {
        public var name: String
        public var seconds: Double

        public init(name: String, seconds: Double) {
            self.name = name
            self.seconds = seconds
        }
    }

    /// Measured steps; those before them, in which programs are made and weights packed, are not.
    public var steps: Int
    /// Images of a step.
    public var images: Int
    /// In the order of the program.
    public var operations: [Operation]
    public var phases: [Phase]
    /// Wall-clock seconds of a step.
    public var secondsPerStep: Double
    /// Multiply-adds on registers in GFLOP/s, and a triad over memory in GB/s, measured between the steps.
    public var peakGigaFLOPs: Double
    public var peakGigabytes: Double

    public init(
        steps: Int, images: Int, operations: [Operation], phases: [Phase], secondsPerStep: Double,
        peakGigaFLOPs: Double, peakGigabytes: Double
    ) {
        self.steps = steps
        self.images = images
        self.operations = operations
        self.phases = phases
        self.secondsPerStep = secondsPerStep
        self.peakGigaFLOPs = peakGigaFLOPs
        self.peakGigabytes = peakGigabytes
    }

    // MARK: Sums

    /// By the type of the operation, the most expensive first.
    public var classes: [Row] { sums { $0.kind } }

    /// By the site with the number of the block left open, `blocks.*.attn.qkv`, in the order of the program.
    public var sites: [Row] { sums(byTime: false) { Self.pattern($0.site) } }

    /// The whole program.
    public var total: Row {
        var total = Row(
            name: "program", count: 0, forwardSeconds: 0, backwardSeconds: 0, forwardFLOPs: 0, backwardFLOPs: 0,
            forwardBytes: 0, backwardBytes: 0)
        for operation in operations { total = total + operation.row }
        return total
    }

    /// FLOPs of a step over what the peak would do in its time, everything around the program included: 0...1.
    public var utilisation: Double {
        Double(total.flops) / max(secondsPerStep, 1e-12) * 1e-9 / max(peakGigaFLOPs, 1e-12)
    }

    /// Seconds of a step that belong to no operation and no phase.
    public var otherSeconds: Double {
        max(0, secondsPerStep - total.seconds - phases.reduce(0) { $0 + $1.seconds })
    }

    /// Whether memory and not arithmetic bounds a row's speed on this machine: too few operations for each byte.
    public func isBoundByMemory(_ row: Row) -> Bool {
        Double(row.flops) * peakGigabytes < Double(row.bytes) * peakGigaFLOPs
    }

    private func sums(byTime: Bool = true, by key: (Operation) -> String) -> [Row] {
        var rows: [Row] = []
        var positions: [String: Int] = [:]
        for operation in operations {
            let name = key(operation)
            if let position = positions[name] {
                rows[position] = rows[position] + operation.row
            } else {
                positions[name] = rows.count
                var row = operation.row
                row.name = name
                rows.append(row)
            }
        }
        return byTime ? rows.sorted { $0.seconds > $1.seconds } : rows
    }

    private static func pattern(_ site: String) -> String {
        site.split(separator: ".").map { $0.allSatisfy(\.isNumber) ? "*" : String($0) }.joined(separator: ".")
    }
}
