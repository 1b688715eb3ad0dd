import CIntrinsics

// The gradients of attention of one batch entry and one head.

/// Query rows that share a pass over the keys: at most 96, so that the products over the queries take them in one block,
/// and so few that probabilities and their gradients [queries, keys] are 96 KB each and leave room in the second-level
/// cache; then as even as they come. Whole tiles of rows, and so pairs of them.
@inline(always)
private func backwardQueries(tokens: Int) -> Int {
    let fitting = 24_576 / roundedUpToLanes(tokens)
    let most = fitting < 24 ? 24 : (fitting > 96 ? 96 : fitting)
    let blocks = (tokens + most - 1) / most
    return roundedUpToTileRows((tokens + blocks - 1) / blocks)
}

/// Where everything lies in the scratch memory of a head.
private struct BackwardScratch {
    /// Right operands: the transposed keys and values, the keys, and of a block of queries these and dOut.
    let kTransposed, vTransposed, kRight, qRight, dOutRight: UnsafeMutablePointer<Float>
    /// Left operands of a block of queries; where `operandsAreOne` the same arrays.
    let qLeft, dOutLeft: UnsafeMutablePointer<Float>
    /// [queries, scoreStride]: scores, which become probabilities, and gradients of both.
    let probabilities, gradients: UnsafeMutablePointer<Float>
    /// The gradients of scores as a left operand by queries, which `gradients` is by keys.
    let gradientsLeft: UnsafeMutablePointer<Float>
    let gradientsLeftStride: Int
    let dqRows, dkRows, dvRows: UnsafeMutablePointer<Float>
    let end: UnsafeMutablePointer<Float>

    @inline(always)
    init(tokens: Int, width: Int, at start: UnsafeMutablePointer<Float>) {
        let queries = backwardQueries(tokens: tokens)
        let columns = roundedUpToLanes(width)
        let turned = packedCount(width) * roundedUpToLanes(tokens)
        let rows = roundedUpToTileRows(tokens) * columns
        let scores = queries * scoreStride(tokens)
        kTransposed = start
        vTransposed = kTransposed + turned
        kRight = vTransposed + turned
        qRight = kRight + packedCount(tokens) * columns
        dOutRight = qRight + packedCount(queries) * columns
        let lefts = dOutRight + packedCount(queries) * columns
        let left = operandsAreOne ? 0 : queries * leftStride(width)
        qLeft = operandsAreOne ? qRight : lefts
        dOutLeft = operandsAreOne ? dOutRight : lefts + left
        probabilities = lefts + 2 * left
        gradients = probabilities + scores
        gradientsLeft = operandsAreOne ? gradients : gradients + scores
        gradientsLeftStride = scoreStride(tokens) / gemmPackedSteps
        dqRows = gradients + scores + (operandsAreOne ? 0 : scores / 2)
        dkRows = dqRows + queries * columns
        dvRows = dkRows + rows
        end = dvRows + rows
    }
}

/// Floats of scratch memory that ``attentionBackward`` needs.
public func attentionBackwardScratch(tokens: Int, width: Int) -> Int {
    // An address that is never followed, to count from.
    let start = UnsafeMutablePointer<Float>(bitPattern: 4096).unsafelyUnwrapped
    return BackwardScratch(tokens: tokens, width: width, at: start).end - start
}

/// The gradients of attention with respect to q, k and v for one head. With P the probabilities, which are computed
/// again from the scores and `logSumExp`, G = dOut v^T their gradient, and D = scale * P * (G - sum of P G in the row):
///
///     dv = P^T dOut;  dq = D k;  dk = D^T q
///
/// The sum is dOut . out as well, but from P and G it needs no result of the forward pass, and D adds up to zero in every
/// row whatever they were rounded to: an error of it would go into dq times the mean of the keys.
///
/// - Parameters:
///   - dOut: rows at `outRowStride`; `nextOut` elements behind it begins that of the next head.
///   - dq, dk, dv: overwritten, rows at `gradientRowStride`.
///   - scratch: ``attentionBackwardScratch(tokens:width:)`` floats.
public func attentionBackward(
    inputs: UnsafePointer<ssf_attention_inputs>, dOut: UnsafePointer<Float>, outRowStride: Int, nextOut: Int,
    logSumExp: UnsafePointer<Float>, dq: UnsafeMutablePointer<Float>, dk: UnsafeMutablePointer<Float>,
    dv: UnsafeMutablePointer<Float>, gradientRowStride: Int, scratch: UnsafeMutablePointer<Float>
) {
    let tokens = inputs.pointee.tokens
    let width = inputs.pointee.width
    let keys = roundedUpToLanes(tokens)
    let columns = roundedUpToLanes(width)
    let queries = backwardQueries(tokens: tokens)
    let leftStride = leftStride(width)
    let scoreStride = scoreStride(tokens)
    let elements = packedCount(width)
    let s = BackwardScratch(tokens: tokens, width: width, at: scratch)
    packTransposed(rows: tokens, width: width, inputs.keys, paddedRows: keys, y: s.kTransposed)
    packTransposed(rows: tokens, width: width, inputs.values, paddedRows: keys, y: s.vTransposed)
    packOperand(rows: tokens, width: width, inputs.keys, left: nil, right: s.kRight)

    let nextHead = NextHead(inputs)
    let nextGradientRows = AttentionPrefetch(dOut + nextOut, isHalf: false, rowStride: outRowStride, width: width)
    let dOutRows = AttentionRows(
        x: dOut, isHalf: false, rowStride: outRowStride, scale: nil, shift: nil, rounds: inputs.pointee.rounds)
    var first = 0
    while first < tokens {
        let rows = tokens - first < queries ? tokens - first : queries
        packOperand(rows: rows, width: width, inputs.queries.from(first), left: s.qLeft, right: s.qRight)
        packOperand(rows: rows, width: width, dOutRows.from(first), left: s.dOutLeft, right: s.dOutRight)
        product(
            rows: rows, depth: elements, vectors: keys / laneCount, a: s.qLeft, aRow: leftStride, aStep: 1,
            b: s.kTransposed, bRow: keys, c: s.probabilities, cRow: scoreStride, factor: inputs.pointee.scale,
            accumulate: false)
        product(
            rows: rows, depth: elements, vectors: keys / laneCount, a: s.dOutLeft, aRow: leftStride, aStep: 1,
            b: s.vTransposed, bRow: keys, c: s.gradients, cRow: scoreStride, factor: 1, accumulate: false)
        var row = 0
        while row < rows {
            let scores = s.probabilities + row * scoreStride
            let gradients = s.gradients + row * scoreStride
            let left = s.gradientsLeft + row * s.gradientsLeftStride
            let count = rows - row < gemmPackedSteps ? rows - row : gemmPackedSteps
            var sums: (Float, Float) = (0, 0)
            for i in 0..<count {
                nextHead.prefetch(first + row + i)
                nextGradientRows.row(first + row + i)
                let sum = probabilitiesOfRow(
                    tokens, scores + i * scoreStride, gradients + i * scoreStride, logSumExp[first + row + i])
                if i == 0 { sums.0 = sum } else { sums.1 = sum }
            }
            #if SSF_AVX512BF16
                scoreGradients(
                    tokens, count, scores, gradients, scoreStride, left, s.gradientsLeftStride, sums,
                    inputs.pointee.scale)
            #else
                scoreGradients(
                    tokens, scores, gradients, sums.0, inputs.pointee.scale, rounds: inputs.pointee.rounds)
            #endif
            row += count
        }
        product(
            rows: rows, depth: packedCount(tokens), vectors: columns / laneCount, a: s.gradientsLeft,
            aRow: s.gradientsLeftStride, aStep: 1, b: s.kRight, bRow: columns, c: s.dqRows, cRow: columns, factor: 1,
            accumulate: false)
        unpackRows(
            rows: rows, columns: width, x: s.dqRows, paddedColumns: columns, factors: nil,
            y: dq + first * gradientRowStride, isHalf: false, rowStride: gradientRowStride)
        product(
            rows: tokens, depth: packedCount(rows), vectors: columns / laneCount, a: s.probabilities, aRow: 1,
            aStep: gemmPackedSteps * scoreStride, b: s.dOutRight, bRow: columns, c: s.dvRows, cRow: columns, factor: 1,
            accumulate: first > 0)
        product(
            rows: tokens, depth: packedCount(rows), vectors: columns / laneCount, a: s.gradients, aRow: 1,
            aStep: gemmPackedSteps * scoreStride, b: s.qRight, bRow: columns, c: s.dkRows, cRow: columns, factor: 1,
            accumulate: first > 0)
        first += rows
    }
    unpackRows(
        rows: tokens, columns: width, x: s.dkRows, paddedColumns: columns, factors: nil, y: dk, isHalf: false,
        rowStride: gradientRowStride)
    unpackRows(
        rows: tokens, columns: width, x: s.dvRows, paddedColumns: columns, factors: nil, y: dv, isHalf: false,
        rowStride: gradientRowStride)
}

// MARK: - Rows of scores

/// In place, scores become probabilities exp(s - logSumExp), whole vectors with zeros behind the last token.
///
/// - Returns: the sum of probabilities times their gradients.
@inline(always)
private func probabilitiesOfRow(
    _ tokens: Int, _ scores: UnsafeMutablePointer<Float>, _ gradients: UnsafeMutablePointer<Float>, _ logSumExp: Float
) -> Float {
    let logSumExp = Lanes(repeating: logSumExp)
    var (a, b) = (Lanes.zero, Lanes.zero)
    var i = 0
    while i + 2 * laneCount <= tokens {
        let p = exponentialOfNegative(load(scores + i, part: 0) - logSumExp)
        let q = exponentialOfNegative(load(scores + i + laneCount, part: 0) - logSumExp)
        store(p, scores + i)
        store(q, scores + i + laneCount)
        a = multiplyAdd(p, load(gradients + i, part: 0), a)
        b = multiplyAdd(q, load(gradients + i + laneCount, part: 0), b)
        i += 2 * laneCount
    }
    if i + laneCount <= tokens {
        let p = exponentialOfNegative(load(scores + i, part: 0) - logSumExp)
        store(p, scores + i)
        a = multiplyAdd(p, load(gradients + i, part: 0), a)
        i += laneCount
    }
    if i < tokens {
        let rest = tokens - i
        let p = keep(
            first: rest, of: exponentialOfNegative(load(scores + i, part: 0) - logSumExp), else: Lanes.zero)
        store(p, scores + i)
        b = multiplyAdd(p, keep(first: rest, of: load(gradients + i, part: 0), else: Lanes.zero), b)
    }
    return sum(a + b)
}

/// The gradient of a score, from a probability and the gradient of that.
@inline(always)
private func scoreGradient(
    _ probability: Lanes, _ gradients: UnsafeMutablePointer<Float>, _ sum: Lanes, _ scale: Lanes
) -> Lanes {
    (load(gradients, part: 0) - sum) * (probability * scale)
}

#if SSF_AVX512BF16
    /// Two rows of probabilities and of their gradients, or one and zeros where `rows` is 1. In place of the first row of
    /// both come the pairs that the two make by columns, the gradients being those of scores, and to `left` pairs of
    /// neighbours in the latter.
    @inline(always)
    private func scoreGradients(
        _ tokens: Int, _ rows: Int, _ probabilities: UnsafeMutablePointer<Float>,
        _ gradients: UnsafeMutablePointer<Float>, _ stride: Int, _ left: UnsafeMutablePointer<Float>,
        _ leftStride: Int, _ sums: (Float, Float), _ scale: Float
    ) {
        var i = 0
        while i + 2 * laneCount <= tokens && rows == 2 {
            scorePairs(
                2, probabilities + i, gradients + i, stride, left + i / 2, leftStride, sums, scale, rest: 0)
            i += 2 * laneCount
        }
        while i < tokens {
            scorePairs(
                rows, probabilities + i, gradients + i, stride, left + i / 2, leftStride, sums, scale,
                rest: tokens - i)
            i += 2 * laneCount
        }
    }

    /// - Parameter rest: tokens from here on; as the constant 0: enough. Behind them are zeros, whatever is there.
    @inline(always)
    private func scorePairs(
        _ rows: Int, _ probabilities: UnsafeMutablePointer<Float>, _ gradients: UnsafeMutablePointer<Float>,
        _ stride: Int, _ left: UnsafeMutablePointer<Float>, _ leftStride: Int, _ sums: (Float, Float), _ scale: Float,
        rest: Int
    ) {
        let o = Lanes.zero
        let hasHigh = rest == 0 || rest > laneCount
        let scale = Lanes(repeating: scale)
        var (p, q, r, s) = (o, o, o, o)
        var (dp, dq, dr, ds) = (o, o, o, o)
        let (first, second) = (Lanes(repeating: sums.0), Lanes(repeating: sums.1))
        p = load(probabilities, part: 0)
        dp = scoreGradient(p, gradients, first, scale)
        if hasHigh {
            q = load(probabilities + laneCount, part: 0)
            dq = scoreGradient(q, gradients + laneCount, first, scale)
        }
        if rows == 2 {
            r = load(probabilities + stride, part: 0)
            dr = scoreGradient(r, gradients + stride, second, scale)
            if hasHigh {
                s = load(probabilities + stride + laneCount, part: 0)
                ds = scoreGradient(s, gradients + stride + laneCount, second, scale)
            }
        }
        if rest > 0 {
            dp = keep(first: rest, of: dp, else: o)
            dq = keep(first: rest - laneCount, of: dq, else: o)
            dr = keep(first: rest, of: dr, else: o)
            ds = keep(first: rest - laneCount, of: ds, else: o)
        }
        store(roundedPairs(p, r), probabilities)
        store(roundedPairs(dp, dr), gradients)
        if hasHigh {
            store(roundedPairs(q, s), probabilities + laneCount)
            store(roundedPairs(dq, ds), gradients + laneCount)
        }
        store(roundedNeighbours(dp, dq), left)
        if rows == 2 { store(roundedNeighbours(dr, ds), left + leftStride) }
    }
#else
    /// In place, the gradients of probabilities become those of scores; both are rounded to bfloat16 where `rounds`. What
    /// stands behind the last token is never read.
    @inline(always)
    private func scoreGradients(
        _ tokens: Int, _ probabilities: UnsafeMutablePointer<Float>, _ gradients: UnsafeMutablePointer<Float>,
        _ sum: Float, _ scale: Float, rounds: Bool
    ) {
        let (sum, scale) = (Lanes(repeating: sum), Lanes(repeating: scale))
        var i = 0
        while i < tokens {
            let p = load(probabilities + i, part: 0)
            let d = scoreGradient(p, gradients + i, sum, scale)
            if rounds { store(roundedToHalf(p), probabilities + i) }
            store(rounds ? roundedToHalf(d) : d, gradients + i)
            i += laneCount
        }
    }
#endif
