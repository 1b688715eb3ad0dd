import CIntrinsics

// The layouts that `gemmTile` reads, made from a matrix with any strides. Three cases of strides: contiguous along the
// direction of the packed layout is a copy, contiguous across it is a transposition in registers, and everything else
// goes element by element.

/// Packs `rows` rows and `steps` steps of a row-major A into floats [ceil(steps / 16), packedRows, 16].
///
/// - Parameters:
///   - a: element (i, p) at `a[i * rowStride + p]`.
///   - packedRows: `gemmPackedRows(rows)`; the rows beyond `rows` become zero. The steps beyond the last stay undefined.
package func gemmPackRows(
    rows: Int, packedRows: Int, steps: Int, a: UnsafePointer<Float>, rowStride: Int, packed: UnsafeMutableRawPointer
) {
    let packed = packed.assumingMemoryBound(to: Float.self)
    let block = gemmStepsPerBlock
    for i in 0..<rows {
        let row = a + i * rowStride
        var target = packed + i * block
        var p = 0
        while p + block <= steps {
            var lane = 0
            while lane < block {
                store(load(row + p + lane), target + lane)
                lane += laneCount
            }
            target += packedRows * block
            p += block
        }
        for q in 0..<(steps - p) { target[q] = row[p + q] }
    }
    gemmPackZeroRows(rows, packedRows, steps, packed)
}

/// The rows of packed A that fill up a tile.
@inline(always)
func gemmPackZeroRows(_ rows: Int, _ packedRows: Int, _ steps: Int, _ packed: UnsafeMutablePointer<Float>) {
    let block = gemmStepsPerBlock
    for i in rows..<max(rows, packedRows) {
        for p in 0..<steps { packed[(p / block * packedRows + i) * block + p % block] = 0 }
    }
}

/// Packs any number of rows of an A that is not row-major: several tiles, each as `gemmPackRows` packs it and `tileBytes`
/// behind the one before. Whole vectors of rows are transposed in registers.
///
/// - Parameters:
///   - a: element (i, p) at `a[i * rowStride + p * columnStride]`.
///   - scale: [rows], rowScale: [steps]: factors, one after the other, of A where they are there. (The names are those of
///     the transposed matrix: see `GEMMPrologue`.)
package func gemmPackColumns(
    rows: Int, steps: Int, a: UnsafePointer<Float>, rowStride: Int, columnStride: Int, scale: UnsafePointer<Float>?,
    rowScale: UnsafePointer<Float>?, tileBytes: Int, packed: UnsafeMutableRawPointer
) {
    let packed = packed.assumingMemoryBound(to: Float.self)
    let block = gemmStepsPerBlock
    let tileCount = tileBytes / 4
    let tiles = (rows + gemmTileRows - 1) / gemmTileRows
    let rest = rows - (tiles - 1) * gemmTileRows
    if rowStride == 1 {
        var p = 0
        while p < steps {
            let count = min(laneCount, steps - p)
            var i = 0
            while i < rows {
                let lanes = min(laneCount, rows - i)
                let part = lanes == laneCount ? 0 : lanes
                let source = a + p * columnStride + i
                var square = zeroBlock()
                for q in 0..<laneCount where q < count {
                    // Every step is far from the one before: no prefetcher of the processor follows. Into the second
                    // level, because steps a multiple of 4096 bytes apart share a few lines of the first.
                    ssf_prefetch_later(source + (q + 3 * laneCount) * columnStride)
                    var x = load(source + q * columnStride, part: part)
                    if let rowScale { x *= Lanes(repeating: rowScale[p + q]) }
                    if let scale { x *= load(scale + i, part: part) }
                    square[q] = x
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
            for p in 0..<steps {
                var x = a[i * rowStride + p * columnStride]
                if let rowScale { x *= rowScale[p] }
                if let scale { x *= scale[i] }
                target[p / block * packedRows * block + p % block] = x
            }
        }
    }
    gemmPackZeroRows(rest, gemmPackedRows(rest), steps, packed + (tiles - 1) * tileCount)
}

/// Packs `columns` columns of B into floats [k, packedColumns].
///
/// - Parameters:
///   - b: element (p, j) at `b[p * rowStride + j * columnStride]`.
///   - packedColumns: `columns` rounded up to whole vectors; the columns beyond become zero.
package func gemmPackB(
    k: Int, columns: Int, packedColumns: Int, b: UnsafePointer<Float>, rowStride: Int, columnStride: Int,
    packed: UnsafeMutableRawPointer
) {
    let packed = packed.assumingMemoryBound(to: Float.self)
    if columnStride == 1 {
        for p in 0..<k {
            let row = b + p * rowStride
            var ahead = 0
            while ahead < packedColumns {
                ssf_prefetch_later(row + 32 * rowStride + ahead)
                ahead += 16
            }
            let target = packed + p * packedColumns
            for j in stride(from: 0, to: packedColumns, by: laneCount) {
                let count = columns - j
                store(count >= laneCount ? load(row + j) : load(row + j, first: count), target + j)
            }
        }
    } else if rowStride == 1 {
        for p in stride(from: 0, to: k, by: laneCount) {
            let steps = min(laneCount, k - p)
            for j in stride(from: 0, to: packedColumns, by: laneCount) {
                let count = min(laneCount, columns - j)
                var square = zeroBlock()
                for q in 0..<laneCount where q < count {
                    let source = b + (j + q) * columnStride + p
                    square[q] = steps == laneCount ? load(source) : load(source, first: steps)
                }
                square = transposed(square)
                let target = packed + p * packedColumns + j
                for r in 0..<laneCount where r < steps { store(square[r], target + r * packedColumns) }
            }
        }
    } else {
        for p in 0..<k {
            let target = packed + p * packedColumns
            for j in 0..<columns { target[j] = b[p * rowStride + j * columnStride] }
            for j in columns..<max(columns, packedColumns) { target[j] = 0 }
        }
    }
}
