// The layouts that `gemmTile` reads, made from a matrix with any strides. Three cases of strides: contiguous along the
// direction of the packed layout is a copy, contiguous across it is a transposition in registers, and everything else
// goes element by element.

/// Packs `rows` rows of A into [ceil(k / 16), packedRows, 16].
///
/// - Parameters:
///   - a: element (i, p) at `a[i * rowStride + p * columnStride]`.
///   - packedRows: `gemmPackedRows(rows)`; the rows beyond `rows` become zero. The steps beyond k stay undefined.
package func gemmPackA(
    rows: Int, packedRows: Int, k: Int, a: UnsafePointer<Float>, rowStride: Int, columnStride: Int,
    packed: UnsafeMutablePointer<Float>
) {
    let block = gemmStepsPerBlock
    if columnStride == 1 {
        for i in 0..<rows { gemmPackARow(k: k, row: a + i * rowStride, packed: packed + i * block, packedRows) }
    } else if rowStride == 1 {
        for p in stride(from: 0, to: k, by: laneCount) {
            let steps = min(laneCount, k - p)
            for i in stride(from: 0, to: rows, by: laneCount) {
                let count = min(laneCount, rows - i)
                var square = zeroBlock()
                for q in 0..<laneCount where q < steps {
                    let source = a + (p + q) * columnStride + i
                    square[q] = count == laneCount ? load(source) : load(source, first: count)
                }
                square = transposed(square)
                let target = packed + (p / block * packedRows + i) * block + p % block
                for r in 0..<laneCount where r < count { store(square[r], target + r * block) }
            }
        }
    } else {
        for p in 0..<k {
            let target = packed + p / block * packedRows * block + p % block
            for i in 0..<rows { target[i * block] = a[i * rowStride + p * columnStride] }
        }
    }
    for i in rows..<max(rows, packedRows) {
        for p in 0..<k { packed[(p / block * packedRows + i) * block + p % block] = 0 }
    }
}

@inline(__always)
func gemmPackARow(k: Int, row: UnsafePointer<Float>, packed: UnsafeMutablePointer<Float>, _ packedRows: Int) {
    let block = gemmStepsPerBlock
    var target = packed
    var p = 0
    while p + block <= k {
        for lane in stride(from: 0, to: block, by: laneCount) { store(load(row + p + lane), target + lane) }
        target += packedRows * block
        p += block
    }
    for q in 0..<(k - p) { target[q] = row[p + q] }
}

/// Packs `columns` columns of B into [k, packedColumns].
///
/// - Parameters:
///   - b: element (p, j) at `b[p * rowStride + j * columnStride]`.
///   - packedColumns: `columns` rounded up to whole vectors; the columns beyond become zero.
package func gemmPackB(
    k: Int, columns: Int, packedColumns: Int, b: UnsafePointer<Float>, rowStride: Int, columnStride: Int,
    packed: UnsafeMutablePointer<Float>
) {
    if columnStride == 1 {
        for p in 0..<k {
            let row = b + p * rowStride
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
