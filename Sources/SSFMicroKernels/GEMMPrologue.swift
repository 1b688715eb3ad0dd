import CIntrinsics

// Packing A with something applied to it on the way: what would otherwise be a pass over memory of its own is a few
// operations on numbers that are in registers anyway.

/// Packs rows `row ..< row + rows` and steps `first ..< first + steps` of a row-major A as `gemmPackRows` does, through a prologue.
///
/// - Parameters:
///   - mean, reciprocalDeviation: of the layer normalisation, [rows]: of these rows, by `layerNormStatistics`.
///   - scaleSums, shiftSums: of the gradient, [k]: receive += g h and += g of these rows, where they are there.
package func gemmPackWithPrologue(
    rows: Int, packedRows: Int, row: Int, first: Int, steps: Int, prologue: UnsafePointer<ssf_gemm_prologue>,
    mean: UnsafePointer<Float>?, reciprocalDeviation: UnsafePointer<Float>?, scaleSums: UnsafeMutablePointer<Float>?,
    shiftSums: UnsafeMutablePointer<Float>?, packed: UnsafeMutableRawPointer
) {
    let packed = packed.assumingMemoryBound(to: Float.self)
    let e = prologue.pointee
    let a = e.a + row * e.rowStride + first
    for i in 0..<rows {
        let source = GEMMSourceRow(
            a: a + i * e.rowStride, scale: e.scale.map { $0 + first }, shift: e.shift.map { $0 + first },
            h: e.h.map { $0 + (row + i) * e.hRowStride + first },
            subtrahend: e.subtrahend.map { $0 + (row + i) * e.hRowStride + first },
            scaleSums: scaleSums.map { $0 + first },
            shiftSums: shiftSums.map { $0 + first })
        let target = packed + i * gemmStepsPerBlock
        switch e.kind {
        case 1:
            if let mean, let reciprocalDeviation {
                source.pack(steps, packedRows, target, mean[i], reciprocalDeviation[i], kind: 1)
            }
        case 2: source.pack(steps, packedRows, target, 0, 0, kind: 2)
        default: source.pack(steps, packedRows, target, e.rowScale.map { $0[row + i] } ?? 1, 0, kind: 3)
        }
    }
    gemmPackZeroRows(rows, packedRows, steps, packed)
}

/// One row of A on its way into the packed layout, every pointer at its first step.
struct GEMMSourceRow {
    let a: UnsafePointer<Float>
    let scale: UnsafePointer<Float>?
    let shift: UnsafePointer<Float>?
    let h: UnsafePointer<Float>?
    let subtrahend: UnsafePointer<Float>?
    let scaleSums: UnsafeMutablePointer<Float>?
    let shiftSums: UnsafeMutablePointer<Float>?

    /// - Parameters:
    ///   - packed: step p of the row goes to `packed[p / 16 * packedRows * 16 + p % 16]`.
    ///   - x, y: mean and reciprocal deviation of the normalisation; the row's factor in the gradient, and nothing.
    ///   - kind: a constant, as `ssf_gemm_prologue` numbers them.
    @inline(always)
    func pack(
        _ steps: Int, _ packedRows: Int, _ packed: UnsafeMutablePointer<Float>, _ x: Float, _ y: Float, kind: Int
    ) {
        let (x, y) = (Lanes(repeating: x), Lanes(repeating: y))
        let block = gemmStepsPerBlock
        var target = packed
        var p = 0
        while p + block <= steps {
            var lane = 0
            while lane < block {
                store(element(p + lane, x, y, part: 0, kind: kind), target + lane)
                lane += laneCount
            }
            target += packedRows * block
            p += block
        }
        while p < steps {
            let left = steps - p
            let part = left < laneCount ? left : 0
            store(element(p, x, y, part: part, kind: kind), target + p % block, part: part)
            p += laneCount
        }
    }

    @inline(always)
    func element(_ p: Int, _ x: Lanes, _ y: Lanes, part: Int, kind: Int) -> Lanes {
        let value = load(a + p, part: part)
        if kind == 1 { return normalized(value, x, y, scale, shift, p, part: part) }
        if kind == 2 { return gelu(scaledAndShifted(value, scale, shift, p, part: part)) }
        let g = value * x
        if let scaleSums, let h {
            let sums = load(scaleSums + p, part: part)
            if let subtrahend {
                let difference = load(h + p, part: part) - load(subtrahend + p, part: part)
                store(multiplyAdd(value, difference, sums), scaleSums + p, part: part)
            } else {
                store(multiplyAdd(g, load(h + p, part: part), sums), scaleSums + p, part: part)
            }
        }
        if let shiftSums { store(load(shiftSums + p, part: part) + g, shiftSums + p, part: part) }
        if let scale { return g * load(scale + p, part: part) }
        return g
    }
}
