import CIntrinsics

// The layouts that `gemmTile` reads, made from a matrix with any strides. Three cases of strides: contiguous along the
// direction of the packed layout is a copy, contiguous across it is a transposition in registers, and everything else
// goes element by element.

/// Packs `rows` rows and `steps` steps of A into floats [ceil(steps / 16), packedRows, 16].
///
/// - Parameters:
///   - a: element (i, p) at `a[i * rowStride + p * columnStride]`.
///   - packedRows: `gemmPackedRows(rows)`; the rows beyond `rows` become zero. The steps beyond the last stay undefined.
package func gemmPackA(
    rows: Int, packedRows: Int, steps: Int, a: UnsafePointer<Float>, rowStride: Int, columnStride: Int,
    packed: UnsafeMutableRawPointer
) {
    let packed = packed.assumingMemoryBound(to: Float.self)
    let block = gemmStepsPerBlock
    if columnStride == 1 {
        for i in 0..<rows {
            let row = a + i * rowStride
            var target = packed + i * block
            var p = 0
            while p + block <= steps {
                for lane in stride(from: 0, to: block, by: laneCount) { store(load(row + p + lane), target + lane) }
                target += packedRows * block
                p += block
            }
            for q in 0..<(steps - p) { target[q] = row[p + q] }
        }
    } else {
        gemmPackColumns(rows, packedRows, steps, a, rowStride, columnStride, scale: nil, rowScale: nil, packed)
    }
    gemmPackZeroRows(rows, packedRows, steps, packed)
}

/// The rows of packed A that fill up a tile.
@inline(__always)
func gemmPackZeroRows(_ rows: Int, _ packedRows: Int, _ steps: Int, _ packed: UnsafeMutablePointer<Float>) {
    let block = gemmStepsPerBlock
    for i in rows..<max(rows, packedRows) {
        for p in 0..<steps { packed[(p / block * packedRows + i) * block + p % block] = 0 }
    }
}

/// Packs A that is not row-major, times `scale` [rows] and `rowScale` [steps], each after the other, where they are
/// there. (The names are those of the transposed matrix: see `gemmPackWithPrologue`.)
@inline(__always)
func gemmPackColumns(
    _ rows: Int, _ packedRows: Int, _ steps: Int, _ a: UnsafePointer<Float>, _ rowStride: Int, _ columnStride: Int,
    scale: UnsafePointer<Float>?, rowScale: UnsafePointer<Float>?, _ packed: UnsafeMutablePointer<Float>
) {
    let block = gemmStepsPerBlock
    if rowStride == 1 {
        for p in stride(from: 0, to: steps, by: laneCount) {
            let count = min(laneCount, steps - p)
            for i in stride(from: 0, to: rows, by: laneCount) {
                let part = rows - i < laneCount ? rows - i : 0
                var square = zeroBlock()
                for q in 0..<laneCount where q < count {
                    var x = load(a + (p + q) * columnStride + i, part: part)
                    if let rowScale { x *= Lanes(repeating: rowScale[p + q]) }
                    if let scale { x *= load(scale + i, part: part) }
                    square[q] = x
                }
                square = transposed(square)
                let target = packed + (p / block * packedRows + i) * block + p % block
                for r in 0..<laneCount where r < min(rows - i, laneCount) { store(square[r], target + r * block) }
            }
        }
    } else {
        for p in 0..<steps {
            let target = packed + p / block * packedRows * block + p % block
            for i in 0..<rows {
                var x = a[i * rowStride + p * columnStride]
                if let rowScale { x *= rowScale[p] }
                if let scale { x *= scale[i] }
                target[i * block] = x
            }
        }
    }
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
