import CIntrinsics

// Attention of one batch entry and one head: softmax(scale * q k^T) v, all in scratch memory that one thread owns; its
// gradients stand in `AttentionBackward.swift`. Products take floats, which may have been rounded to bfloat16, or pairs of
// bfloat16 where an instruction multiplies those; what lies between two products is single precision.
//
// The caller hands in pointers to the first token of the head. A head's rows lie a whole token apart, each on a page of
// its own, where no hardware prefetcher follows: hence every head asks for the rows of the next one.

/// Query rows that share a pass over the packed keys and values: enough that a block of those is used several times
/// from the first-level cache, few enough that the scores stay there as well.
private var forwardQueries: Int {
    @inline(always) get { 24 }
}

/// Room for one number per query, in whole vectors of every width.
private var forwardQueriesPadded: Int {
    @inline(always) get { 32 }
}

/// Asks for rows of `width` numbers that will be written.
@inline(always)
private func prefetchRowsToWrite(
    _ rows: Int, _ width: Int, _ x: UnsafeMutableRawPointer, isHalf: Bool, _ rowStride: Int
) {
    let size = bytes(isHalf: isHalf)
    for row in 0..<rows {
        let row = x + row * rowStride * size
        var i = 0
        while i < width * size {
            ssf_prefetch_write(row + i)
            i += 64
        }
    }
}

/// From one row of scores to the next: whole vectors of what products take for their left operand.
@inline(always)
func scoreStride(_ tokens: Int) -> Int {
    let multiple = gemmPackedSteps * laneCount
    return (tokens + multiple - 1) / multiple * multiple
}

/// Floats of scratch memory that ``attentionForward`` needs.
public func attentionForwardScratch(tokens: Int, width: Int) -> Int {
    let columns = roundedUpToLanes(width)
    return packedCount(width) * roundedUpToLanes(tokens) + packedCount(tokens) * columns
        + forwardQueries * (leftStride(width) + scoreStride(tokens) + columns) + 2 * forwardQueriesPadded
}

/// out = softmax(scale * q k^T) v for one head.
///
/// - Parameters:
///   - out: of bfloat16 where `outIsHalf`; rows at `outRowStride`.
///   - logSumExp: [tokens], the logarithm of the sum of the exponentials of every row of scores; absent where no
///     backward pass follows.
///   - scratch: ``attentionForwardScratch(tokens:width:)`` floats.
public func attentionForward(
    inputs: UnsafePointer<ssf_attention_inputs>, out: UnsafeMutableRawPointer, outIsHalf: Bool, outRowStride: Int,
    logSumExp: UnsafeMutablePointer<Float>?, scratch: UnsafeMutablePointer<Float>
) {
    let tokens = inputs.pointee.tokens
    let width = inputs.pointee.width
    let keys = roundedUpToLanes(tokens)
    let columns = roundedUpToLanes(width)
    let scoreStride = scoreStride(tokens)
    let leftStride = leftStride(width)
    let kTransposed = scratch
    let values = kTransposed + packedCount(width) * keys
    let queries = values + packedCount(tokens) * columns
    let scores = queries + forwardQueries * leftStride
    let weighted = scores + forwardQueries * scoreStride
    let greatest = weighted + forwardQueries * columns
    let totals = greatest + forwardQueriesPadded
    let next = NextHead(inputs)
    packTransposed(rows: tokens, width: width, inputs.keys, paddedRows: keys, y: kTransposed)
    packOperand(rows: tokens, width: width, inputs.values, left: nil, right: values)

    var first = 0
    while first < tokens {
        let rows = tokens - first < forwardQueries ? tokens - first : forwardQueries
        let out = out + first * outRowStride * bytes(isHalf: outIsHalf)
        for row in first..<first + rows { next.prefetch(row) }
        prefetchRowsToWrite(rows, width, out, isHalf: outIsHalf, outRowStride)
        // Rows whose distance is a multiple of 1 KB would share a few sets of the first-level cache: hence the copy.
        packOperand(rows: rows, width: width, inputs.queries.from(first), left: queries, right: nil)
        product(
            rows: rows, depth: packedCount(width), vectors: keys / laneCount, a: queries, aRow: leftStride, aStep: 1,
            b: kTransposed, bRow: keys, c: scores, cRow: scoreStride, factor: inputs.pointee.scale, accumulate: false)
        for row in 0..<rows {
            let x = scores + row * scoreStride
            greatest[row] = maximumOfRow(tokens, x)
            totals[row] = weightsOfRow(tokens, x, Lanes(repeating: greatest[row]), rounds: inputs.pointee.rounds)
        }
        if let logSumExp { logarithms(rows, greatest, totals, logSumExp + first) }
        reciprocals(rows, totals)
        // The division by the sum of a row waits for the result, which is narrower than the row.
        product(
            rows: rows, depth: packedCount(tokens), vectors: columns / laneCount, a: scores, aRow: scoreStride,
            aStep: 1, b: values, bRow: columns, c: weighted, cRow: columns, factor: 1, accumulate: false)
        unpackRows(
            rows: rows, columns: width, x: weighted, paddedColumns: columns, factors: totals, y: out,
            isHalf: outIsHalf, rowStride: outRowStride)
        first += rows
    }
}

#if SSF_AVX512BF16
    /// A row of scores becomes, in place, exp(x - greatest) in pairs of neighbours.
    ///
    /// - Returns: their sum, before they are rounded.
    @inline(always)
    func weightsOfRow(
        _ tokens: Int, _ x: UnsafeMutablePointer<Float>, _ greatest: Lanes, rounds: Bool
    ) -> Float {
        var (a, b) = (Lanes.zero, Lanes.zero)
        var i = 0
        while i + 2 * laneCount <= tokens {
            let e = exponentialOfNegative(load(x + i, part: 0) - greatest)
            let f = exponentialOfNegative(load(x + i + laneCount, part: 0) - greatest)
            store(roundedNeighbours(e, f), x + i / 2)
            a += e
            b += f
            i += 2 * laneCount
        }
        if i < tokens {
            let e = keep(
                first: tokens - i, of: exponentialOfNegative(load(x + i, part: 0) - greatest), else: Lanes.zero)
            var f = Lanes.zero
            if i + laneCount < tokens {
                f = keep(
                    first: tokens - i - laneCount,
                    of: exponentialOfNegative(load(x + i + laneCount, part: 0) - greatest), else: Lanes.zero)
            }
            store(roundedNeighbours(e, f), x + i / 2)
            a += e
            b += f
        }
        return sum(a + b)
    }
#else
    /// A row of scores becomes, in place, exp(x - greatest), rounded to bfloat16 where `rounds`.
    ///
    /// - Returns: their sum, before they are rounded.
    @inline(always)
    func weightsOfRow(
        _ tokens: Int, _ x: UnsafeMutablePointer<Float>, _ greatest: Lanes, rounds: Bool
    ) -> Float {
        let total = exponentialsOfRow(tokens, x, greatest, x)
        if rounds {
            // Whole vectors: what stands behind the last token is never read.
            var i = 0
            while i < tokens {
                store(roundedToHalf(load(x + i, part: 0)), x + i)
                i += laneCount
            }
        }
        return total
    }
#endif

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
