// Attention of one batch entry and one head: softmax(scale * q k^T) v and its gradients, all in scratch memory that one
// thread owns. The caller hands in pointers to the first token of the head.

/// Query rows that share a pass over the packed keys and values: enough that a block of those is used several times
/// from the first-level cache, few enough that the scores stay there as well.
private var forwardQueries: Int {
    @inline(always) get { 24 }
}

/// The same for the backward pass, where probabilities and their gradients [queries, keys] stay in the second-level
/// cache, 192 KB each, until the sums over the queries are taken from them.
@inline(always)
private func backwardQueries(tokens: Int) -> Int {
    let most = 49_152 / roundedUpToLanes(tokens) / tileRows * tileRows
    let all = roundedUpToTileRows(tokens)
    return most < 24 ? 24 : (most < all ? most : all)
}

// MARK: - Forward

/// Floats of scratch memory that ``attentionForward`` needs.
public func attentionForwardScratch(tokens: Int, width: Int) -> Int {
    let keys = roundedUpToLanes(tokens)
    let columns = roundedUpToLanes(width)
    return width * keys + tokens * columns + forwardQueries * (keys + columns + 1)
}

/// out = softmax(scale * q k^T) v for one head; rows of q, k and v at `rowStride`.
///
/// - Parameters:
///   - logSumExp: [tokens], the logarithm of the sum of the exponentials of every row of scores; absent where no
///     backward pass follows.
///   - scratch: ``attentionForwardScratch(tokens:width:)`` floats.
public func attentionForward(
    tokens: Int, width: Int, scale: Float, q: UnsafePointer<Float>, k: UnsafePointer<Float>, v: UnsafePointer<Float>,
    rowStride: Int, out: UnsafeMutablePointer<Float>, outRowStride: Int, logSumExp: UnsafeMutablePointer<Float>?,
    scratch: UnsafeMutablePointer<Float>
) {
    let keys = roundedUpToLanes(tokens)
    let columns = roundedUpToLanes(width)
    let kTransposed = scratch
    let values = kTransposed + width * keys
    let scores = values + tokens * columns
    let weighted = scores + forwardQueries * keys
    let reciprocals = weighted + forwardQueries * columns
    packTransposed(rows: tokens, columns: width, x: k, rowStride: rowStride, paddedRows: keys, y: kTransposed)
    packRows(rows: tokens, columns: width, x: v, rowStride: rowStride, paddedColumns: columns, y: values)

    var first = 0
    while first < tokens {
        let rows = tokens - first < forwardQueries ? tokens - first : forwardQueries
        product(
            rows: rows, depth: width, vectors: keys / laneCount, a: q + first * rowStride, aRow: rowStride, aStep: 1,
            b: kTransposed, bRow: keys, c: scores, cRow: keys, factor: scale, accumulate: false)
        // The division by the sum of a row waits for the result, which is narrower than the row.
        for row in 0..<rows {
            let x = scores + row * keys
            let greatest = maximumOfRow(tokens, x)
            let total = exponentialsOfRow(tokens, x, Lanes(repeating: greatest), x)
            reciprocals[row] = 1 / total
            if let logSumExp { logSumExp[first + row] = greatest + logarithm(total) }
        }
        product(
            rows: rows, depth: tokens, vectors: columns / laneCount, a: scores, aRow: keys, aStep: 1, b: values,
            bRow: columns, c: weighted, cRow: columns, factor: 1, accumulate: false)
        unpackRows(
            rows: rows, columns: width, x: weighted, paddedColumns: columns, factors: reciprocals,
            y: out + first * outRowStride, rowStride: outRowStride)
        first += rows
    }
}

// MARK: - Backward

/// Floats of scratch memory that ``attentionBackward`` needs.
public func attentionBackwardScratch(tokens: Int, width: Int) -> Int {
    let keys = roundedUpToLanes(tokens)
    let columns = roundedUpToLanes(width)
    let queries = backwardQueries(tokens: tokens)
    return 2 * width * keys + tokens * columns + 3 * queries * columns + 2 * queries * keys
        + 2 * roundedUpToTileRows(tokens) * columns
}

/// The gradients of attention with respect to q, k and v for one head. With P the probabilities, which are computed
/// again from the scores and `logSumExp`, and D = scale * P * (dOut v^T - dOut . out):
///
///     dv = P^T dOut;  dq = D k;  dk = D^T q
///
/// - Parameters:
///   - dq, dk, dv: overwritten, rows at `gradientRowStride`; out and dOut have rows at `outRowStride`.
///   - scratch: ``attentionBackwardScratch(tokens:width:)`` floats.
public func attentionBackward(
    tokens: Int, width: Int, scale: Float, q: UnsafePointer<Float>, k: UnsafePointer<Float>, v: UnsafePointer<Float>,
    rowStride: Int, out: UnsafePointer<Float>, dOut: UnsafePointer<Float>, outRowStride: Int,
    logSumExp: UnsafePointer<Float>, dq: UnsafeMutablePointer<Float>, dk: UnsafeMutablePointer<Float>,
    dv: UnsafeMutablePointer<Float>, gradientRowStride: Int, scratch: UnsafeMutablePointer<Float>
) {
    let keys = roundedUpToLanes(tokens)
    let columns = roundedUpToLanes(width)
    let queries = backwardQueries(tokens: tokens)
    let kTransposed = scratch
    let vTransposed = kTransposed + width * keys
    let kRows = vTransposed + width * keys
    let qRows = kRows + tokens * columns
    let dOutRows = qRows + queries * columns
    let dqRows = dOutRows + queries * columns
    let probabilities = dqRows + queries * columns
    let gradients = probabilities + queries * keys
    let dkRows = gradients + queries * keys
    let dvRows = dkRows + roundedUpToTileRows(tokens) * columns
    packTransposed(rows: tokens, columns: width, x: k, rowStride: rowStride, paddedRows: keys, y: kTransposed)
    packTransposed(rows: tokens, columns: width, x: v, rowStride: rowStride, paddedRows: keys, y: vTransposed)
    packRows(rows: tokens, columns: width, x: k, rowStride: rowStride, paddedColumns: columns, y: kRows)

    var first = 0
    while first < tokens {
        let rows = tokens - first < queries ? tokens - first : queries
        let dOut = dOut + first * outRowStride
        let out = out + first * outRowStride
        packRows(
            rows: rows, columns: width, x: q + first * rowStride, rowStride: rowStride, paddedColumns: columns,
            y: qRows)
        packRows(
            rows: rows, columns: width, x: dOut, rowStride: outRowStride, paddedColumns: columns, y: dOutRows)
        product(
            rows: rows, depth: width, vectors: keys / laneCount, a: qRows, aRow: columns, aStep: 1, b: kTransposed,
            bRow: keys, c: probabilities, cRow: keys, factor: scale, accumulate: false)
        product(
            rows: rows, depth: width, vectors: keys / laneCount, a: dOutRows, aRow: columns, aStep: 1,
            b: vTransposed, bRow: keys, c: gradients, cRow: keys, factor: 1, accumulate: false)
        for row in 0..<rows {
            scoreGradients(
                keys, probabilities + row * keys, gradients + row * keys, logSumExp[first + row],
                dot(width, dOut + row * outRowStride, out + row * outRowStride), scale)
        }
        product(
            rows: rows, depth: tokens, vectors: columns / laneCount, a: gradients, aRow: keys, aStep: 1, b: kRows,
            bRow: columns, c: dqRows, cRow: columns, factor: 1, accumulate: false)
        unpackRows(
            rows: rows, columns: width, x: dqRows, paddedColumns: columns, factors: nil,
            y: dq + first * gradientRowStride, rowStride: gradientRowStride)
        product(
            rows: tokens, depth: rows, vectors: columns / laneCount, a: probabilities, aRow: 1, aStep: keys,
            b: dOutRows, bRow: columns, c: dvRows, cRow: columns, factor: 1, accumulate: first > 0)
        product(
            rows: tokens, depth: rows, vectors: columns / laneCount, a: gradients, aRow: 1, aStep: keys, b: qRows,
            bRow: columns, c: dkRows, cRow: columns, factor: 1, accumulate: first > 0)
        first += rows
    }
    unpackRows(
        rows: tokens, columns: width, x: dkRows, paddedColumns: columns, factors: nil, y: dk,
        rowStride: gradientRowStride)
    unpackRows(
        rows: tokens, columns: width, x: dvRows, paddedColumns: columns, factors: nil, y: dv,
        rowStride: gradientRowStride)
}

/// In place, for a padded row: scores become probabilities, gradients of probabilities become gradients of scores. What
/// stands behind the last key is never read.
@inline(always)
private func scoreGradients(
    _ count: Int, _ scores: UnsafeMutablePointer<Float>, _ gradients: UnsafeMutablePointer<Float>,
    _ logSumExp: Float, _ delta: Float, _ scale: Float
) {
    let logSums = Lanes(repeating: logSumExp)
    let deltas = Lanes(repeating: delta)
    let scales = Lanes(repeating: scale)
    var i = 0
    while i < count {
        let probability = exponential(load(scores + i, part: 0) - logSums)
        store(probability, scores + i)
        store((load(gradients + i, part: 0) - deltas) * (probability * scales), gradients + i)
        i += laneCount
    }
}

@inline(always)
private func dot(_ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>) -> Float {
    var total = Lanes.zero
    var i = 0
    while i + laneCount <= count {
        total = multiplyAdd(load(x + i), load(y + i), total)
        i += laneCount
    }
    if i < count { total = multiplyAdd(load(x + i, first: count - i), load(y + i, first: count - i), total) }
    return sum(total)
}
