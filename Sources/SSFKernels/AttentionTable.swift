import CIntrinsics
import SSFMicroKernels

#if arch(x86_64)
    import SSFMicroKernelsAVX2
    import SSFMicroKernelsAVX512
    import SSFMicroKernelsAVX512BF16
#endif

/// Attention of one instruction set.
struct AttentionTable: Sendable {
    private let float32: AttentionKernels
    private let bfloat16: AttentionKernels

    init(_ set: InstructionSet) {
        float32 = AttentionKernels(set.singlePrecision)
        bfloat16 = AttentionKernels(set)
    }

    /// For bfloat16 without an instruction that multiplies it those of single precision, which are told to round.
    func kernels(_ precision: Precision) -> AttentionKernels {
        switch precision {
        case .float32: float32
        case .bfloat16: bfloat16
        }
    }
}

/// Attention of one instruction set and precision.
struct AttentionKernels: Sendable {
    typealias Scratch = @Sendable (_ tokens: Int, _ width: Int) -> Int
    typealias Forward =
        @Sendable (
            _ inputs: UnsafePointer<ssf_attention_inputs>, _ out: UnsafeMutableRawPointer, _ outIsHalf: Bool,
            _ outRowStride: Int, _ logSumExp: UnsafeMutablePointer<Float>?, _ scratch: UnsafeMutablePointer<Float>
        ) -> Void
    typealias Backward =
        @Sendable (
            _ inputs: UnsafePointer<ssf_attention_inputs>, _ dOut: UnsafePointer<Float>, _ outRowStride: Int,
            _ nextOut: Int, _ logSumExp: UnsafePointer<Float>,
            _ dq: UnsafeMutablePointer<Float>, _ dk: UnsafeMutablePointer<Float>, _ dv: UnsafeMutablePointer<Float>,
            _ gradientRowStride: Int, _ scratch: UnsafeMutablePointer<Float>
        ) -> Void

    let forward: Forward
    /// Floats of scratch memory.
    let forwardScratch: Scratch
    let backward: Backward
    let backwardScratch: Scratch

    init(_ set: InstructionSet) {
        switch set {
        #if arch(x86_64)
            case .avx512bf16:
                forward = SSFMicroKernelsAVX512BF16.attentionForward
                forwardScratch = SSFMicroKernelsAVX512BF16.attentionForwardScratch
                backward = SSFMicroKernelsAVX512BF16.attentionBackward
                backwardScratch = SSFMicroKernelsAVX512BF16.attentionBackwardScratch
            case .avx512:
                forward = SSFMicroKernelsAVX512.attentionForward
                forwardScratch = SSFMicroKernelsAVX512.attentionForwardScratch
                backward = SSFMicroKernelsAVX512.attentionBackward
                backwardScratch = SSFMicroKernelsAVX512.attentionBackwardScratch
            case .avx2:
                forward = SSFMicroKernelsAVX2.attentionForward
                forwardScratch = SSFMicroKernelsAVX2.attentionForwardScratch
                backward = SSFMicroKernelsAVX2.attentionBackward
                backwardScratch = SSFMicroKernelsAVX2.attentionBackwardScratch
        #endif
        default:
            forward = SSFMicroKernels.attentionForward
            forwardScratch = SSFMicroKernels.attentionForwardScratch
            backward = SSFMicroKernels.attentionBackward
            backwardScratch = SSFMicroKernels.attentionBackwardScratch
        }
    }
}
