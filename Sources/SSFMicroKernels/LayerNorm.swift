import CIntrinsics

/// y = (x - mean) / sqrt(variance + epsilon) * weight + bias for every row; writes mean and 1 / sqrt(...) of every row.
///
/// - Parameter streaming: whether y goes past the caches; every row of it then begins at a multiple of a vector's size.
public func layerNormForward(
    rows: Int, channels: Int, x: UnsafePointer<Float>, weight: UnsafePointer<Float>?, bias: UnsafePointer<Float>?,
    epsilon: Float, y: UnsafeMutablePointer<Float>, mean: UnsafeMutablePointer<Float>,
    reciprocalDeviation: UnsafeMutablePointer<Float>, streaming: Bool
) {
    for row in 0..<rows {
        let x = x + row * channels
        let y = y + row * channels
        let (center, reciprocal) = statisticsOfRow(channels, x, epsilon)
        mean[row] = center
        reciprocalDeviation[row] = reciprocal

        let centers = Lanes(repeating: center)
        let reciprocals = Lanes(repeating: reciprocal)
        var i = 0
        while i + laneCount <= channels {
            store(
                normalized(load(x + i), centers, reciprocals, weight, bias, i, part: 0), y + i, part: 0,
                streaming: streaming)
            i += laneCount
        }
        if i < channels {
            let part = channels - i
            store(
                normalized(load(x + i, part: part), centers, reciprocals, weight, bias, i, part: part), y + i,
                part: part)
        }
    }
    if streaming { finishStreaming() }
}

/// Mean and 1 / sqrt(variance + epsilon) of every row, the same bits as `layerNormForward` finds.
public func layerNormStatistics(
    rows: Int, channels: Int, x: UnsafePointer<Float>, rowStride: Int, epsilon: Float,
    mean: UnsafeMutablePointer<Float>, reciprocalDeviation: UnsafeMutablePointer<Float>
) {
    for row in 0..<rows {
        (mean[row], reciprocalDeviation[row]) = statisticsOfRow(channels, x + row * rowStride, epsilon)
    }
}

/// Mean and 1 / sqrt(variance + epsilon) of one row: two exact passes over a row that stays in the first-level cache, the
/// mean, then the squares of the differences. The second pass asks for the row behind this one.
@inline(always)
func statisticsOfRow(_ channels: Int, _ x: UnsafePointer<Float>, _ epsilon: Float) -> (Float, Float) {
    let center = sumOfRow(channels, x) / Float(channels)
    let variance = sumOfSquaredDifferences(channels, x, center) / Float(channels)
    return (center, 1 / squareRoot(variance + epsilon))
}

/// (x - center) * reciprocal * weight + bias, of the channels from i.
@inline(always)
func normalized(
    _ x: Lanes, _ centers: Lanes, _ reciprocals: Lanes, _ weight: UnsafePointer<Float>?, _ bias: UnsafePointer<Float>?,
    _ i: Int, part: Int
) -> Lanes {
    let value = (x - centers) * reciprocals
    if let weight, let bias { return multiplyAdd(value, load(weight + i, part: part), load(bias + i, part: part)) }
    if let weight { return value * load(weight + i, part: part) }
    if let bias { return value + load(bias + i, part: part) }
    return value
}

/// Four independent sums: one addition has a latency of four cycles, and two can start in each.
@inline(always)
private func sumOfRow(_ count: Int, _ x: UnsafePointer<Float>) -> Float {
    var (a, b, c, d) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
    var i = 0
    while i + 4 * laneCount <= count {
        a += load(x + i)
        b += load(x + i + laneCount)
        c += load(x + i + 2 * laneCount)
        d += load(x + i + 3 * laneCount)
        i += 4 * laneCount
    }
    while i + laneCount <= count {
        a += load(x + i)
        i += laneCount
    }
    if i < count { b += load(x + i, first: count - i) }
    return sum((a + b) + (c + d))
}

@inline(always)
private func sumOfSquaredDifferences(_ count: Int, _ x: UnsafePointer<Float>, _ center: Float) -> Float {
    let centers = Lanes(repeating: center)
    var (a, b, c, d) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
    var i = 0
    while i + 4 * laneCount <= count {
        var ahead = 0
        while ahead < 4 * laneCount {
            ssf_prefetch(x + count + i + ahead)
            ahead += 16
        }
        let (e, f) = (load(x + i) - centers, load(x + i + laneCount) - centers)
        let (g, h) = (load(x + i + 2 * laneCount) - centers, load(x + i + 3 * laneCount) - centers)
        a = multiplyAdd(e, e, a)
        b = multiplyAdd(f, f, b)
        c = multiplyAdd(g, g, c)
        d = multiplyAdd(h, h, d)
        i += 4 * laneCount
    }
    while i + laneCount <= count {
        let e = load(x + i) - centers
        a = multiplyAdd(e, e, a)
        i += laneCount
    }
    if i < count {
        let rest = count - i
        let f = keep(first: rest, of: load(x + i, first: rest) - centers, else: Lanes.zero)
        b = multiplyAdd(f, f, b)
    }
    return sum((a + b) + (c + d))
}

/// The gradients of layer normalisation for some rows. With n = (x - mean) * reciprocal and g = dy * weight:
///
///     dx = reciprocal * (g - (sum of g + n * sum of g n) / channels);  weightSums += dy n;  biasSums += dy
///
/// - Parameters:
///   - weight: absent stands for ones.
///   - dx: overwritten, or added to with `accumulate`; absent where nobody needs it. May be `dy`.
///   - weightSums, biasSums: [channels] each, added to row by row; both or neither.
///   - streaming: whether dx, which is not accumulated then, goes past the caches; every row of it then begins at a
///     multiple of a vector's size.
public func layerNormBackward(
    rows: Int, channels: Int, dy: UnsafePointer<Float>, x: UnsafePointer<Float>, mean: UnsafePointer<Float>,
    reciprocalDeviation: UnsafePointer<Float>, weight: UnsafePointer<Float>?, dx: UnsafeMutablePointer<Float>?,
    accumulate: Bool, weightSums: UnsafeMutablePointer<Float>?, biasSums: UnsafeMutablePointer<Float>?, streaming: Bool
) {
    for row in 0..<rows {
        let x = x + row * channels
        let dy = dy + row * channels
        let centers = Lanes(repeating: mean[row])
        let reciprocals = Lanes(repeating: reciprocalDeviation[row])

        // Two chains of sums each, for the latency of an addition.
        var (g0, n0, g1, n1) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        var i = 0
        while i + 2 * laneCount <= channels {
            sumGradients(i, dy, x, weight, weightSums, biasSums, centers, reciprocals, &g0, &n0, part: 0)
            sumGradients(i + laneCount, dy, x, weight, weightSums, biasSums, centers, reciprocals, &g1, &n1, part: 0)
            i += 2 * laneCount
        }
        if i + laneCount <= channels {
            sumGradients(i, dy, x, weight, weightSums, biasSums, centers, reciprocals, &g0, &n0, part: 0)
            i += laneCount
        }
        if i < channels {
            sumGradients(
                i, dy, x, weight, weightSums, biasSums, centers, reciprocals, &g1, &n1, part: channels - i)
        }
        guard var dx else { continue }
        dx += row * channels

        let factor = 1 / Float(channels)
        let gMean = Lanes(repeating: sum(g0 + g1) * factor)
        let nMean = Lanes(repeating: sum(n0 + n1) * factor)
        i = 0
        while i + laneCount <= channels {
            ssf_prefetch(x + channels + i)
            ssf_prefetch(dy + channels + i)
            inputGradient(
                i, dy, x, weight, dx, accumulate, centers, reciprocals, gMean, nMean, part: 0, streaming: streaming)
            i += laneCount
        }
        if i < channels {
            inputGradient(
                i, dy, x, weight, dx, accumulate, centers, reciprocals, gMean, nMean, part: channels - i,
                streaming: streaming)
        }
    }
    if streaming { finishStreaming() }
}

@inline(always)
private func sumGradients(
    _ i: Int, _ dy: UnsafePointer<Float>, _ x: UnsafePointer<Float>, _ weight: UnsafePointer<Float>?,
    _ weightSums: UnsafeMutablePointer<Float>?, _ biasSums: UnsafeMutablePointer<Float>?, _ centers: Lanes,
    _ reciprocals: Lanes, _ gSum: inout Lanes, _ nSum: inout Lanes, part: Int
) {
    let gradient = load(dy + i, part: part)
    let normal = (load(x + i, part: part) - centers) * reciprocals
    if let weightSums, let biasSums {
        store(multiplyAdd(gradient, normal, load(weightSums + i, part: part)), weightSums + i, part: part)
        store(load(biasSums + i, part: part) + gradient, biasSums + i, part: part)
    }
    // Lanes behind the end have gradient zero.
    var g = gradient
    if let weight { g *= load(weight + i, part: part) }
    gSum += g
    nSum = multiplyAdd(g, normal, nSum)
}

@inline(always)
private func inputGradient(
    _ i: Int, _ dy: UnsafePointer<Float>, _ x: UnsafePointer<Float>, _ weight: UnsafePointer<Float>?,
    _ dx: UnsafeMutablePointer<Float>, _ accumulate: Bool, _ centers: Lanes, _ reciprocals: Lanes, _ gMean: Lanes,
    _ nMean: Lanes, part: Int, streaming: Bool
) {
    var g = load(dy + i, part: part)
    if let weight { g *= load(weight + i, part: part) }
    let normal = (load(x + i, part: part) - centers) * reciprocals
    let value = multiplySubtract(normal, nMean, from: g - gMean) * reciprocals
    store(
        accumulate ? value + load(dx + i, part: part) : value, dx + i, part: part, streaming: streaming)
}
