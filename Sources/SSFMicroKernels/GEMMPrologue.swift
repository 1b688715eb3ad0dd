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
    let a = e.a + (row * e.rowStride + first) * bytes(isHalf: e.aIsHalf)
    for i in 0..<rows {
        let source = GEMMSourceRow(
            a: a + i * e.rowStride * bytes(isHalf: e.aIsHalf), aIsHalf: e.aIsHalf, rounds: e.rounds,
            scale: e.scale.map { $0 + first }, shift: e.shift.map { $0 + first },
            h: e.h.map { $0 + ((row + i) * e.hRowStride + first) * bytes(isHalf: e.hIsHalf) }, hIsHalf: e.hIsHalf,
            subtrahend: e.subtrahend.map {
                $0 + ((row + i) * e.hRowStride + first) * bytes(isHalf: e.subtrahendIsHalf)
            }, subtrahendIsHalf: e.subtrahendIsHalf,
            scaleSums: scaleSums.map { $0 + first }, shiftSums: shiftSums.map { $0 + first })
        let target = packed + i * gemmStepsPerBlock
        switch e.kind {
        case 1:
            if let mean, let reciprocalDeviation {
                gemmPackNormalized(source, steps, packedRows, target, mean[i], reciprocalDeviation[i])
            }
        case 2: gemmPackActivated(source, steps, packedRows, target)
        default: gemmPackGradient(source, steps, packedRows, target, e.rowScale.map { $0[row + i] } ?? 1)
        }
    }
    gemmPackZeroRows(rows, packedRows, steps, packed)
}

// Each a function of its own, because what the compiler finds in too large a function it no longer inlines.

@inline(never)
func gemmPackCopied(
    _ source: GEMMSourceRow, _ steps: Int, _ packedRows: Int, _ packed: UnsafeMutablePointer<Float>
) {
    source.pack(steps, packedRows, packed, 0, 0, kind: 0)
}

@inline(never)
func gemmPackNormalized(
    _ source: GEMMSourceRow, _ steps: Int, _ packedRows: Int, _ packed: UnsafeMutablePointer<Float>, _ mean: Float,
    _ reciprocalDeviation: Float
) {
    source.pack(steps, packedRows, packed, mean, reciprocalDeviation, kind: 1)
}

@inline(never)
func gemmPackActivated(
    _ source: GEMMSourceRow, _ steps: Int, _ packedRows: Int, _ packed: UnsafeMutablePointer<Float>
) {
    source.pack(steps, packedRows, packed, 0, 0, kind: 2)
}

@inline(never)
func gemmPackGradient(
    _ source: GEMMSourceRow, _ steps: Int, _ packedRows: Int, _ packed: UnsafeMutablePointer<Float>, _ factor: Float
) {
    source.pack(steps, packedRows, packed, factor, 0, kind: 3)
}

/// One row of A on its way into the packed layout, every pointer at its first step.
struct GEMMSourceRow {
    let a: UnsafeRawPointer
    let aIsHalf: Bool
    let rounds: Bool
    var scale: UnsafePointer<Float>?
    var shift: UnsafePointer<Float>?
    var h: UnsafeRawPointer?
    var hIsHalf = false
    var subtrahend: UnsafeRawPointer?
    var subtrahendIsHalf = false
    var scaleSums: UnsafeMutablePointer<Float>?
    var shiftSums: UnsafeMutablePointer<Float>?

    /// - Parameters:
    ///   - packed: packed element p of the row goes to `packed[p / 16 * packedRows * 16 + p % 16]`.
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
        #if SSF_AVX512BF16
            // Two vectors of steps are one of pairs.
            while p + 2 * block <= steps {
                let low = element(p, x, y, part: 0, kind: kind)
                store(roundedNeighbours(low, element(p + block, x, y, part: 0, kind: kind)), target)
                target += packedRows * block
                p += 2 * block
            }
            if p < steps {
                let low = steps - p
                let high = low - block
                store(
                    roundedNeighbours(
                        low < block ? zeroFilled(p, x, y, low, kind: kind) : element(p, x, y, part: 0, kind: kind),
                        high > 0 ? zeroFilled(p + block, x, y, high, kind: kind) : Lanes()), target)
            }
        #else
            while p + block <= steps {
                var lane = 0
                while lane < block {
                    store(packedElement(p + lane, x, y, part: 0, kind: kind), target + lane)
                    lane += laneCount
                }
                target += packedRows * block
                p += block
            }
            while p < steps {
                let left = steps - p
                let part = left < laneCount ? left : 0
                store(packedElement(p, x, y, part: part, kind: kind), target + p % block, part: part)
                p += laneCount
            }
        #endif
    }

    @inline(always)
    func packedElement(_ p: Int, _ x: Lanes, _ y: Lanes, part: Int, kind: Int) -> Lanes {
        let value = element(p, x, y, part: part, kind: kind)
        return rounds ? roundedToHalf(value) : value
    }

    /// The last `part` elements, fewer than a vector, and zeros: what a prologue makes of nothing need not be zero.
    @inline(always)
    func zeroFilled(_ p: Int, _ x: Lanes, _ y: Lanes, _ part: Int, kind: Int) -> Lanes {
        keep(first: part, of: element(p, x, y, part: part, kind: kind), else: Lanes())
    }

    @inline(always)
    func element(_ p: Int, _ x: Lanes, _ y: Lanes, part: Int, kind: Int) -> Lanes {
        let value = load(a, p, isHalf: aIsHalf, part: part)
        if kind == 0 { return value }
        if kind == 1 { return normalized(value, x, y, scale, shift, p, part: part) }
        if kind == 2 { return gelu(scaledAndShifted(value, scale, shift, p, part: part)) }
        let g = value * x
        if let scaleSums, let h {
            let sums = load(scaleSums + p, part: part)
            let scaled = load(h, p, isHalf: hIsHalf, part: part)
            if let subtrahend {
                let difference = scaled - load(subtrahend, p, isHalf: subtrahendIsHalf, part: part)
                store(multiplyAdd(value, difference, sums), scaleSums + p, part: part)
            } else {
                store(multiplyAdd(g, scaled, sums), scaleSums + p, part: part)
            }
        }
        if let shiftSums { store(load(shiftSums + p, part: part) + g, shiftSums + p, part: part) }
        if let scale { return g * load(scale + p, part: part) }
        return g
    }
}
