import CIntrinsics

/// y = exp(x - maximum) / sum of exp(x - maximum) in every row.
///
/// Every rounding but that of an exponential and of the result is made good: of x - maximum, of the sum, of its reciprocal.
/// Maximum, sum and reciprocal of a row wait for each other, so that a few rows go through each step together; they stay
/// in the first-level cache, hence plain passes beat one that rescales.
public func softmaxForward(rows: Int, columns: Int, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>) {
    let fitting = 1024 / columns
    let most = fitting < 1 ? 1 : (fitting < laneCount ? fitting : laneCount)
    var centers = zeroBlock()
    var totals = zeroBlock()
    var errors = zeroBlock()
    var first = 0
    while first < rows {
        let count = rows - first < most ? rows - first : most
        let x = x + first * columns
        let y = y + first * columns
        for row in 0..<count {
            centers[row] = Lanes(repeating: centerOfRow(maximumOfRow(columns, x + row * columns)))
        }
        for row in 0..<count {
            (totals[row], errors[row]) = preciseExponentialsOfRow(
                columns, x + row * columns, centers[row], y + row * columns, ahead: most * columns)
        }
        for row in 0..<count {
            let inverse = 1 / doubleSum(totals[row], errors[row])
            let upper = Float(inverse)
            totals[row] = Lanes(repeating: upper)
            errors[row] = Lanes(repeating: Float(inverse - Double(upper)))
        }
        for row in 0..<count { multiply(columns, y + row * columns, totals[row], errors[row]) }
        first += count
    }
}

/// y *= factor + rest.
@inline(always)
func multiply(_ count: Int, _ y: UnsafeMutablePointer<Float>, _ factor: Lanes, _ rest: Lanes) {
    var i = 0
    while i + laneCount <= count {
        let e = load(y + i, part: 0)
        store(multiplyAdd(e, factor, e * rest), y + i)
        i += laneCount
    }
    if i < count {
        let part = count - i
        let e = load(y + i, part: part)
        store(multiplyAdd(e, factor, e * rest), y + i, first: part)
    }
}

/// What is subtracted from a row before the exponential: the whole number at or below its greatest, which serves as well
/// because the factor between the two is in the sum too. From 2^22 on the numbers have hardly more bits than that.
@inline(always)
func centerOfRow(_ greatest: Float) -> Float {
    guard greatest.magnitude < 0x1p22 else { return greatest }
    let magic: Float = 12_582_912
    let nearest = (greatest + magic) - magic
    return nearest > greatest ? nearest - 1 : nearest
}

/// y = exp(x - center) within 1 ulp, and the sum of that in lanes: what was added up, and the rounding errors made in it.
///
/// - Parameter ahead: the distance of the rows that come after the next few, which are asked for meanwhile: the other
///   steps do not compute enough to wait for memory.
@inline(always)
func preciseExponentialsOfRow(
    _ count: Int, _ x: UnsafePointer<Float>, _ center: Lanes, _ y: UnsafeMutablePointer<Float>, ahead: Int
) -> (total: Lanes, error: Lanes) {
    guard center[0].magnitude < 0x1p28 else {
        // Neighbours are so far apart that a difference is exact, or its exponential 0.
        let sum = Lanes(repeating: exponentialsOfRow(count, x, center, y))
        return (keep(first: 1, of: sum, else: Lanes.zero), Lanes.zero)
    }
    // The exponential of what lies further below is 0.
    let low = center - Lanes(repeating: 104)
    var (total, error) = (Lanes.zero, Lanes.zero)
    var i = 0
    #if SSF_AVX512
        while i + 4 * laneCount <= count {
            prefetchVectors(4, x + ahead + i, y + ahead + i)
            let e = exponentials(FourLanes(x + i), minus: center, low)
            store(e.a, y + i)
            store(e.b, y + i + laneCount)
            store(e.c, y + i + 2 * laneCount)
            store(e.d, y + i + 3 * laneCount)
            addCompensated(added(added(e.a, e.b), added(e.c, e.d)), &total, &error)
            i += 4 * laneCount
        }
    #endif
    while i + 2 * laneCount <= count {
        prefetchVectors(2, x + ahead + i, y + ahead + i)
        let e = exponential(load(x + i), minus: center, low)
        let f = exponential(load(x + i + laneCount), minus: center, low)
        store(e, y + i)
        store(f, y + i + laneCount)
        addCompensated(added(e, f), &total, &error)
        i += 2 * laneCount
    }
    if i + laneCount <= count {
        let e = exponential(load(x + i), minus: center, low)
        store(e, y + i)
        addCompensated(e, &total, &error)
        i += laneCount
    }
    if i < count {
        let rest = count - i
        let f = exponential(load(x + i, first: rest), minus: center, low)
        store(f, y + i, first: rest)
        addCompensated(keep(first: rest, of: f, else: Lanes.zero), &total, &error)
    }
    return (total, error)
}

/// Asks for the lines of some vectors of x, to read, and of y, to write.
@inline(always)
private func prefetchVectors(_ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>) {
    var i = 0
    while i < count * laneCount {
        ssf_prefetch(x + i)
        ssf_prefetch_write(y + i)
        i += 16
    }
}

/// exp(x - center) for a whole number `center` not far below x, or x itself: the difference with the rounding error that
/// it makes. (Fast two-sum: exact for |x| <= |center|, and beyond because a whole number has no bits to lose.)
@inline(always)
private func exponential(_ x: Lanes, minus center: Lanes, _ low: Lanes) -> Lanes {
    let x = maximum(x, low)
    let difference = x - center
    let rest = x - (difference + center)
    return ExponentialParts(difference, rest: rest).times(Lanes(repeating: 1))
}

#if SSF_AVX512
    /// The same of four vectors in turn.
    @inline(always)
    func exponentials(_ x: FourLanes, minus center: Lanes, _ low: Lanes) -> FourLanes {
        let x = maximum(x, low)
        let difference = x - center
        let magic = Lanes(repeating: 12_582_912)
        let n = multiplyAdd(difference, Lanes(repeating: 1.442_695_04), magic) - magic
        let rest = x - (difference + center)
        var r = multiplyAdd(n, Lanes(repeating: -0.693_145_751_953_125), difference)
        r = multiplyAdd(n, Lanes(repeating: -1.428_606_8e-6), r) + rest
        let square = r * r
        var q = multiplyAdd(r, Lanes(repeating: 0.001_381_453_8), Lanes(repeating: 0.008_368_745_4))
        q = multiplyAdd(q, r, Lanes(repeating: 0.041_668_389))
        q = multiplyAdd(q, r, Lanes(repeating: 0.166_665_21))
        q = multiplyAdd(q, r, Lanes(repeating: 0.499_999_94))
        let e = multiplyAdd(q, square, r) + Lanes(repeating: 1)
        return FourLanes(
            scaled(e.a, byPowerOfTwo: n.a), scaled(e.b, byPowerOfTwo: n.b), scaled(e.c, byPowerOfTwo: n.c),
            scaled(e.d, byPowerOfTwo: n.d))
    }
#endif

/// total += x, and the rounding error of that goes to `error`: exact where the total was the greater of the two, and
/// nearly so where it was not.
@inline(always)
private func addCompensated(_ x: Lanes, _ total: inout Lanes, _ error: inout Lanes) {
    let sum = added(total, x)
    error = added(error, subtracted(x, subtracted(sum, total)))
    total = sum
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
