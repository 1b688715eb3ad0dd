import SSFKernels

/// One kernel at one shape.
///
/// To add a kernel, add a file with a type of this protocol, a line in `KernelCaseRegistry.types`, and its shapes to the
/// suite that it belongs to.
public protocol KernelCase: Sendable {
    /// The first word of the lines that name such a case.
    static var operation: String { get }

    /// - Throws: `CaseError` where a parameter is missing or impossible.
    init(_ parameters: inout Parameters) throws

    /// What one call does, which is what its rate counts.
    var work: Work { get }

    /// Allocates and fills everything that a call touches, with the threads that will run it, and returns the call.
    ///
    /// The call allocates nothing once it has run, and its results stay in memory that is read by nobody: it crosses
    /// the border of a module whose bodies the compiler does not see here, so that none is left out.
    func prepare() -> () -> Void
}

/// What a call is worth.
public enum Work: Sendable, Equatable {
    /// Floating-point operations, a multiply-add being two; stated against the peak of multiply-adds in `precision`.
    case operations(Double, Precision)
    /// Bytes that must be read and written once; stated against the triad. More than the triad is possible where the
    /// arrays fit in a cache.
    case bytes(Double)
    /// Time alone.
    case time

    /// For arrays of floats that are each read or written once.
    static func floats(_ count: Int) -> Work { .bytes(Double(count) * 4) }

    /// GFLOP/s, or GB/s, or nothing.
    public func rate(seconds: Double) -> Double? {
        switch self {
        case .operations(let amount, _), .bytes(let amount): amount / seconds * 1e-9
        case .time: nil
        }
    }

    /// The peak that `rate` is compared with, measured now.
    public func peak(_ meter: PeakMeter) -> Double? {
        switch self {
        case .operations(_, let precision): meter.gigaFLOPs(precision)
        case .bytes: meter.triadGigabytes()
        case .time: nil
        }
    }
}

/// The pass of a layer that a case measures.
public enum Pass: String, CaseIterable, Sendable {
    case forward, backward
}

/// Every kind of case.
public enum KernelCaseRegistry {
    public static let types: [any KernelCase.Type] = [
        MatrixProductCase.self,
        LayerNormCase.self,
        ScaleShiftCase.self,
        SoftmaxCase.self,
        GELUCase.self,
        AttentionCase.self,
        ElementwiseCase.self,
        ColumnSumCase.self,
        CrossEntropyCase.self,
        AdamWCase.self,
        SGDCase.self,
        PatchesCase.self,
        RegionCase.self,
    ]

    /// The case that `line` names.
    ///
    /// - Throws: `CaseError` where it names none.
    public static func make(_ line: String) throws -> any KernelCase {
        var parameters = try Parameters(line)
        guard let type = types.first(where: { $0.operation == parameters.operation }) else {
            let possible = types.map { $0.operation }.joined(separator: ", ")
            throw CaseError("no kernel \(parameters.operation); there are: \(possible)")
        }
        let made = try type.init(&parameters)
        try parameters.finish()
        return made
    }
}
