/// y = exp(x - maximum) / sum of exp(x - maximum) in every row.
///
/// A row of a few hundred columns stays in the first-level cache, so that three plain passes beat one that rescales.
public func softmaxForward(rows: Int, columns: Int, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>) {
    for row in 0..<rows {
        let x = x + row * columns
        let y = y + row * columns
        let greatest = Lanes(repeating: maximumOfRow(columns, x))
        let factor = Lanes(repeating: 1 / exponentialsOfRow(columns, x, greatest, y))
        var i = 0
        while i + laneCount <= columns {
            store(load(y + i, part: 0) * factor, y + i)
            i += laneCount
        }
        if i < columns {
            let rest = columns - i
            store(load(y + i, part: rest) * factor, y + i, first: rest)
        }
    }
}

/// dx = y * (dy - sum of dy y) in every row; dx may be dy.
public func softmaxBackward(
    rows: Int, columns: Int, dy: UnsafePointer<Float>, y: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>
) {
    for row in 0..<rows {
        let dy = dy + row * columns
        let y = y + row * columns
        let dx = dx + row * columns
        var (a, b) = (Lanes.zero, Lanes.zero)
        var i = 0
        while i + 2 * laneCount <= columns {
            a = multiplyAdd(load(dy + i), load(y + i), a)
            b = multiplyAdd(load(dy + i + laneCount), load(y + i + laneCount), b)
            i += 2 * laneCount
        }
        if i + laneCount <= columns {
            a = multiplyAdd(load(dy + i), load(y + i), a)
            i += laneCount
        }
        if i < columns {
            let rest = columns - i
            b = multiplyAdd(load(dy + i, first: rest), load(y + i, first: rest), b)
        }
        let total = Lanes(repeating: sum(a + b))
        i = 0
        while i + laneCount <= columns {
            store((load(dy + i) - total) * load(y + i), dx + i)
            i += laneCount
        }
        if i < columns {
            let rest = columns - i
            store((load(dy + i, first: rest) - total) * load(y + i, first: rest), dx + i, first: rest)
        }
    }
}

/// The greatest number of a row; a NaN is passed over (the exponentials carry it on).
@inline(always)
func maximumOfRow(_ count: Int, _ x: UnsafePointer<Float>) -> Float {
    var a = Lanes(repeating: -.infinity)
    var b = a
    var i = 0
    while i + 2 * laneCount <= count {
        a = maximum(a, load(x + i))
        b = maximum(b, load(x + i + laneCount))
        i += 2 * laneCount
    }
    if i + laneCount <= count {
        a = maximum(a, load(x + i))
        i += laneCount
    }
    if i < count {
        let rest = count - i
        b = maximum(b, keep(first: rest, of: load(x + i, first: rest), else: b))
    }
    return maximum(maximum(a, b))
}

/// y = exp(x - greatest), written only where y is present, and the sum of that.
@inline(always)
func exponentialsOfRow(
    _ count: Int, _ x: UnsafePointer<Float>, _ greatest: Lanes, _ y: UnsafeMutablePointer<Float>?
) -> Float {
    var (a, b) = (Lanes.zero, Lanes.zero)
    var i = 0
    while i + 2 * laneCount <= count {
        let e = exponentialOfNegative(load(x + i) - greatest)
        let f = exponentialOfNegative(load(x + i + laneCount) - greatest)
        if let y {
            store(e, y + i)
            store(f, y + i + laneCount)
        }
        a += e
        b += f
        i += 2 * laneCount
    }
    if i + laneCount <= count {
        let e = exponentialOfNegative(load(x + i) - greatest)
        if let y { store(e, y + i) }
        a += e
        i += laneCount
    }
    if i < count {
        let rest = count - i
        let f = exponentialOfNegative(load(x + i, first: rest) - greatest)
        if let y { store(f, y + i, first: rest) }
        b += keep(first: rest, of: f, else: Lanes.zero)
    }
    return sum(a + b)
}
