import CIntrinsics

// The epilogue of a tile, twice: in registers for a whole tile, by way of memory for one at an edge. Both do the same operations on an element in the same order, so that its bits do not depend on where the tiles fall.
// Neither knows how the sums came about: they serve the products of every precision.

/// Where the results of one tile go, and what is applied to them.
struct GEMMTarget {
    let epilogue: UnsafePointer<ssf_gemm_epilogue>
    let slot: UnsafePointer<ssf_gemm_slot>
    let row: Int
    let column: Int

    // MARK: Addresses of element (0, 0) of the tile

    @inline(always)
    var c: UnsafeMutablePointer<Float> {
        epilogue.pointee.c + (row - epilogue.pointee.cFirstRow) * epilogue.pointee.cRowStride + column
    }
    @inline(always)
    var kept: UnsafeMutablePointer<Float>? {
        epilogue.pointee.kept.map { $0 + row * epilogue.pointee.keptRowStride + column }
    }
    @inline(always)
    var residual: UnsafePointer<Float>? {
        epilogue.pointee.residual.map { $0 + row * epilogue.pointee.residualRowStride + column }
    }

    @inline(always)
    var geluInput: UnsafePointer<Float>? {
        epilogue.pointee.geluInput.map { $0 + row * epilogue.pointee.geluInputRowStride + column }
    }

    /// Adds to the list of what is asked for what is read and written between this product and the next: the partial sums
    /// of the next, and the rows of the tile in every matrix of the epilogue. Returns their number; some more stand behind
    /// them, for whoever counts in larger steps.
    @inline(always)
    func listRows(_ tileRows: Int, _ vectors: Int, isLast: Bool) -> Int {
        let e = epilogue.pointee
        let list = slot.pointee.list.assumingMemoryBound(to: UnsafeRawPointer.self)
        var count = slot.pointee.listCount
        if let next = slot.pointee.nextPartial {
            for i in 0..<tileRows { list[count + i] = UnsafeRawPointer(next + i * vectors * laneCount) }
            count += tileRows
        }
        if isLast {
            let c = c
            for i in 0..<tileRows { list[count + i] = UnsafeRawPointer(c + i * e.cRowStride) }
            count += tileRows
            if let kept {
                for i in 0..<tileRows { list[count + i] = UnsafeRawPointer(kept + i * e.keptRowStride) }
                count += tileRows
            }
            if let geluInput {
                for i in 0..<tileRows { list[count + i] = UnsafeRawPointer(geluInput + i * e.geluInputRowStride) }
                count += tileRows
            }
            if let residual {
                for i in 0..<tileRows { list[count + i] = UnsafeRawPointer(residual + i * e.residualRowStride) }
                count += tileRows
            }
        }
        for i in 0..<8 { list[count + i] = UnsafeRawPointer(e.c) }
        return count
    }

    /// The accumulators stay in registers; each operand that is absent costs a branch. Only an activation goes by way of
    /// memory, because it needs the registers for its constants.
    ///
    /// - Parameter scratch: room for a tile.
    @inline(always)
    func finish(
        _ product: GEMMAccumulators, _ tileRows: Int, _ vectors: Int, scratch: UnsafeMutablePointer<Float>
    ) {
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
        if e.activation != 0 {
            for i in 0..<tileRows * vectors { store(acc[i], scratch + i * laneCount) }
            gemmActivate(scratch, tileRows, vectors * laneCount, self)
            for i in 0..<tileRows * vectors { acc[i] = load(scratch + i * laneCount) }
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

/// The activation of a tile, in place.
///
/// - Parameter x: [rows, `columns` rounded up to whole vectors], without gaps.
@inline(never)
func gemmActivate(_ x: UnsafeMutablePointer<Float>, _ rows: Int, _ columns: Int, _ target: GEMMTarget) {
    let e = target.epilogue.pointee
    let width = roundedUpToLanes(columns)
    guard e.activation == 2, let input = target.geluInput else {
        return geluForward(count: rows * width, x: x, y: x)
    }
    let z = target.slot.pointee.scratch
    let scale = e.geluScale.map { $0 + target.column }
    let shift = e.geluShift.map { $0 + target.column }
    for i in 0..<rows {
        let source = input + i * e.geluInputRowStride
        let z = z + i * width
        var j = 0
        while j + laneCount <= columns {
            store(scaledAndShifted(load(source + j), scale, shift, j, part: 0), z + j)
            j += laneCount
        }
        if j < columns {
            let part = columns - j
            store(scaledAndShifted(load(source + j, part: part), scale, shift, j, part: part), z + j)
        }
    }
    geluBackward(count: rows * width, dy: x, x: z, dx: x)
}

/// The epilogue from memory: only the rows and columns that belong to C, in loops of variable length. (One body for all
/// tiles: unrolled into each it would be several times the code of the product.)
///
/// - Parameter sums: [rows, `columns` rounded up to whole vectors].
@inline(never)
func gemmFinish(_ sums: UnsafeMutablePointer<Float>, _ rows: Int, _ columns: Int, _ target: GEMMTarget) {
    let e = target.epilogue.pointee
    let width = roundedUpToLanes(columns)
    let bias = e.bias.map { $0 + target.column }
    let scale = e.scale.map { $0 + target.column }
    let shift = e.shift.map { $0 + target.column }
    for i in 0..<rows {
        let sums = sums + i * width
        let kept = target.kept.map { $0 + i * e.keptRowStride }
        var j = 0
        while j < columns {
            let part = columns - j < laneCount ? columns - j : 0
            var x = load(sums + j)
            if let bias { x += load(bias + j, part: part) }
            if let kept { store(x, kept + j, part: part) }
            store(scaledAndShifted(x, scale, shift, j, part: part), sums + j)
            j += laneCount
        }
    }
    if e.activation != 0 { gemmActivate(sums, rows, columns, target) }
    for i in 0..<rows {
        let sums = sums + i * width
        let c = target.c + i * e.cRowStride
        let residual = target.residual.map { $0 + i * e.residualRowStride }
        var j = 0
        while j < columns {
            let part = columns - j < laneCount ? columns - j : 0
            var x = load(sums + j)
            if let rowScale = e.rowScale { x *= Lanes(repeating: rowScale[target.row + i]) }
            if let residual { x += load(residual + j, part: part) }
            if e.accumulate { x += load(c + j, part: part) }
            store(x, c + j, part: part)
            j += laneCount
        }
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
