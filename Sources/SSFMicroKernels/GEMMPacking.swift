import CIntrinsics

// The layouts that `gemmTile` reads, made from a matrix with any strides. Three cases of strides: contiguous along the
// direction of the packed layout is a copy, contiguous across it is a transposition in registers, and everything else
// goes element by element.

/// Packs `rows` rows and `steps` steps of a row-major A into floats [ceil(steps / 16), packedRows, 16], or where bfloat16
/// is multiplied into pairs of two steps [ceil(steps / 32), packedRows, 16].
///
/// - Parameters:
///   - a: element (i, p) at index `i * rowStride + p`.
///   - rounds: rounds floats to bfloat16, which pairs always are.
///   - packedRows: `gemmPackedRows(rows)`; the rows beyond `rows` become zero. The steps beyond the last stay undefined,
///     but for the second half of a pair, which becomes zero.
package func gemmPackRows(
    rows: Int, packedRows: Int, steps: Int, a: UnsafeRawPointer, aIsHalf: Bool, rounds: Bool, rowStride: Int,
    packed: UnsafeMutableRawPointer
) {
    let packed = packed.assumingMemoryBound(to: Float.self)
    for i in 0..<rows {
        let source = GEMMSourceRow(a: a + i * rowStride * bytes(isHalf: aIsHalf), aIsHalf: aIsHalf, rounds: rounds)
        gemmPackCopied(source, steps, packedRows, packed + i * gemmStepsPerBlock)
    }
    gemmPackZeroRows(rows, packedRows, steps, packed)
}

/// The rows of packed A that fill up a tile.
@inline(always)
func gemmPackZeroRows(_ rows: Int, _ packedRows: Int, _ steps: Int, _ packed: UnsafeMutablePointer<Float>) {
    let block = gemmStepsPerBlock
    var i = rows
    while i < packedRows {
        for p in 0..<(steps + gemmPackedSteps - 1) / gemmPackedSteps {
            packed[(p / block * packedRows + i) * block + p % block] = 0
        }
        i += 1
    }
}

/// A that is not row-major, times `scale` [rows] and `rowScale` [steps], each after the other, where they are there. (The
/// names are those of the transposed matrix: see `GEMMPrologue`.)
struct GEMMColumns {
    let a: UnsafeRawPointer
    let aIsHalf: Bool
    let rowStride: Int
    let columnStride: Int
    let scale: UnsafePointer<Float>?
    let rowScale: UnsafePointer<Float>?
    let rounds: Bool

    /// Step p of the rows from i, which stand side by side in memory.
    @inline(always)
    func vector(_ i: Int, _ p: Int, part: Int) -> Lanes {
        var x = load(a, p * columnStride + i, isHalf: aIsHalf, part: part)
        if let rowScale { x *= Lanes(repeating: rowScale[p]) }
        if let scale { x *= load(scale + i, part: part) }
        return x
    }

    @inline(always)
    func number(_ i: Int, _ p: Int) -> Float {
        var x = element(a, i * rowStride + p * columnStride, isHalf: aIsHalf)
        if let rowScale { x *= rowScale[p] }
        if let scale { x *= scale[i] }
        return x
    }

    /// Packed element q of the rows from i: a step, or a pair of steps, of which the second may be beyond the last.
    @inline(always)
    func packedVector(_ i: Int, _ q: Int, _ steps: Int, part: Int) -> Lanes {
        #if SSF_AVX512BF16
            roundedPairs(
                vector(i, 2 * q, part: part), 2 * q + 1 < steps ? vector(i, 2 * q + 1, part: part) : Lanes())
        #else
            rounds ? roundedToHalf(vector(i, q, part: part)) : vector(i, q, part: part)
        #endif
    }

    @inline(always)
    func packedNumber(_ i: Int, _ q: Int, _ steps: Int) -> Float {
        #if SSF_AVX512BF16
            pair(number(i, 2 * q), 2 * q + 1 < steps ? number(i, 2 * q + 1) : 0)
        #else
            rounds ? widened(roundedToHalf(number(i, q))) : number(i, q)
        #endif
    }
}

/// Packs any number of rows of an A that is not row-major: several tiles, each as `gemmPackRows` packs it and `tileBytes`
/// behind the one before. Whole vectors of rows are transposed in registers.
///
/// - Parameters:
///   - a: element (i, p) at index `i * rowStride + p * columnStride`.
///   - rounds: rounds floats to bfloat16, which pairs always are.
///   - scale: [rows], rowScale: [steps]: factors, one after the other, of A where they are there. (The names are those of
///     the transposed matrix: see `GEMMPrologue`.)
package func gemmPackColumns(
    rows: Int, steps: Int, a: UnsafeRawPointer, aIsHalf: Bool, rounds: Bool, rowStride: Int, columnStride: Int,
    scale: UnsafePointer<Float>?, rowScale: UnsafePointer<Float>?, tileBytes: Int, packed: UnsafeMutableRawPointer
) {
    let packed = packed.assumingMemoryBound(to: Float.self)
    let block = gemmStepsPerBlock
    let source = GEMMColumns(
        a: a, aIsHalf: aIsHalf, rowStride: rowStride, columnStride: columnStride, scale: scale, rowScale: rowScale,
        rounds: rounds)
    let count = (steps + gemmPackedSteps - 1) / gemmPackedSteps
    let tileCount = tileBytes / 4
    let tiles = (rows + gemmTileRows - 1) / gemmTileRows
    let rest = rows - (tiles - 1) * gemmTileRows
    if rowStride == 1 {
        var p = 0
        while p < count {
            var i = 0
            while i < rows {
                let lanes = min(laneCount, rows - i)
                let part = lanes == laneCount ? 0 : lanes
                let ahead = a + ((p + 3 * laneCount) * gemmPackedSteps * columnStride + i) * bytes(isHalf: aIsHalf)
                var square = zeroBlock()
                for q in 0..<laneCount where p + q < count {
                    // Every step is far from the one before: no prefetcher of the processor follows. Into the second
                    // level, because steps a multiple of 4096 bytes apart share a few lines of the first.
                    for step in 0..<gemmPackedSteps {
                        ssf_prefetch_later(
                            ahead + (q * gemmPackedSteps + step) * columnStride * bytes(isHalf: aIsHalf))
                    }
                    square[q] = source.packedVector(i, p + q, steps, part: part)
                }
                square = transposed(square)
                for r in 0..<laneCount where r < lanes {
                    let tile = (i + r) / gemmTileRows
                    let packedRows = tile == tiles - 1 ? gemmPackedRows(rest) : gemmTileRows
                    let place = (p / block * packedRows + i + r - tile * gemmTileRows) * block + p % block
                    store(square[r], packed + tile * tileCount + place)
                }
                i += laneCount
            }
            p += laneCount
        }
    } else {
        for i in 0..<rows {
            let tile = i / gemmTileRows
            let packedRows = tile == tiles - 1 ? gemmPackedRows(rest) : gemmTileRows
            let target = packed + tile * tileCount + (i - tile * gemmTileRows) * block
            for p in 0..<count {
                target[p / block * packedRows * block + p % block] = source.packedNumber(i, p, steps)
            }
        }
    }
    gemmPackZeroRows(rest, gemmPackedRows(rest), steps, packed + (tiles - 1) * tileCount)
}

/// Packs `columns` columns of B into floats [k, packedColumns], where `packsHalves` into bfloat16 of the same layout, and
/// where bfloat16 is multiplied into pairs of two steps [ceil(k / 2), packedColumns].
///
/// - Parameters:
///   - b: element (p, j) at index `p * rowStride + j * columnStride`.
///   - packedColumns: `columns` rounded up to whole vectors; the columns beyond become zero, and so does the second half
///     of a pair beyond k.
package func gemmPackB(
    k: Int, columns: Int, packedColumns: Int, b: UnsafeRawPointer, bIsHalf: Bool = false, packsHalves: Bool = false,
    rowStride: Int,
    columnStride: Int, packed: UnsafeMutableRawPointer
) {
    let target = GEMMPackedPanel(packed: packed, isHalf: packsHalves, columns: packedColumns)
    if columnStride == 1 {
        for p in stride(from: 0, to: k, by: gemmPackedSteps) {
            for step in 0..<gemmPackedSteps {
                let row = b + (p + 32 + step) * rowStride * bytes(isHalf: bIsHalf)
                var ahead = 0
                while ahead < packedColumns {
                    ssf_prefetch_later(row + ahead * bytes(isHalf: bIsHalf))
                    ahead += 16
                }
            }
            for j in stride(from: 0, to: packedColumns, by: laneCount) {
                let part = columns - j < laneCount ? columns - j : 0
                let first = load(b, p * rowStride + j, isHalf: bIsHalf, part: part)
                let hasSecond = gemmPackedSteps == 2 && p + 1 < k
                target.put(
                    first, hasSecond ? load(b, (p + 1) * rowStride + j, isHalf: bIsHalf, part: part) : Lanes(), p, j)
            }
        }
    } else if rowStride == 1 {
        for p in stride(from: 0, to: k, by: laneCount) {
            let steps = min(laneCount, k - p)
            let part = steps < laneCount ? steps : 0
            for j in stride(from: 0, to: packedColumns, by: laneCount) {
                var square = zeroBlock()
                for q in 0..<laneCount where j + q < columns {
                    square[q] = load(b, (j + q) * columnStride + p, isHalf: bIsHalf, part: part)
                }
                square = transposed(square)
                // Steps beyond the last were loaded as zero.
                for r in stride(from: 0, to: laneCount, by: gemmPackedSteps) where r < steps {
                    target.put(square[r], gemmPackedSteps == 2 ? square[r + 1] : Lanes(), p + r, j)
                }
            }
        }
    } else {
        for p in stride(from: 0, to: k, by: gemmPackedSteps) {
            for j in stride(from: 0, to: packedColumns, by: laneCount) {
                var (first, second) = (Lanes(), Lanes())
                for q in 0..<laneCount where j + q < columns {
                    first[q] = element(b, p * rowStride + (j + q) * columnStride, isHalf: bIsHalf)
                    if gemmPackedSteps == 2 && p + 1 < k {
                        second[q] = element(b, (p + 1) * rowStride + (j + q) * columnStride, isHalf: bIsHalf)
                    }
                }
                target.put(first, second, p, j)
            }
        }
    }
}

/// A panel of packed B.
struct GEMMPackedPanel {
    let packed: UnsafeMutableRawPointer
    let isHalf: Bool
    let columns: Int

    /// Columns j ... of step p, or of the pair of steps that p begins.
    @inline(always)
    func put(_ first: Lanes, _ second: Lanes, _ p: Int, _ j: Int) {
        #if SSF_AVX512BF16
            store(roundedPairs(first, second), packed.assumingMemoryBound(to: Float.self) + p / 2 * columns + j)
        #else
            store(first, packed, p * columns + j, isHalf: isHalf, part: 0)
        #endif
    }
}
