/// y = x * Phi(x).
///
/// - Parameter streaming: whether y goes past the caches; its address is then a multiple of a vector's size.
public func geluForward(count: Int, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, streaming: Bool = false) {
    var i = 0
    #if SSF_AVX512
        while i + 4 * laneCount <= count {
            let values = geluOfFour(x + i)
            store(values.a, y + i, part: 0, streaming: streaming)
            store(values.b, y + i + laneCount, part: 0, streaming: streaming)
            store(values.c, y + i + 2 * laneCount, part: 0, streaming: streaming)
            store(values.d, y + i + 3 * laneCount, part: 0, streaming: streaming)
            i += 4 * laneCount
        }
    #endif
    while i + laneCount <= count {
        store(gelu(load(x + i)), y + i, part: 0, streaming: streaming)
        i += laneCount
    }
    if i < count { store(gelu(load(x + i, first: count - i)), y + i, first: count - i) }
    if streaming { finishStreaming() }
}

/// dx = dy * (Phi(x) + x * phi(x)).
///
/// - Parameter streaming: as in ``geluForward(count:x:y:streaming:)``, for dx.
public func geluBackward(
    count: Int, dy: UnsafePointer<Float>, x: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
    streaming: Bool = false
) {
    var i = 0
    #if SSF_AVX512
        while i + 4 * laneCount <= count {
            let values = geluDerivativeOfFour(x + i) * FourLanes(dy + i)
            store(values.a, dx + i, part: 0, streaming: streaming)
            store(values.b, dx + i + laneCount, part: 0, streaming: streaming)
            store(values.c, dx + i + 2 * laneCount, part: 0, streaming: streaming)
            store(values.d, dx + i + 3 * laneCount, part: 0, streaming: streaming)
            i += 4 * laneCount
        }
    #endif
    while i + laneCount <= count {
        store(load(dy + i) * geluDerivative(load(x + i)), dx + i, part: 0, streaming: streaming)
        i += laneCount
    }
    if i < count {
        let rest = count - i
        store(load(dy + i, first: rest) * geluDerivative(load(x + i, first: rest)), dx + i, first: rest)
    }
    if streaming { finishStreaming() }
}

// What is computed is always the tail 1 - Phi(|x|), at most 1/2: on the left it is the distribution function itself, with
// its own relative accuracy, on the right it is taken from 1. No digit is lost on either side.

/// x Phi(x) = max(x, 0) - a (1 - Phi(a)) for a = |x|.
@inline(always)
func gelu(_ x: Lanes) -> Lanes {
    let tail = scaledTailTimesArgument(boundedMagnitude(x))
    return multiplySubtract(tail, tailUnit, from: maximum(x, Lanes.zero))
}

/// Phi(x) + x phi(x): with h = (1 - Phi(a)) - a phi(a) it is h on the left and 1 - h on the right.
@inline(always)
func geluDerivative(_ x: Lanes) -> Lanes {
    let a = boundedMagnitude(x)
    return geluDerivative(x, a, scaledSlope(a))
}

/// The derivative from a = |x| and `slope`, 2^64 h.
@inline(always)
func geluDerivative(_ x: Lanes, _ a: Lanes, _ slope: Lanes) -> Lanes {
    let unit = select(negative: x, -tailUnit, tailUnit)
    let base = select(negative: x, Lanes.zero, Lanes(repeating: 1))
    // Zero times a brings a NaN back, which the slope may have lost.
    return multiplySubtract(slope, unit, from: multiplyAdd(a, Lanes.zero, base))
}

// MARK: - Four vectors at a time

#if SSF_AVX512

    /// x Phi(x) of 64 numbers: the same operations as ``gelu(_:)``, to the bit.
    @inline(always)
    func geluOfFour(_ address: UnsafePointer<Float>) -> FourLanes {
        let x = FourLanes(address)
        let tail = gaussian(
            boundedMagnitude(x), TailTable.center, TailTable.c5, TailTable.c4, TailTable.c3, TailTable.c2, TailTable.c1,
            TailTable.c0)
        return FourLanes(
            multiplySubtract(tail.a, tailUnit, from: maximum(x.a, Lanes.zero)),
            multiplySubtract(tail.b, tailUnit, from: maximum(x.b, Lanes.zero)),
            multiplySubtract(tail.c, tailUnit, from: maximum(x.c, Lanes.zero)),
            multiplySubtract(tail.d, tailUnit, from: maximum(x.d, Lanes.zero)))
    }

    /// The derivative of 64 numbers: the same operations as ``geluDerivative(_:)``, to the bit.
    @inline(always)
    func geluDerivativeOfFour(_ address: UnsafePointer<Float>) -> FourLanes {
        let x = FourLanes(address)
        let a = boundedMagnitude(x)
        let slope = gaussian(
            a, SlopeTable.center, SlopeTable.c5, SlopeTable.c4, SlopeTable.c3, SlopeTable.c2, SlopeTable.c1,
            SlopeTable.c0)
        return FourLanes(
            geluDerivative(x.a, a.a, slope.a), geluDerivative(x.b, a.b, slope.b), geluDerivative(x.c, a.c, slope.c),
            geluDerivative(x.d, a.d, slope.d))
    }

    /// exp(-a^2 / 2) times a polynomial of every lane's piece: the steps of ``Gaussian`` and those of the polynomial in
    /// turn, two chains in each of the four vectors.
    @inline(always)
    func gaussian(
        _ a: FourLanes, _ center: Lanes, _ c5: Lanes, _ c4: Lanes, _ c3: Lanes, _ c2: Lanes, _ c1: Lanes, _ c0: Lanes
    ) -> FourLanes {
        let square = a * a
        let piece = normalPieces(a)
        let magic = Lanes(repeating: 12_582_912)
        let shifted = multiplyAdd(square, Lanes(repeating: -0.721_347_52), magic)
        let u = a - lookUp(center, piece)
        let n = shifted - magic
        let minusRest = multiplySubtract(a, a, from: square)
        var p = multiplyAdd(lookUp(c5, piece), u, lookUp(c4, piece))
        var r = multiplyAdd(n, Lanes(repeating: 1.386_291_503_906_25), square)
        p = multiplyAdd(p, u, lookUp(c3, piece))
        r = multiplyAdd(n, Lanes(repeating: 2.857_213_5e-6), r) - minusRest
        p = multiplyAdd(p, u, lookUp(c2, piece))
        var q = multiplyAdd(r, Lanes(repeating: 0.001_381_453_8 / 64), Lanes(repeating: -0.008_368_745_4 / 32))
        p = multiplyAdd(p, u, lookUp(c1, piece))
        q = multiplyAdd(q, r, Lanes(repeating: 0.041_668_389 / 16))
        p = multiplyAdd(p, u, lookUp(c0, piece))
        q = multiplyAdd(q, r, Lanes(repeating: -0.166_665_21 / 8))
        q = multiplyAdd(q, r, Lanes(repeating: 0.499_999_94 / 4))
        q = multiplyAdd(q, r, Lanes(repeating: -0.5)) * r
        return addingExponent(shifted, to: multiplyAdd(p, q, p))
    }

#endif
