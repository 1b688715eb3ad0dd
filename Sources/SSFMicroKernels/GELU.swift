/// y = x * Phi(x).
public func geluForward(count: Int, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>) {
    var i = 0
    while i + laneCount <= count {
        store(gelu(load(x + i)), y + i)
        i += laneCount
    }
    if i < count { store(gelu(load(x + i, first: count - i)), y + i, first: count - i) }
}

/// dx = dy * (Phi(x) + x * phi(x)).
public func geluBackward(
    count: Int, dy: UnsafePointer<Float>, x: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>
) {
    var i = 0
    while i + laneCount <= count {
        store(load(dy + i) * geluDerivative(load(x + i)), dx + i)
        i += laneCount
    }
    if i < count {
        let rest = count - i
        store(load(dy + i, first: rest) * geluDerivative(load(x + i, first: rest)), dx + i, first: rest)
    }
}

// What is computed is always the tail 1 - Phi(|x|), at most 1/2: on the left it is the distribution function itself, with
// its own relative accuracy, on the right it is taken from 1. No digit is lost on either side.

/// x Phi(x) = max(x, 0) - a (1 - Phi(a)) for a = |x|.
@inline(always)
func gelu(_ x: Lanes) -> Lanes {
    let a = boundedMagnitude(x)
    let normal = NormalTail(a)
    // a goes in before the power of two does, so that a denormal tail is rounded once.
    return maximum(x, Lanes.zero) - normal.gaussian.times(normal.mills * a)
}

/// Phi(x) + x phi(x): with h = (1 - Phi(a)) - a phi(a) it is h on the left and 1 - h on the right.
@inline(always)
func geluDerivative(_ x: Lanes) -> Lanes {
    let a = boundedMagnitude(x)
    let normal = NormalTail(a)
    // The density is the Gaussian times 1 / sqrt(2 pi).
    let factor = multiplySubtract(a, Lanes(repeating: 0.398_942_28), from: normal.mills)
    let h = normal.gaussian.times(factor)
    return select(negative: x, h, Lanes(repeating: 1) - h)
}

/// |x|, cut where the tail is zero anyway, so that an infinity meets no zero.
@inline(always)
private func boundedMagnitude(_ x: Lanes) -> Lanes {
    minimum(magnitude(x), normalBound())
}
