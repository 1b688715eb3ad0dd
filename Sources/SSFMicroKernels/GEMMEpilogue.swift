import CIntrinsics

// The epilogue of a tile, twice: in registers for a whole tile, by way of memory for one at an edge. Both do the same
// operations on an element in the same order, so that its bits do not depend on where the tiles fall.
// Neither knows how the sums came about: they serve the products of every precision.

/// Where the results of one tile go, and what is applied to them.
///
/// The order of the fields is not that of the arguments from which a tile fills them. Where two stand side by side in both,
/// the compiler moves them as one vector, which waits until the caller's two stores have reached the cache: some hundred
/// cycles a tile.
struct GEMMTarget {
    let epilogue: UnsafePointer<ssf_gemm_epilogue>
    let row: Int
    let slot: UnsafePointer<ssf_gemm_slot>
    let column: Int

    @inline(always)
    init(
        epilogue: UnsafePointer<ssf_gemm_epilogue>, slot: UnsafePointer<ssf_gemm_slot>, row: Int, column: Int
    ) {
        self.epilogue = epilogue
        self.row = row
        self.slot = slot
        self.column = column
    }

    // MARK: Addresses of element (0, 0) of the tile

    @inline(always)
    var c: UnsafeMutableRawPointer {
        let e = epilogue.pointee
        return e.c + ((row - e.cFirstRow) * e.cRowStride + column) * bytes(isHalf: e.cIsHalf)
    }
    @inline(always)
    var kept: UnsafeMutableRawPointer? {
        let e = epilogue.pointee
        return e.kept.map { $0 + (row * e.keptRowStride + column) * bytes(isHalf: e.keptIsHalf) }
    }
    @inline(always)
    var residual: UnsafeRawPointer? {
        let e = epilogue.pointee
        return e.residual.map { $0 + (row * e.residualRowStride + column) * bytes(isHalf: e.residualIsHalf) }
    }
    @inline(always)
    var geluInput: UnsafeRawPointer? {
        let e = epilogue.pointee
        return e.geluInput.map { $0 + (row * e.geluInputRowStride + column) * bytes(isHalf: e.geluInputIsHalf) }
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
            let stride = e.cRowStride * bytes(isHalf: e.cIsHalf)
            for i in 0..<tileRows { list[count + i] = UnsafeRawPointer(c + i * stride) }
            count += tileRows
            if let kept {
                let stride = e.keptRowStride * bytes(isHalf: e.keptIsHalf)
                for i in 0..<tileRows { list[count + i] = UnsafeRawPointer(kept + i * stride) }
                count += tileRows
            }
            if let geluInput {
                let stride = e.geluInputRowStride * bytes(isHalf: e.geluInputIsHalf)
                for i in 0..<tileRows { list[count + i] = geluInput + i * stride }
                count += tileRows
            }
            if let residual {
                let stride = e.residualRowStride * bytes(isHalf: e.residualIsHalf)
                for i in 0..<tileRows { list[count + i] = residual + i * stride }
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
        if let kept { put(acc, kept, e.keptRowStride, isHalf: e.keptIsHalf, tileRows, vectors, scratch) }
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
            for i in 0..<tileRows {
                for v in 0..<vectors { store(acc[i * vectors + v], scratch + (i * vectors + v) * laneCount) }
            }
            gemmActivate(scratch, tileRows, vectors * laneCount, row, column, epilogue, slot)
            for i in 0..<tileRows {
                for v in 0..<vectors { acc[i * vectors + v] = load(scratch + (i * vectors + v) * laneCount) }
            }
        }
        if let rowScale = e.rowScale {
            for i in 0..<tileRows {
                let x = Lanes(repeating: rowScale[row + i])
                for v in 0..<vectors { acc[i * vectors + v] *= x }
            }
        }
        if let residual { add(residual, e.residualRowStride, isHalf: e.residualIsHalf, tileRows, vectors, to: &acc) }
        let c = c
        if e.accumulate { add(c, e.cRowStride, isHalf: e.cIsHalf, tileRows, vectors, to: &acc) }
        put(acc, c, e.cRowStride, isHalf: e.cIsHalf, tileRows, vectors, scratch)
    }

    @inline(always)
    private func put(
        _ acc: GEMMAccumulators, _ target: UnsafeMutableRawPointer, _ rowStride: Int, isHalf: Bool, _ tileRows: Int,
        _ vectors: Int, _ scratch: UnsafeMutablePointer<Float>
    ) {
        let floats = isHalf ? scratch : target.assumingMemoryBound(to: Float.self)
        let stride = isHalf ? vectors * laneCount : rowStride
        for i in 0..<tileRows {
            for v in 0..<vectors { store(acc[i * vectors + v], floats + i * stride + v * laneCount) }
        }
        if isHalf {
            gemmRound(scratch, tileRows, vectors, target.assumingMemoryBound(to: UInt16.self), rowStride)
        }
    }

    @inline(always)
    private func add(
        _ source: UnsafeRawPointer, _ rowStride: Int, isHalf: Bool, _ tileRows: Int, _ vectors: Int,
        to acc: inout GEMMAccumulators
    ) {
        if isHalf {
            for i in 0..<tileRows {
                for v in 0..<vectors {
                    acc[i * vectors + v] += load(source, i * rowStride + v * laneCount, isHalf: true, part: 0)
                }
            }
        } else {
            for i in 0..<tileRows {
                for v in 0..<vectors {
                    acc[i * vectors + v] += load(source, i * rowStride + v * laneCount, isHalf: false, part: 0)
                }
            }
        }
    }
}

/// Rounds a tile to bfloat16. (From memory: rounding in registers would be much code for each of 24 vectors.)
@inline(never)
func gemmRound(
    _ tile: UnsafePointer<Float>, _ rows: Int, _ vectors: Int, _ target: UnsafeMutablePointer<UInt16>, _ rowStride: Int
) {
    for i in 0..<rows {
        for v in 0..<vectors {
            store(load(tile + (i * vectors + v) * laneCount), target + i * rowStride + v * laneCount)
        }
    }
}

/// The activation of a tile, in place.
///
/// - Parameter x: [rows, `columns` rounded up to whole vectors], without gaps.
@inline(never)
func gemmActivate(
    _ x: UnsafeMutablePointer<Float>, _ rows: Int, _ columns: Int, _ row: Int, _ column: Int,
    _ epilogue: UnsafePointer<ssf_gemm_epilogue>, _ slot: UnsafePointer<ssf_gemm_slot>
) {
    let target = GEMMTarget(epilogue: epilogue, slot: slot, row: row, column: column)
    let e = epilogue.pointee
    let width = roundedUpToLanes(columns)
    guard e.activation == 2, let input = target.geluInput else {
        return geluForward(count: rows * width, x: x, y: x)
    }
    let z = target.slot.pointee.scratch
    let scale = e.geluScale.map { $0 + target.column }
    let shift = e.geluShift.map { $0 + target.column }
    for i in 0..<rows {
        let source = input + i * e.geluInputRowStride * bytes(isHalf: e.geluInputIsHalf)
        let z = z + i * width
        var j = 0
        while j + laneCount <= columns {
            store(
                scaledAndShifted(
                    load(source, j, isHalf: e.geluInputIsHalf, part: 0), scale, shift, j, part: 0), z + j)
            j += laneCount
        }
        if j < columns {
            let part = columns - j
            store(
                scaledAndShifted(
                    load(source, j, isHalf: e.geluInputIsHalf, part: part), scale, shift, j, part: part), z + j)
        }
    }
    geluBackward(count: rows * width, dy: x, x: z, dx: x)
}

/// The epilogue from memory: only the rows and columns that belong to C, in loops of variable length. (One body for all
/// tiles: unrolled into each it would be several times the code of the product.)
///
/// - Parameter sums: [rows, `columns` rounded up to whole vectors].
@inline(never)
func gemmFinish(
    _ sums: UnsafeMutablePointer<Float>, _ rows: Int, _ columns: Int, _ row: Int, _ column: Int,
    _ epilogue: UnsafePointer<ssf_gemm_epilogue>, _ slot: UnsafePointer<ssf_gemm_slot>
) {
    let target = GEMMTarget(epilogue: epilogue, slot: slot, row: row, column: column)
    let e = epilogue.pointee
    let width = roundedUpToLanes(columns)
    let bias = e.bias.map { $0 + column }
    let scale = e.scale.map { $0 + column }
    let shift = e.shift.map { $0 + column }
    for i in 0..<rows {
        let sums = sums + i * width
        let kept = target.kept.map { $0 + i * e.keptRowStride * bytes(isHalf: e.keptIsHalf) }
        var j = 0
        while j < columns {
            let part = columns - j < laneCount ? columns - j : 0
            var x = load(sums + j)
            if let bias { x += load(bias + j, part: part) }
            if let kept { store(x, kept, j, isHalf: e.keptIsHalf, part: part) }
            store(scaledAndShifted(x, scale, shift, j, part: part), sums + j)
            j += laneCount
        }
    }
    if e.activation != 0 { gemmActivate(sums, rows, columns, row, column, epilogue, slot) }
    for i in 0..<rows {
        let sums = sums + i * width
        let c = target.c + i * e.cRowStride * bytes(isHalf: e.cIsHalf)
        let residual = target.residual.map { $0 + i * e.residualRowStride * bytes(isHalf: e.residualIsHalf) }
        var j = 0
        while j < columns {
            let part = columns - j < laneCount ? columns - j : 0
            var x = load(sums + j)
            if let rowScale = e.rowScale { x *= Lanes(repeating: rowScale[row + i]) }
            if let residual { x += load(residual, j, isHalf: e.residualIsHalf, part: part) }
            if e.accumulate { x += load(c, j, isHalf: e.cIsHalf, part: part) }
            store(x, c, j, isHalf: e.cIsHalf, part: part)
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
