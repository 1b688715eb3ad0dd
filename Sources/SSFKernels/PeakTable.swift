import SSFMicroKernels

#if arch(x86_64)
    import SSFMicroKernelsAVX2
    import SSFMicroKernelsAVX512
    import SSFMicroKernelsAVX512BF16
#endif

/// The measuring loops of one instruction set.
struct PeakTable: Sendable {
    let multiplyAddLoop: @Sendable (_ rounds: Int, _ memory: UnsafeMutablePointer<Float>) -> Int
    /// The same for products of bfloat16, absent where the instruction set has none.
    let dotLoop: (@Sendable (_ rounds: Int, _ memory: UnsafeMutablePointer<Float>) -> Int)?
    let triadLoop:
        @Sendable (
            _ count: Int, _ scale: Float, _ b: UnsafePointer<Float>, _ c: UnsafePointer<Float>,
            _ a: UnsafeMutablePointer<Float>
        ) -> Void
    let readLoop: @Sendable (_ count: Int, _ b: UnsafePointer<Float>) -> Float
    let updateLoop:
        @Sendable (
            _ count: Int, _ c: UnsafePointer<Float>, _ a: UnsafeMutablePointer<Float>, _ b: UnsafeMutablePointer<Float>
        ) -> Void

    init(_ set: InstructionSet) {
        #if arch(x86_64)
            dotLoop = set == .avx512bf16 ? SSFMicroKernelsAVX512BF16.dotLoop : nil
            switch set {
            case .baseline:
                multiplyAddLoop = SSFMicroKernels.multiplyAddLoop
                triadLoop = SSFMicroKernels.triadLoop
                readLoop = SSFMicroKernels.readLoop
                updateLoop = SSFMicroKernels.updateLoop
            case .avx2:
                multiplyAddLoop = SSFMicroKernelsAVX2.multiplyAddLoop
                triadLoop = SSFMicroKernelsAVX2.triadLoop
                readLoop = SSFMicroKernelsAVX2.readLoop
                updateLoop = SSFMicroKernelsAVX2.updateLoop
            case .avx512, .avx512bf16:
                multiplyAddLoop = SSFMicroKernelsAVX512.multiplyAddLoop
                triadLoop = SSFMicroKernelsAVX512.triadLoop
                readLoop = SSFMicroKernelsAVX512.readLoop
                updateLoop = SSFMicroKernelsAVX512.updateLoop
            }
        #else
            dotLoop = nil
            multiplyAddLoop = SSFMicroKernels.multiplyAddLoop
            triadLoop = SSFMicroKernels.triadLoop
            readLoop = SSFMicroKernels.readLoop
            updateLoop = SSFMicroKernels.updateLoop
        #endif
    }
}
