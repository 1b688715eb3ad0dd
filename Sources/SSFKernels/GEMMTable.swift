import SSFMicroKernels

#if arch(x86_64)
    import SSFMicroKernelsAVX2
    import SSFMicroKernelsAVX512
#endif

/// The matrix product of one instruction set: its tile, its blocking and its micro-kernels.
struct GEMMTable: Sendable {
    typealias Tile =
        @Sendable (
            _ rows: Int, _ columns: Int, _ k: Int, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
            _ partial: UnsafeMutablePointer<Float>, _ isFirst: Bool, _ isLast: Bool, _ c: UnsafeMutablePointer<Float>,
            _ cRowStride: Int, _ accumulate: Bool, _ bias: UnsafePointer<Float>?, _ scale: UnsafePointer<Float>?,
            _ shift: UnsafePointer<Float>?, _ kept: UnsafeMutablePointer<Float>?, _ keptRowStride: Int,
            _ rowScale: UnsafePointer<Float>?, _ residual: UnsafePointer<Float>?, _ residualRowStride: Int
        ) -> Void
    typealias PackA =
        @Sendable (
            _ rows: Int, _ packedRows: Int, _ k: Int, _ a: UnsafePointer<Float>, _ rowStride: Int,
            _ columnStride: Int, _ packed: UnsafeMutablePointer<Float>
        ) -> Void
    typealias PackB =
        @Sendable (
            _ k: Int, _ columns: Int, _ packedColumns: Int, _ b: UnsafePointer<Float>, _ rowStride: Int,
            _ columnStride: Int, _ packed: UnsafeMutablePointer<Float>
        ) -> Void

    let blocking: GEMMBlocking
    let tile: Tile
    let packA: PackA
    let packB: PackB
    let packedRows: @Sendable (Int) -> Int

    init(_ set: InstructionSet) {
        #if arch(x86_64)
            switch set {
            case .baseline:
                blocking = .sse
                tile = SSFMicroKernels.gemmTile
                packA = SSFMicroKernels.gemmPackA
                packB = SSFMicroKernels.gemmPackB
                packedRows = SSFMicroKernels.gemmPackedRows
            case .avx2:
                blocking = .avx2
                tile = SSFMicroKernelsAVX2.gemmTile
                packA = SSFMicroKernelsAVX2.gemmPackA
                packB = SSFMicroKernelsAVX2.gemmPackB
                packedRows = SSFMicroKernelsAVX2.gemmPackedRows
            case .avx512, .avx512bf16:
                blocking = .avx512
                tile = SSFMicroKernelsAVX512.gemmTile
                packA = SSFMicroKernelsAVX512.gemmPackA
                packB = SSFMicroKernelsAVX512.gemmPackB
                packedRows = SSFMicroKernelsAVX512.gemmPackedRows
            }
        #else
            blocking = .neon
            tile = gemmTile
            packA = gemmPackA
            packB = gemmPackB
            packedRows = gemmPackedRows
        #endif
    }
}
