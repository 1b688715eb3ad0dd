import CIntrinsics

/// The instruction sets that the kernels are compiled for, narrowest first.
public enum InstructionSet: String, CaseIterable, Comparable, Sendable {
    /// What every machine of the architecture has: SSE4.2 (x86-64-v2), or NEON on arm64.
    case baseline
    /// AVX2 and FMA (x86-64-v3).
    case avx2
    /// AVX-512 F, BW, CD, DQ and VL (x86-64-v4).
    case avx512
    /// The same, and products of bfloat16 that are summed in single precision (`vdpbf16ps`). Everything in single
    /// precision runs the kernels of `avx512`.
    case avx512bf16

    public static func < (a: InstructionSet, b: InstructionSet) -> Bool {
        allCases.firstIndex(of: a)! < allCases.firstIndex(of: b)!
    }

    /// Whether it multiplies bfloat16, at twice the rate of single precision. The others widen it: no faster than single
    /// precision, and no slower.
    public var multipliesBFloat16: Bool { self == .avx512bf16 }

    /// The set whose kernels do what is in single precision.
    var singlePrecision: InstructionSet { self == .avx512bf16 ? .avx512 : self }

    /// Whether this machine can run it: the processor has it and the operating system saves its registers.
    public var isAvailable: Bool {
        #if arch(x86_64)
            switch self {
            case .baseline: true
            case .avx2: ssf_cpu_supports_v3() != 0
            case .avx512: ssf_cpu_supports_v4() != 0
            case .avx512bf16: ssf_cpu_supports_v4_bfloat16() != 0
            }
        #else
            self == .baseline
        #endif
    }
}
