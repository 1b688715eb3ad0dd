import CIntrinsics
import SSFMicroKernels

#if arch(x86_64)
    import SSFMicroKernelsAVX2
    import SSFMicroKernelsAVX512
#endif

/// The parts of a grid's convolution for one instruction set.
struct GridFourierTable: Sendable {
    typealias Forward =
        @Sendable (
            UnsafePointer<ssf_grid_plan>, Int, UnsafePointer<Float>, Int, UnsafeMutablePointer<Float>,
            UnsafeMutablePointer<Float>
        ) -> Void
    typealias Convolve =
        @Sendable (
            UnsafePointer<ssf_grid_plan>, Int, UnsafePointer<Float>, UnsafeMutablePointer<Float>,
            UnsafeMutablePointer<Float>
        ) -> Void
    typealias Kernel =
        @Sendable (
            UnsafePointer<ssf_grid_plan>, Int, UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>,
            UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>
        ) -> Void
    typealias Backward =
        @Sendable (
            UnsafePointer<ssf_grid_plan>, Int, UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int,
            UnsafeMutablePointer<Float>
        ) -> Void

    /// Sequences that are transformed side by side.
    let lanes: Int
    let forward: Forward
    let convolve: Convolve
    let kernel: Kernel
    let backward: Backward

    init(_ set: InstructionSet) {
        switch set {
        #if arch(x86_64)
            case .avx512:
                lanes = 16
                forward = SSFMicroKernelsAVX512.gridForward
                convolve = SSFMicroKernelsAVX512.gridConvolve
                kernel = SSFMicroKernelsAVX512.gridKernel
                backward = SSFMicroKernelsAVX512.gridBackward
            case .avx2:
                lanes = 8
                forward = SSFMicroKernelsAVX2.gridForward
                convolve = SSFMicroKernelsAVX2.gridConvolve
                kernel = SSFMicroKernelsAVX2.gridKernel
                backward = SSFMicroKernelsAVX2.gridBackward
        #endif
        default:
            lanes = 4
            forward = SSFMicroKernels.gridForward
            convolve = SSFMicroKernels.gridConvolve
            kernel = SSFMicroKernels.gridKernel
            backward = SSFMicroKernels.gridBackward
        }
    }
}
