import CIntrinsics

@inline(always)
func lanesBelow(_ x: Lanes, _ y: Lanes) -> UInt32 {
    #if SSF_AVX512
        ssf_lanes_below16(x, y)
    #elseif SSF_AVX2
        ssf_lanes_below8(x, y)
    #else
        ssf_lanes_below4(x, y)
    #endif
}

/// Appends the values below a threshold, with their places, in order.
///
/// - Parameters:
///   - firstIndex: of the first value.
///   - kept, keptIndices: room for `count` more.
/// - Returns: how many were appended.
public func appendBelow(
    count: Int, values: UnsafePointer<Float>, threshold: Float, firstIndex: Int32,
    kept: UnsafeMutablePointer<Float>, keptIndices: UnsafeMutablePointer<Int32>
) -> Int {
    let limit = Lanes(repeating: threshold)
    var n = 0
    var i = 0
    while i + laneCount <= count {
        var mask = lanesBelow(load(values + i), limit)
        while mask != 0 {
            let lane = mask.trailingZeroBitCount
            kept[n] = values[i + lane]
            keptIndices[n] = firstIndex &+ Int32(truncatingIfNeeded: i + lane)
            n += 1
            mask &= mask &- 1
        }
        i += laneCount
    }
    while i < count {
        if values[i] < threshold {
            kept[n] = values[i]
            keptIndices[n] = firstIndex &+ Int32(truncatingIfNeeded: i)
            n += 1
        }
        i += 1
    }
    return n
}

/// |x - y|^2 in double precision: the differences of floats are exact there, squares and sums are rounded.
public func squaredDistance(count: Int, x: UnsafePointer<Float>, y: UnsafePointer<Float>) -> Double {
    // As in `sumOfSquares`: two vectors of doubles, lanes widened one by one, which becomes one instruction.
    var (a, b) = (SIMD8<Double>.zero, SIMD8<Double>.zero)
    var i = 0
    while i + 16 <= count {
        var (c, d) = (SIMD8<Double>.zero, SIMD8<Double>.zero)
        var (e, f) = (SIMD8<Double>.zero, SIMD8<Double>.zero)
        for lane in 0..<8 {
            c[lane] = Double(x[i + lane])
            d[lane] = Double(x[i + 8 + lane])
            e[lane] = Double(y[i + lane])
            f[lane] = Double(y[i + 8 + lane])
        }
        c -= e
        d -= f
        a += c * c
        b += d * d
        i += 16
    }
    a += b
    var total = 0.0
    for lane in 0..<8 { total += a[lane] }
    while i < count {
        let difference = Double(x[i]) - Double(y[i])
        total += difference * difference
        i += 1
    }
    return total
}
