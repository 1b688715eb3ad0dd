import SSFKernels

/// What the machine reached at best on a loop that does nothing else, before and after the kernels.
public struct MeasuredPeak: Codable, Sendable, Equatable {
    public enum Kind: String, Codable, Sendable {
        /// Multiply-adds on registers, in GFLOP/s.
        case arithmetic
        /// a = b + s c over arrays far larger than the caches, three streams counted, in GB/s.
        case triad
        /// A sum over an array far larger than the caches, in GB/s.
        case read
        /// Two arrays updated in place from a third: two numbers written for three that are read, in GB/s. Usually the
        /// fastest of the three: in the triad most processors read what will be overwritten, which nobody counts.
        case update
    }

    public var kind: Kind
    /// Whose code ran.
    public var instructionSet: InstructionSet
    /// Of the products; absent for memory.
    public var precision: Precision?
    public var before: Double
    public var after: Double

    /// What counts: the greater one, since a machine can be disturbed but not flattered.
    public var value: Double { max(before, after) }

    /// How far the two lie apart, as a part of the greater: 0 for equal ones.
    public var drift: Double { value > 0 ? abs(after - before) / value : 0 }

    public var unit: String { kind == .arithmetic ? "GFLOP/s" : "GB/s" }

    /// `AVX-512 f32`, `triad`, `read`
    public var title: String {
        switch kind {
        case .arithmetic: "\(instructionSet.title) \(precision?.rawValue ?? "")"
        case .triad, .read, .update: kind.rawValue
        }
    }

    public init(
        kind: Kind, instructionSet: InstructionSet, precision: Precision? = nil, before: Double, after: Double
    ) {
        (self.kind, self.instructionSet, self.precision) = (kind, instructionSet, precision)
        (self.before, self.after) = (before, after)
    }

    enum CodingKeys: String, CodingKey {
        case kind, before, after, value, unit, drift
        case instructionSet = "instruction_set"
        case precision = "dtype"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        kind = try container.decode(Kind.self, forKey: .kind)
        instructionSet = try container.decode(InstructionSet.self, forKey: .instructionSet)
        precision = try container.decodeIfPresent(Precision.self, forKey: .precision)
        before = try container.decode(Double.self, forKey: .before)
        after = try container.decode(Double.self, forKey: .after)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(kind, forKey: .kind)
        try container.encode(instructionSet, forKey: .instructionSet)
        try container.encodeIfPresent(precision, forKey: .precision)
        try container.encode(before, forKey: .before)
        try container.encode(after, forKey: .after)
        // For readers that do not want to know the rules above.
        try container.encode(value, forKey: .value)
        try container.encode(unit, forKey: .unit)
        try container.encode(drift, forKey: .drift)
    }
}

extension InstructionSet: Codable {
    /// As people write it.
    public var title: String {
        switch self {
        case .baseline:
            #if arch(x86_64)
                "SSE4.2"
            #else
                "NEON"
            #endif
        case .avx2: "AVX2"
        case .avx512, .avx512bf16: "AVX-512"
        }
    }
}

extension Precision: Codable {}
