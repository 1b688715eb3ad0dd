// The epilogue of a tile, twice: in registers for a whole tile, by way of memory for one at an edge. Both do the same
// operations on an element in the same order, so that its bits do not depend on where the tiles fall.

extension GEMMTile {
    /// The accumulators stay in registers; each operand that is absent costs a branch.
    @inline(__always)
    func finishWhole(_ product: GEMMAccumulators, _ tileRows: Int, _ vectors: Int) {
        var acc = product
        if let bias {
            for v in 0..<vectors {
                let x = load(bias + v * laneCount)
                for i in 0..<tileRows { acc[i * vectors + v] += x }
            }
        }
        if let kept {
            for i in 0..<tileRows {
                for v in 0..<vectors { store(acc[i * vectors + v], kept + i * keptRowStride + v * laneCount) }
            }
        }
        if let scale {
            for v in 0..<vectors {
                let x = load(scale + v * laneCount)
                for i in 0..<tileRows { acc[i * vectors + v] *= x }
            }
        }
        if let shift {
            for v in 0..<vectors {
                let x = load(shift + v * laneCount)
                for i in 0..<tileRows { acc[i * vectors + v] += x }
            }
        }
        if let rowScale {
            for i in 0..<tileRows {
                let x = Lanes(repeating: rowScale[i])
                for v in 0..<vectors { acc[i * vectors + v] *= x }
            }
        }
        if let residual {
            for i in 0..<tileRows {
                for v in 0..<vectors {
                    acc[i * vectors + v] += load(residual + i * residualRowStride + v * laneCount)
                }
            }
        }
        if accumulate {
            for i in 0..<tileRows {
                for v in 0..<vectors { acc[i * vectors + v] += load(c + i * cRowStride + v * laneCount) }
            }
        }
        for i in 0..<tileRows {
            for v in 0..<vectors { store(acc[i * vectors + v], c + i * cRowStride + v * laneCount) }
        }
    }

    /// From `partial`, only the rows and columns that belong to C, in loops of variable length: unrolled ones would be
    /// several times the code of the product.
    @inline(__always)
    func finishEdge(_ tileRows: Int, _ vectors: Int) {
        for i in 0..<rows {
            for v in 0..<vectors {
                let j = v * laneCount
                finish(load(partial + (i * vectors + v) * laneCount), i, j, lanes: min(columns - j, laneCount))
            }
        }
    }

    /// One vector of the tile: `lanes` elements of row i from column j.
    @inline(__always)
    func finish(_ product: Lanes, _ i: Int, _ j: Int, lanes: Int) {
        var x = product
        if let bias { x += part(bias + j, lanes) }
        if let kept { put(x, kept + i * keptRowStride + j, lanes) }
        if let scale { x *= part(scale + j, lanes) }
        if let shift { x += part(shift + j, lanes) }
        if let rowScale { x *= Lanes(repeating: rowScale[i]) }
        if let residual { x += part(residual + i * residualRowStride + j, lanes) }
        if accumulate { x += part(c + i * cRowStride + j, lanes) }
        put(x, c + i * cRowStride + j, lanes)
    }

    @inline(__always)
    func part(_ source: UnsafePointer<Float>, _ lanes: Int) -> Lanes {
        lanes == laneCount ? load(source) : load(source, first: lanes)
    }

    @inline(__always)
    func put(_ x: Lanes, _ target: UnsafeMutablePointer<Float>, _ lanes: Int) {
        if lanes == laneCount { store(x, target) } else { store(x, target, first: lanes) }
    }
}
