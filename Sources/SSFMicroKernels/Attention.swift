import CIntrinsics

// Attention of one batch entry and one head: softmax(scale * q k^T) v and its gradients, all in scratch memory that one
// thread owns. The caller hands in pointers to the first token of the head. A head's rows lie a whole token apart, each
// on a page of its own, where no hardware prefetcher follows: hence every head asks for the rows of the next one.

/// Query rows that share a pass over the packed keys and values: enough that a block of those is used several times
/// from the first-level cache, few enough that the scores stay there as well.
private var forwardQueries: Int {
    @inline(always) get { 24 }
}

/// Room for one number per query, in whole vectors of every width.
private var forwardQueriesPadded: Int {
    @inline(always) get { 32 }
}

/// The same for the backward pass: at most 96, so that the products over the queries take them in one block, and so few
/// that probabilities and their gradients [queries, keys] are 96 KB each and leave room in the second-level cache; then
/// as even as they come.
@inline(always)
private func backwardQueries(tokens: Int) -> Int {
    let fitting = 24_576 / roundedUpToLanes(tokens)
    let most = fitting < 24 ? 24 : (fitting > 96 ? 96 : fitting)
    let blocks = (tokens + most - 1) / most
    return roundedUpToTileRows((tokens + blocks - 1) / blocks)
}

/// Asks for some rows of `width` floats.
@inline(always)
private func prefetchRows(_ rows: Int, _ width: Int, _ x: UnsafePointer<Float>, _ rowStride: Int) {
    for row in 0..<rows {
        let row = x + row * rowStride
        var i = 0
        while i < width {
            ssf_prefetch_later(row + i)
            i += 16
        }
    }
}

/// The same for rows that will be written.
@inline(always)
private func prefetchRowsToWrite(
    _ rows: Int, _ width: Int, _ x: UnsafeMutablePointer<Float>, _ rowStride: Int
) {
    for row in 0..<rows {
        let row = x + row * rowStride
        var i = 0
        while i < width {
            ssf_prefetch_write(row + i)
            i += 16
        }
    }
}

// MARK: - Forward

/// Floats of scratch memory that ``attentionForward`` needs.
public func attentionForwardScratch(tokens: Int, width: Int) -> Int {
    let keys = roundedUpToLanes(tokens)
    let columns = roundedUpToLanes(width)
    return width * keys + tokens * columns + forwardQueries * (keys + 2 * columns) + 2 * forwardQueriesPadded
}

/// out = softmax(scale * q k^T) v for one head; rows of q, k and v at `rowStride`.
///
/// - Parameters:
///   - affine: where q, k and v are stored before a scale and a shift; these are applied to what is packed.
///   - logSumExp: [tokens], the logarithm of the sum of the exponentials of every row of scores; absent where no
///     backward pass follows.
///   - next: elements from the inputs of this head to those of the one that this thread is likely to do next.
///   - scratch: ``attentionForwardScratch(tokens:width:)`` floats.
public func attentionForward(
    tokens: Int, width: Int, scale: Float, q: UnsafePointer<Float>, k: UnsafePointer<Float>, v: UnsafePointer<Float>,
    rowStride: Int, next: Int, affine: UnsafePointer<ssf_attention_affine>?, out: UnsafeMutablePointer<Float>,
    outRowStride: Int, logSumExp: UnsafeMutablePointer<Float>?, scratch: UnsafeMutablePointer<Float>
) {
    let keys = roundedUpToLanes(tokens)
    let columns = roundedUpToLanes(width)
    let kTransposed = scratch
    let values = kTransposed + width * keys
    let queries = values + tokens * columns
    let scores = queries + forwardQueries * columns
    let weighted = scores + forwardQueries * keys
    let greatest = weighted + forwardQueries * columns
    let totals = greatest + forwardQueriesPadded
    packTransposed(rows: tokens, columns: width, x: k, rowStride: rowStride, paddedRows: keys, y: kTransposed)
    packRows(rows: tokens, columns: width, x: v, rowStride: rowStride, paddedColumns: columns, y: values)
    if let affine = affine?.pointee {
        scaleAndShiftRows(width, keys, kTransposed, affine.kScale, affine.kShift)
        scaleAndShiftColumns(tokens, width, columns, values, affine.vScale, affine.vShift)
    }

    var first = 0
    while first < tokens {
        let rows = tokens - first < forwardQueries ? tokens - first : forwardQueries
        let ahead = next + first * rowStride
        prefetchRows(rows, width, q + ahead, rowStride)
        prefetchRows(rows, width, k + ahead, rowStride)
        prefetchRows(rows, width, v + ahead, rowStride)
        prefetchRowsToWrite(rows, width, out + first * outRowStride, outRowStride)
        // Rows whose distance is a multiple of 1 KB would share a few sets of the first-level cache.
        packRows(
            rows: rows, columns: width, x: q + first * rowStride, rowStride: rowStride, paddedColumns: columns,
            y: queries)
        if let affine = affine?.pointee {
            scaleAndShiftColumns(rows, width, columns, queries, affine.qScale, affine.qShift)
        }
        product(
            rows: rows, depth: width, vectors: keys / laneCount, a: queries, aRow: columns, aStep: 1,
            b: kTransposed, bRow: keys, c: scores, cRow: keys, factor: scale, accumulate: false)
        for row in 0..<rows {
            let x = scores + row * keys
            greatest[row] = maximumOfRow(tokens, x)
            totals[row] = exponentialsOfRow(tokens, x, Lanes(repeating: greatest[row]), x)
        }
        if let logSumExp { logarithms(rows, greatest, totals, logSumExp + first) }
        reciprocals(rows, totals)
        // The division by the sum of a row waits for the result, which is narrower than the row.
        product(
            rows: rows, depth: tokens, vectors: columns / laneCount, a: scores, aRow: keys, aStep: 1, b: values,
            bRow: columns, c: weighted, cRow: columns, factor: 1, accumulate: false)
        unpackRows(
            rows: rows, columns: width, x: weighted, paddedColumns: columns, factors: totals,
            y: out + first * outRowStride, rowStride: outRowStride)
        first += rows
    }
}

/// logSumExp = greatest + log(totals). What stands behind the last row is read, and stays where it is.
@inline(always)
private func logarithms(
    _ rows: Int, _ greatest: UnsafeMutablePointer<Float>, _ totals: UnsafeMutablePointer<Float>,
    _ logSumExp: UnsafeMutablePointer<Float>
) {
    var i = 0
    while i < rows {
        let value = load(greatest + i, part: 0) + logarithm(load(totals + i, part: 0))
        store(value, logSumExp + i, part: rows - i < laneCount ? rows - i : 0)
        i += laneCount
    }
}

/// totals = 1 / totals, in whole vectors.
@inline(always)
private func reciprocals(_ rows: Int, _ totals: UnsafeMutablePointer<Float>) {
    var i = 0
    while i < rows {
        store(Lanes(repeating: 1) / load(totals + i, part: 0), totals + i)
        i += laneCount
    }
}

/// Row c of x times scale[c], plus shift[c]; `count` whole vectors of floats a row.
@inline(never)
func scaleAndShiftRows(
    _ rows: Int, _ count: Int, _ x: UnsafeMutablePointer<Float>, _ scale: UnsafePointer<Float>,
    _ shift: UnsafePointer<Float>
) {
    for row in 0..<rows {
        let (factor, summand) = (Lanes(repeating: scale[row]), Lanes(repeating: shift[row]))
        let x = x + row * count
        var i = 0
        while i < count {
            store(multiplyAdd(load(x + i, part: 0), factor, summand), x + i)
            i += laneCount
        }
    }
}

/// Column c of padded rows times scale[c], plus shift[c]; the padding stays.
@inline(never)
func scaleAndShiftColumns(
    _ rows: Int, _ width: Int, _ columns: Int, _ x: UnsafeMutablePointer<Float>, _ scale: UnsafePointer<Float>,
    _ shift: UnsafePointer<Float>
) {
    var i = 0
    while i < width {
        let part = width - i < laneCount ? width - i : 0
        let (factor, summand) = (load(scale + i, part: part), load(shift + i, part: part))
        for row in 0..<rows {
            let x = x + row * columns + i
            store(multiplyAdd(load(x, part: 0), factor, summand), x)
        }
        i += laneCount
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
///   - next, nextOut: elements from the inputs and from the output of this head to those of the next one.
///   - dq, dk, dv: overwritten, rows at `gradientRowStride`; out and dOut have rows at `outRowStride`.
///   - scratch: ``attentionBackwardScratch(tokens:width:)`` floats.
public func attentionBackward(
    tokens: Int, width: Int, scale: Float, q: UnsafePointer<Float>, k: UnsafePointer<Float>, v: UnsafePointer<Float>,
    rowStride: Int, next: Int, affine: UnsafePointer<ssf_attention_affine>?, out: UnsafePointer<Float>,
    dOut: UnsafePointer<Float>, outRowStride: Int, nextOut: Int,
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
    if let affine = affine?.pointee {
        scaleAndShiftRows(width, keys, kTransposed, affine.kScale, affine.kShift)
        scaleAndShiftRows(width, keys, vTransposed, affine.vScale, affine.vShift)
        scaleAndShiftColumns(tokens, width, columns, kRows, affine.kScale, affine.kShift)
    }

    var first = 0
    while first < tokens {
        let rows = tokens - first < queries ? tokens - first : queries
        let dOut = dOut + first * outRowStride
        let out = out + first * outRowStride
        packRows(
            rows: rows, columns: width, x: q + first * rowStride, rowStride: rowStride, paddedColumns: columns, y: qRows
        )
        if let affine = affine?.pointee {
            scaleAndShiftColumns(rows, width, columns, qRows, affine.qScale, affine.qShift)
        }
        packRows(rows: rows, columns: width, x: dOut, rowStride: outRowStride, paddedColumns: columns, y: dOutRows)
        product(
            rows: rows, depth: width, vectors: keys / laneCount, a: qRows, aRow: columns, aStep: 1, b: kTransposed,
            bRow: keys, c: probabilities, cRow: keys, factor: scale, accumulate: false)
        product(
            rows: rows, depth: width, vectors: keys / laneCount, a: dOutRows, aRow: columns, aStep: 1,
            b: vTransposed, bRow: keys, c: gradients, cRow: keys, factor: 1, accumulate: false)
        for row in 0..<rows {
            let ahead = next + (first + row) * rowStride
            prefetchRows(1, width, q + ahead, 0)
            prefetchRows(1, width, k + ahead, 0)
            prefetchRows(1, width, v + ahead, 0)
            prefetchRows(1, width, out + nextOut + row * outRowStride, 0)
            prefetchRows(1, width, dOut + nextOut + row * outRowStride, 0)
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
