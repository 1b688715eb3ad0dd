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

@inline(always)
func gelu(_ x: Lanes) -> Lanes {
    let bounded = boundedForTail(x)
    let normal = NormalTail(magnitude(bounded))
    // x goes in before the power of two does, so that a denormal tail is rounded once.
    let product = normal.gaussian.times(normal.mills * bounded)
    return select(negative: x, product, x - product)
}

/// x, cut where the tail is zero anyway, so that an infinity meets no zero.
@inline(always)
private func boundedForTail(_ x: Lanes) -> Lanes {
    let cut = x.replacing(with: -normalBound(), where: x .< -normalBound())
    return cut.replacing(with: normalBound(), where: cut .> normalBound())
}

@inline(always)
func geluDerivative(_ x: Lanes) -> Lanes {
    let bounded = boundedForTail(x)
    let normal = NormalTail(magnitude(bounded))
    let tail = normal.probability
    let distribution = select(negative: x, tail, Lanes(repeating: 1) - tail)
    return multiplyAdd(bounded, normal.density, distribution)
}
