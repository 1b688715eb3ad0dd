import CIntrinsics

// The epilogue of a tile, twice: in registers for a whole tile without an activation, by way of memory for all others.
// Both do the same operations on an element in the same order, so that its bits do not depend on where the tiles fall.
// Neither knows how the sums came about: they serve the products of every precision.

/// Where the results of one tile go, and what is applied to them.
struct GEMMTarget {
    let epilogue: UnsafePointer<ssf_gemm_epilogue>
    let row: Int
    let column: Int

    // MARK: Addresses of element (0, 0) of the tile

    @inline(__always)
    var c: UnsafeMutablePointer<Float> {
        epilogue.pointee.c + (row - epilogue.pointee.cFirstRow) * epilogue.pointee.cRowStride + column
    }
    @inline(__always)
    var kept: UnsafeMutablePointer<Float>? {
        epilogue.pointee.kept.map { $0 + row * epilogue.pointee.keptRowStride + column }
    }
    @inline(__always)
    var residual: UnsafePointer<Float>? {
        epilogue.pointee.residual.map { $0 + row * epilogue.pointee.residualRowStride + column }
    }

    @inline(__always)
    var hasActivation: Bool { epilogue.pointee.activation != 0 }

    /// The lines that the epilogue reads and writes are asked for before the product, which hides their way.
    @inline(__always)
    func prefetch(_ tileRows: Int, _ vectors: Int) {
        let c = c
        let cRowStride = epilogue.pointee.cRowStride
        for i in 0..<tileRows {
            for v in 0..<vectors { ssf_prefetch_write(c + i * cRowStride + v * laneCount) }
        }
        if let kept {
            let stride = epilogue.pointee.keptRowStride
            for i in 0..<tileRows {
                for v in 0..<vectors { ssf_prefetch_write(kept + i * stride + v * laneCount) }
            }
        }
        if let residual {
            let stride = epilogue.pointee.residualRowStride
            for i in 0..<tileRows {
                for v in 0..<vectors { ssf_prefetch(residual + i * stride + v * laneCount) }
            }
        }
    }

    /// The accumulators stay in registers; each operand that is absent costs a branch.
    @inline(__always)
    func finish(_ product: GEMMAccumulators, _ tileRows: Int, _ vectors: Int) {
        let e = epilogue.pointee
        var acc = product
        if let bias = e.bias {
            for v in 0..<vectors {
                let x = load(bias + column + v * laneCount)
                for i in 0..<tileRows { acc[i * vectors + v] += x }
            }
        }
        if let kept {
            for i in 0..<tileRows {
                for v in 0..<vectors { store(acc[i * vectors + v], kept + i * e.keptRowStride + v * laneCount) }
            }
        }
        if let scale = e.scale, let shift = e.shift {
            for v in 0..<vectors {
                let (x, y) = (load(scale + column + v * laneCount), load(shift + column + v * laneCount))
                for i in 0..<tileRows { acc[i * vectors + v] = multiplyAdd(acc[i * vectors + v], x, y) }
            }
        } else if let scale = e.scale {
            for v in 0..<vectors {
                let x = load(scale + column + v * laneCount)
                for i in 0..<tileRows { acc[i * vectors + v] *= x }
            }
        } else if let shift = e.shift {
            for v in 0..<vectors {
                let x = load(shift + column + v * laneCount)
                for i in 0..<tileRows { acc[i * vectors + v] += x }
            }
        }
        if let rowScale = e.rowScale {
            for i in 0..<tileRows {
                let x = Lanes(repeating: rowScale[row + i])
                for v in 0..<vectors { acc[i * vectors + v] *= x }
            }
        }
        if let residual {
            for i in 0..<tileRows {
                for v in 0..<vectors {
                    acc[i * vectors + v] += load(residual + i * e.residualRowStride + v * laneCount)
                }
            }
        }
        let c = c
        if e.accumulate {
            for i in 0..<tileRows {
                for v in 0..<vectors { acc[i * vectors + v] += load(c + i * e.cRowStride + v * laneCount) }
            }
        }
        for i in 0..<tileRows {
            for v in 0..<vectors { store(acc[i * vectors + v], c + i * e.cRowStride + v * laneCount) }
        }
    }
}

/// The epilogue from memory: only the rows and columns that belong to C, in loops of variable length. (One body for all
/// tiles: unrolled into each it would be several times the code of the product.)
///
/// - Parameter sums: [rows, `columns` rounded up to whole vectors].
@inline(never)
func gemmFinish(_ sums: UnsafePointer<Float>, _ rows: Int, _ columns: Int, _ target: GEMMTarget) {
    let e = target.epilogue.pointee
    let width = roundedUpToLanes(columns)
    for i in 0..<rows {
        let row = target.row + i
        let operands = GEMMRow(
            sums: sums + i * width, c: target.c + i * e.cRowStride, accumulate: e.accumulate,
            bias: e.bias.map { $0 + target.column }, scale: e.scale.map { $0 + target.column },
            shift: e.shift.map { $0 + target.column }, kept: target.kept.map { $0 + i * e.keptRowStride },
            geluInput: e.geluInput.map { $0 + row * e.geluInputRowStride + target.column },
            geluScale: e.geluScale.map { $0 + target.column }, geluShift: e.geluShift.map { $0 + target.column },
            rowScale: e.rowScale.map { $0 + row }, residual: target.residual.map { $0 + i * e.residualRowStride })
        switch e.activation {
        case 1: operands.finish(columns, activation: 1)
        case 2: operands.finish(columns, activation: 2)
        default: operands.finish(columns, activation: 0)
        }
    }
}

/// One row of a tile, every pointer at the row's first column in it.
struct GEMMRow {
    let sums: UnsafePointer<Float>
    let c: UnsafeMutablePointer<Float>
    let accumulate: Bool
    let bias: UnsafePointer<Float>?
    let scale: UnsafePointer<Float>?
    let shift: UnsafePointer<Float>?
    let kept: UnsafeMutablePointer<Float>?
    let geluInput: UnsafePointer<Float>?
    let geluScale: UnsafePointer<Float>?
    let geluShift: UnsafePointer<Float>?
    let rowScale: UnsafePointer<Float>?
    let residual: UnsafePointer<Float>?

    /// - Parameter activation: a constant, as `ssf_gemm_epilogue` numbers them.
    @inline(__always)
    func finish(_ columns: Int, activation: Int) {
        var j = 0
        while j + laneCount <= columns {
            finish(j, part: 0, activation: activation)
            j += laneCount
        }
        if j < columns { finish(j, part: columns - j, activation: activation) }
    }

    @inline(__always)
    func finish(_ j: Int, part: Int, activation: Int) {
        var x = load(sums + j)
        if let bias { x += load(bias + j, part: part) }
        if let kept { store(x, kept + j, part: part) }
        x = scaledAndShifted(x, scale, shift, j, part: part)
        if activation == 1 {
            x = gelu(x)
        } else if activation == 2, let geluInput {
            x *= geluDerivative(scaledAndShifted(load(geluInput + j, part: part), geluScale, geluShift, j, part: part))
        }
        if let rowScale { x *= Lanes(repeating: rowScale[0]) }
        if let residual { x += load(residual + j, part: part) }
        if accumulate { x += load(c + j, part: part) }
        store(x, c + j, part: part)
    }
}

/// scale * x + shift, rounded once where both are there and the instruction set can.
@inline(always)
func scaledAndShifted(
    _ x: Lanes, _ scale: UnsafePointer<Float>?, _ shift: UnsafePointer<Float>?, _ j: Int, part: Int
) -> Lanes {
    if let scale, let shift { return multiplyAdd(x, load(scale + j, part: part), load(shift + j, part: part)) }
    if let scale { return x * load(scale + j, part: part) }
    if let shift { return x + load(shift + j, part: part) }
    return x
}
