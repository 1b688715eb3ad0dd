import CIntrinsics
import SSFMicroKernels

#if arch(x86_64)
    import SSFMicroKernelsAVX2
    import SSFMicroKernelsAVX512
    import SSFMicroKernelsAVX512BF16
#endif

/// The matrix products of one instruction set.
struct GEMMTable: Sendable {
    let float32: GEMMKernels
    let bfloat16: GEMMKernels
    let normBackward: LayerNormTable.Backward
    let normStatistics:
        @Sendable (
            _ rows: Int, _ channels: Int, _ x: UnsafePointer<Float>, _ rowStride: Int, _ epsilon: Float,
            _ mean: UnsafeMutablePointer<Float>, _ reciprocalDeviation: UnsafeMutablePointer<Float>
        ) -> Void

    init(_ set: InstructionSet) {
        float32 = GEMMKernels(float32: set)
        bfloat16 = GEMMKernels(bfloat16: set)
        switch set {
        #if arch(x86_64)
            case .avx512, .avx512bf16:
                normBackward = SSFMicroKernelsAVX512.layerNormBackward
                normStatistics = SSFMicroKernelsAVX512.layerNormStatistics
            case .avx2:
                normBackward = SSFMicroKernelsAVX2.layerNormBackward
                normStatistics = SSFMicroKernelsAVX2.layerNormStatistics
        #endif
        default:
            normBackward = SSFMicroKernels.layerNormBackward
            normStatistics = SSFMicroKernels.layerNormStatistics
        }
    }

    func kernels(_ precision: Precision) -> GEMMKernels {
        switch precision {
        case .float32: float32
        case .bfloat16: bfloat16
        }
    }
}

/// The product of one instruction set and precision: its blocking and its micro-kernels. Packed operands are opaque
/// here; `blocking` says what their elements take.
struct GEMMKernels: Sendable {
    typealias Tile =
        @Sendable (
            _ rows: Int, _ columns: Int, _ steps: Int, _ a: UnsafeRawPointer, _ b: UnsafeRawPointer,
            _ partial: UnsafeMutablePointer<Float>, _ isFirst: Bool, _ isLast: Bool, _ row: Int, _ column: Int,
            _ epilogue: UnsafePointer<ssf_gemm_epilogue>, _ slot: UnsafePointer<ssf_gemm_slot>
        ) -> Void
    typealias PackRows =
        @Sendable (
            _ rows: Int, _ packedRows: Int, _ steps: Int, _ a: UnsafeRawPointer, _ aIsHalf: Bool, _ rounds: Bool,
            _ rowStride: Int, _ packed: UnsafeMutableRawPointer
        ) -> Void
    typealias PackColumns =
        @Sendable (
            _ rows: Int, _ steps: Int, _ a: UnsafeRawPointer, _ aIsHalf: Bool, _ rounds: Bool, _ rowStride: Int,
            _ columnStride: Int, _ scale: UnsafePointer<Float>?, _ rowScale: UnsafePointer<Float>?, _ tileBytes: Int,
            _ packed: UnsafeMutableRawPointer
        ) -> Void
    typealias PackWithPrologue =
        @Sendable (
            _ rows: Int, _ packedRows: Int, _ row: Int, _ first: Int, _ steps: Int,
            _ prologue: UnsafePointer<ssf_gemm_prologue>, _ mean: UnsafePointer<Float>?,
            _ reciprocalDeviation: UnsafePointer<Float>?, _ scaleSums: UnsafeMutablePointer<Float>?,
            _ shiftSums: UnsafeMutablePointer<Float>?, _ packed: UnsafeMutableRawPointer
        ) -> Void
    typealias PackB =
        @Sendable (
            _ k: Int, _ columns: Int, _ packedColumns: Int, _ b: UnsafeRawPointer, _ bIsHalf: Bool,
            _ packsHalves: Bool, _ rowStride: Int, _ columnStride: Int, _ packed: UnsafeMutableRawPointer
        ) -> Void
    typealias TransposePanel =
        @Sendable (
            _ k: Int, _ columns: Int, _ packedColumns: Int, _ panel: UnsafeRawPointer, _ panelColumns: Int,
            _ ahead: UnsafeRawPointer, _ first: Int, _ isHalf: Bool, _ packed: UnsafeMutableRawPointer
        ) -> Void

    private(set) var blocking: GEMMBlocking
    private(set) var tile: Tile
    private(set) var packRows: PackRows
    private(set) var packColumns: PackColumns
    private(set) var packWithPrologue: PackWithPrologue
    private(set) var packB: PackB
    private(set) var transposePanel: TransposePanel
    /// The rows that a tile of so many rows has in packed A.
    private(set) var packedRows: @Sendable (Int) -> Int
    /// Whether B is packed as bfloat16, and A rounded to it.
    private(set) var isHalf = false

    init(float32 set: InstructionSet) {
        #if arch(x86_64)
            switch set {
            case .baseline:
                blocking = .sse
                tile = SSFMicroKernels.gemmTile
                packRows = SSFMicroKernels.gemmPackRows
                packColumns = SSFMicroKernels.gemmPackColumns
                packWithPrologue = SSFMicroKernels.gemmPackWithPrologue
                packB = SSFMicroKernels.gemmPackB
                transposePanel = SSFMicroKernels.gemmTransposePanel
                packedRows = SSFMicroKernels.gemmPackedRows
            case .avx2:
                blocking = .avx2
                tile = SSFMicroKernelsAVX2.gemmTile
                packRows = SSFMicroKernelsAVX2.gemmPackRows
                packColumns = SSFMicroKernelsAVX2.gemmPackColumns
                packWithPrologue = SSFMicroKernelsAVX2.gemmPackWithPrologue
                packB = SSFMicroKernelsAVX2.gemmPackB
                transposePanel = SSFMicroKernelsAVX2.gemmTransposePanel
                packedRows = SSFMicroKernelsAVX2.gemmPackedRows
            case .avx512, .avx512bf16:
                blocking = .avx512
                tile = SSFMicroKernelsAVX512.gemmTile
                packRows = SSFMicroKernelsAVX512.gemmPackRows
                packColumns = SSFMicroKernelsAVX512.gemmPackColumns
                packWithPrologue = SSFMicroKernelsAVX512.gemmPackWithPrologue
                packB = SSFMicroKernelsAVX512.gemmPackB
                transposePanel = SSFMicroKernelsAVX512.gemmTransposePanel
                packedRows = SSFMicroKernelsAVX512.gemmPackedRows
            }
        #else
            blocking = .neon
            tile = gemmTile
            packRows = gemmPackRows
            packColumns = gemmPackColumns
            packWithPrologue = gemmPackWithPrologue
            packB = gemmPackB
            transposePanel = gemmTransposePanel
            packedRows = gemmPackedRows
        #endif
    }

    /// With pairs of bfloat16 where an instruction multiplies them, else as in single precision, B being widened on its
    /// way into the registers.
    init(bfloat16 set: InstructionSet) {
        self.init(float32: set)
        isHalf = true
        blocking = blocking.wideningB
        #if arch(x86_64)
            switch set {
            case .baseline: tile = SSFMicroKernels.gemmTileWidening
            case .avx2: tile = SSFMicroKernelsAVX2.gemmTileWidening
            case .avx512: tile = SSFMicroKernelsAVX512.gemmTileWidening
            case .avx512bf16:
                blocking = .avx512.pairs
                tile = SSFMicroKernelsAVX512BF16.gemmTile
                packRows = SSFMicroKernelsAVX512BF16.gemmPackRows
                packColumns = SSFMicroKernelsAVX512BF16.gemmPackColumns
                packWithPrologue = SSFMicroKernelsAVX512BF16.gemmPackWithPrologue
                packB = SSFMicroKernelsAVX512BF16.gemmPackB
                transposePanel = SSFMicroKernelsAVX512BF16.gemmTransposePanel
                packedRows = SSFMicroKernelsAVX512BF16.gemmPackedRows
            }
        #else
            tile = gemmTileWidening
        #endif
    }
}
