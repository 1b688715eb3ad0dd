/// out = a * b + c, or a * b without c; out may be any of them.
public func multiplyAdd(
    count: Int, a: UnsafePointer<Float>, b: UnsafePointer<Float>, c: UnsafePointer<Float>?,
    out: UnsafeMutablePointer<Float>
) {
    var i = 0
    while i < count {
        let part = count - i < laneCount ? count - i : 0
        let (x, y) = (load(a + i, part: part), load(b + i, part: part))
        if let c {
            store(multiplyAdd(x, y, load(c + i, part: part)), out + i, part: part)
        } else {
            store(x * y, out + i, part: part)
        }
        i += laneCount
    }
}

/// out = a + b; out may be either.
public func add(
    count: Int, a: UnsafePointer<Float>, b: UnsafePointer<Float>, out: UnsafeMutablePointer<Float>
) {
    var i = 0
    while i + laneCount <= count {
        store(load(a + i) + load(b + i), out + i)
        i += laneCount
    }
    if i < count {
        let rest = count - i
        store(load(a + i, first: rest) + load(b + i, first: rest), out + i, first: rest)
    }
}

/// y = value.
public func fill(count: Int, value: Float, y: UnsafeMutablePointer<Float>) {
    let values = Lanes(repeating: value)
    var i = 0
    while i + laneCount <= count {
        store(values, y + i)
        i += laneCount
    }
    if i < count { store(values, y + i, first: count - i) }
}

/// y (+)= factor * rowScale[row] * x for rows at strides of their own; without rowScale y (+)= factor * x.
public func scaleRows(
    rows: Int, channels: Int, x: UnsafePointer<Float>, xRowStride: Int, factor: Float,
    rowScale: UnsafePointer<Float>?, y: UnsafeMutablePointer<Float>, yRowStride: Int, accumulate: Bool
) {
    for row in 0..<rows {
        let x = x + row * xRowStride
        let y = y + row * yRowStride
        var scale = Lanes(repeating: factor)
        if let rowScale { scale = Lanes(repeating: factor * rowScale[row]) }
        var i = 0
        while i < channels {
            let part = channels - i < laneCount ? channels - i : 0
            let value = load(x + i, part: part)
            store(
                accumulate ? multiplyAdd(value, scale, load(y + i, part: part)) : value * scale, y + i, part: part)
            i += laneCount
        }
    }
}

/// The sum of the squares, in double precision from the squares on.
public func sumOfSquares(count: Int, x: UnsafePointer<Float>) -> Double {
    // Two vectors of doubles hide the latency of the addition; lanes are widened one by one, which becomes one
    // instruction.
    var (a, b) = (SIMD8<Double>.zero, SIMD8<Double>.zero)
    var i = 0
    while i + 16 <= count {
        var (c, d) = (SIMD8<Double>.zero, SIMD8<Double>.zero)
        for lane in 0..<8 {
            c[lane] = Double(x[i + lane])
            d[lane] = Double(x[i + 8 + lane])
        }
        a += c * c
        b += d * d
        i += 16
    }
    a += b
    var total = 0.0
    for lane in 0..<8 { total += a[lane] }
    while i < count {
        total += Double(x[i]) * Double(x[i])
        i += 1
    }
    return total
}

/// Whether no element is infinite or NaN.
public func isFinite(count: Int, x: UnsafePointer<Float>) -> Bool {
    // 0 * x is 0 for every finite x and NaN for every other, and a NaN stays in the sum.
    var total = Lanes.zero
    var i = 0
    while i + laneCount <= count {
        total = multiplyAdd(load(x + i), Lanes.zero, total)
        i += laneCount
    }
    if i < count { total = multiplyAdd(load(x + i, first: count - i), Lanes.zero, total) }
    return sum(total) == 0
}
