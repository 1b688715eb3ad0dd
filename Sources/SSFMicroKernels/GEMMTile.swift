import CIntrinsics

// One tile of C = A B in registers. The accumulators fill the register file but for one row of B and the broadcasts:
// 24 of 32 (AVX-512), 12 of 16 (AVX2, SSE), and at least 8, so that two multiply-add units of latency 4 never wait.
//
// AVX-512: 8 x 48. It loads least per multiply-add beside 6 x 64 (0.46), and divides the widths of transformers: 192,
// 384, 768, 1024, 3072 by 48 or 16. AVX2: 6 x 16, SSE: 6 x 8, arm64: 8 x 12.

#if SSF_AVX512
    package let gemmTileRows = 8
    package let gemmTileVectors = 3
#elseif SSF_AVX2
    package let gemmTileRows = 6
    package let gemmTileVectors = 2
#elseif arch(arm64)
    package let gemmTileRows = 8
    package let gemmTileVectors = 3
#else
    package let gemmTileRows = 6
    package let gemmTileVectors = 2
#endif

/// Elements that stand together in a packed row of A: a cache line, so that packing a row-major A is copying.
package let gemmStepsPerBlock = 16

/// Steps of k in one packed element: where bfloat16 is multiplied, an element is a pair.
#if SSF_AVX512BF16
    let gemmPackedSteps = 2
#else
    let gemmPackedSteps = 1
#endif

#if SSF_AVX512 || arch(arm64)
    typealias GEMMAccumulators = InlineArray<24, Lanes>
#else
    typealias GEMMAccumulators = InlineArray<12, Lanes>
#endif

/// All zero. A literal: `InlineArray(repeating:)` is now and then left as a call.
@inline(always)
func zeroAccumulators() -> GEMMAccumulators {
    let o = Lanes()
    #if SSF_AVX512 || arch(arm64)
        return [o, o, o, o, o, o, o, o, o, o, o, o, o, o, o, o, o, o, o, o, o, o, o, o]
    #else
        return [o, o, o, o, o, o, o, o, o, o, o, o]
    #endif
}

/// Computes one tile, `rows` x `columns`, over `steps` steps of k.
///
///     acc[i, j] = (isFirst ? 0 : partial[i, j]) + sum over p of a[p / 16, i, p % 16] * b[p, j]
///
/// then stores acc to `partial` or, where `isLast`, applies the epilogue and stores to C. The order of the sum is that
/// of p: cutting it into several calls changes no bit.
///
/// In the module that multiplies bfloat16, the elements of a and b are pairs of them, of two steps of k each: of an odd
/// number of steps the last is half zero, and only the last call may have one.
///
/// - Parameters:
///   - rows: 1 ... `gemmTileRows`. Memory beyond them is neither read nor written, except in `a`.
///   - columns: 1 ... `gemmTileVectors` vectors.
///   - a: floats or pairs [ceil(steps / 16), packed rows, 16], packed rows being `gemmPackedRows(rows)`.
///   - b: floats or pairs [steps, packed columns], packed columns being `columns` rounded up to whole vectors.
///   - partial: [packed rows, packed columns]: what one call of a sum over k hands to the next, and scratch for the
///     edges of C.
///   - row, column: the tile's place in C.
///   - slot: the thread's scratch, and what to ask the memory for.
package func gemmTile(
    rows: Int, columns: Int, steps: Int, a: UnsafeRawPointer, b: UnsafeRawPointer,
    partial: UnsafeMutablePointer<Float>, isFirst: Bool, isLast: Bool, row: Int, column: Int,
    epilogue: UnsafePointer<ssf_gemm_epilogue>, slot: UnsafePointer<ssf_gemm_slot>
) {
    gemmTile(
        GEMMTile(
            rows: rows, columns: columns, steps: (steps + gemmPackedSteps - 1) / gemmPackedSteps,
            a: a.assumingMemoryBound(to: Float.self), b: b, bIsHalf: false, partial: partial, isFirst: isFirst,
            isLast: isLast, target: GEMMTarget(epilogue: epilogue, slot: slot, row: row, column: column)))
}

#if !SSF_AVX512BF16
    /// The same with a B of bfloat16, [steps, packed columns], which is widened on its way into the registers: where no
    /// instruction multiplies bfloat16, this costs a few hundredths of the time, and B takes half of the caches.
    package func gemmTileWidening(
        rows: Int, columns: Int, steps: Int, a: UnsafeRawPointer, b: UnsafeRawPointer,
        partial: UnsafeMutablePointer<Float>, isFirst: Bool, isLast: Bool, row: Int, column: Int,
        epilogue: UnsafePointer<ssf_gemm_epilogue>, slot: UnsafePointer<ssf_gemm_slot>
    ) {
        gemmTile(
            GEMMTile(
                rows: rows, columns: columns, steps: steps, a: a.assumingMemoryBound(to: Float.self), b: b,
                bIsHalf: true, partial: partial, isFirst: isFirst, isLast: isLast,
                target: GEMMTarget(epilogue: epilogue, slot: slot, row: row, column: column)))
    }
#endif

@inline(always)
func gemmTile(_ tile: GEMMTile) {
    let (rows, columns) = (tile.rows, tile.columns)
    let vectors = (columns + laneCount - 1) / laneCount
    withUnsafePointer(to: tile) { tile in
        if rows == gemmTileRows, columns == gemmTileVectors * laneCount { return gemmTileWhole(tile) }
        switch (gemmPackedRows(rows), vectors) {
        case (1, 1): gemmTile1x1(tile)
        case (1, 2): gemmTile1x2(tile)
        case (2, 1): gemmTile2x1(tile)
        case (2, 2): gemmTile2x2(tile)
        case (4, 1): gemmTile4x1(tile)
        case (4, 2): gemmTile4x2(tile)
        case (_, 1): gemmTileRowsx1(tile)
        case (_, 2): gemmTileRowsx2(tile)
        #if SSF_AVX512 || arch(arm64)
            case (1, _): gemmTile1x3(tile)
            case (2, _): gemmTile2x3(tile)
            case (4, _): gemmTile4x3(tile)
            default: gemmTileRowsx3(tile)
        #else
            default: break
        #endif
        }
    }
}

// Each of these is a body of its own with its sizes as constants; as branches of one function they would be merged into
// one body with variable sizes, and the accumulators would live in memory. (Internal, not private: the compiler emits
// private functions of these modules as weak symbols.)
@inline(never) func gemmTileWhole(_ t: UnsafePointer<GEMMTile>) {
    t.pointee.run(gemmTileRows, gemmTileVectors, whole: true)
}
@inline(never) func gemmTile1x1(_ t: UnsafePointer<GEMMTile>) { t.pointee.run(1, 1, whole: false) }
@inline(never) func gemmTile1x2(_ t: UnsafePointer<GEMMTile>) { t.pointee.run(1, 2, whole: false) }
@inline(never) func gemmTile2x1(_ t: UnsafePointer<GEMMTile>) { t.pointee.run(2, 1, whole: false) }
@inline(never) func gemmTile2x2(_ t: UnsafePointer<GEMMTile>) { t.pointee.run(2, 2, whole: false) }
@inline(never) func gemmTile4x1(_ t: UnsafePointer<GEMMTile>) { t.pointee.run(4, 1, whole: false) }
@inline(never) func gemmTile4x2(_ t: UnsafePointer<GEMMTile>) { t.pointee.run(4, 2, whole: false) }
@inline(never) func gemmTileRowsx1(_ t: UnsafePointer<GEMMTile>) { t.pointee.run(gemmTileRows, 1, whole: false) }
@inline(never) func gemmTileRowsx2(_ t: UnsafePointer<GEMMTile>) { t.pointee.run(gemmTileRows, 2, whole: false) }
#if SSF_AVX512 || arch(arm64)
    @inline(never) func gemmTile1x3(_ t: UnsafePointer<GEMMTile>) { t.pointee.run(1, 3, whole: false) }
    @inline(never) func gemmTile2x3(_ t: UnsafePointer<GEMMTile>) { t.pointee.run(2, 3, whole: false) }
    @inline(never) func gemmTile4x3(_ t: UnsafePointer<GEMMTile>) { t.pointee.run(4, 3, whole: false) }
    @inline(never) func gemmTileRowsx3(_ t: UnsafePointer<GEMMTile>) { t.pointee.run(gemmTileRows, 3, whole: false) }
#endif

/// The rows that a tile of `rows` rows has in packed A: the least of 1, 2, 4 and the whole that holds them.
package func gemmPackedRows(_ rows: Int) -> Int {
    rows > 4 ? gemmTileRows : rows == 3 ? 4 : rows
}

/// The operands of a tile, and its computation for sizes that the caller gives as constants.
struct GEMMTile {
    let rows: Int
    let columns: Int
    let steps: Int
    let a: UnsafePointer<Float>
    let b: UnsafeRawPointer
    let bIsHalf: Bool
    let partial: UnsafeMutablePointer<Float>
    let isFirst: Bool
    let isLast: Bool
    let target: GEMMTarget

    @inline(always)
    func run(_ tileRows: Int, _ vectors: Int, whole: Bool) {
        let acc = product(tileRows, vectors, prefetches: whole)
        if whole && isLast {
            target.finish(acc, tileRows, vectors, scratch: partial)
        } else {
            for i in 0..<tileRows {
                for v in 0..<vectors { store(acc[i * vectors + v], partial + (i * vectors + v) * laneCount) }
            }
            if isLast { gemmFinish(partial, rows, columns, target.row, target.column, target.epilogue, target.slot) }
        }
    }

    /// - Parameter prefetches: whether it asks for what comes next on the way: what is packed after this tile, then the
    ///   lines that the epilogue reads and writes. Some between two blocks of steps, the last a few blocks before they are
    ///   needed. All at once they would take the places in which the lines of B are waited for; and what is asked for too
    ///   early is gone again when it is needed, because B streams through the first-level cache.
    @inline(always)
    func product(_ tileRows: Int, _ vectors: Int, prefetches: Bool) -> GEMMAccumulators {
        #if !SSF_AVX512BF16
            if bIsHalf { return product(tileRows, vectors, prefetches: prefetches, bIsHalf: true) }
        #endif
        return product(tileRows, vectors, prefetches: prefetches, bIsHalf: false)
    }

    @inline(always)
    func product(_ tileRows: Int, _ vectors: Int, prefetches: Bool, bIsHalf: Bool) -> GEMMAccumulators {
        var acc = zeroAccumulators()
        if !isFirst {
            for i in 0..<tileRows {
                for v in 0..<vectors { acc[i * vectors + v] = load(partial + (i * vectors + v) * laneCount) }
            }
        }
        let vectorBytes = laneCount * bytes(isHalf: bIsHalf)
        var a = a
        var b = b
        var left = steps
        let list = target.slot.pointee.list.assumingMemoryBound(to: UnsafeRawPointer.self)
        var fetched = 0
        let wanted = prefetches ? target.listRows(tileRows, vectors, isLast: isLast) : 0
        let blocks = max((steps + gemmStepsPerBlock - 1) / gemmStepsPerBlock - prefetchLead, 1)
        // Without a loop of variable length, beside which the accumulators would live in memory.
        let perBlock = wanted <= blocks ? 1 : wanted <= 2 * blocks ? 2 : wanted <= 4 * blocks ? 4 : 8
        // Steps that are left when it begins.
        let start = (wanted / perBlock + 1 + prefetchLead) * gemmStepsPerBlock
        while left > 0 {
            if prefetches && fetched < wanted && left <= start {
                let rows = list + fetched
                prefetch(rows[0], vectors)
                if perBlock >= 2 {
                    prefetch(rows[1], vectors)
                    if perBlock >= 4 {
                        prefetch(rows[2], vectors)
                        prefetch(rows[3], vectors)
                        if perBlock == 8 {
                            prefetch(rows[4], vectors)
                            prefetch(rows[5], vectors)
                            prefetch(rows[6], vectors)
                            prefetch(rows[7], vectors)
                        }
                    }
                }
                fetched += perBlock
            }
            for step in 0..<min(left, gemmStepsPerBlock) {
                for i in 0..<tileRows {
                    let x = Lanes(repeating: a[i * gemmStepsPerBlock + step])
                    for v in 0..<vectors {
                        let y = load(b + v * vectorBytes, isHalf: bIsHalf)
                        acc[i * vectors + v] = multiplyAccumulate(x, y, acc[i * vectors + v])
                    }
                }
                b += vectors * vectorBytes
            }
            a += tileRows * gemmStepsPerBlock
            left -= gemmStepsPerBlock
        }
        return acc
    }
}

/// The lines of a row of a tile. For writing, even where it is only read: no other thread wants it.
@inline(always)
func prefetch(_ row: UnsafeRawPointer, _ vectors: Int) {
    for v in 0..<vectors { ssf_prefetch_write(row + v * laneCount * 4) }
}

/// Blocks of steps between the last request and the epilogue: some 200 cycles each.
@inline(always)
var prefetchLead: Int { 3 }

/// What a step does with an element of A, a vector of B and the sums.
@inline(always)
func multiplyAccumulate(_ x: Lanes, _ y: Lanes, _ sums: Lanes) -> Lanes {
    #if SSF_AVX512BF16
        ssf_dot_pairs16(sums, x, y)
    #else
        multiplyAdd(x, y, sums)
    #endif
}
