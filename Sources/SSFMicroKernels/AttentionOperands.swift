import CIntrinsics

// The operands of attention's products, made from the rows of a head.
//
// A left operand has rows of steps, a right operand steps of columns. Where bfloat16 is multiplied, an element of either
// holds two steps (`gemmPackedSteps`): pairs of neighbours in a row on the left, of the same column in two rows on the
// right. Where single numbers are multiplied the two are the same, and one array serves as both. Rows are padded to whole
// vectors; what lies behind a last step that has no partner is zero.

/// Whether one array is a left and a right operand.
var operandsAreOne: Bool {
    @inline(always) get { gemmPackedSteps == 1 }
}

/// Elements of an operand that hold so many steps.
@inline(always)
func packedCount(_ steps: Int) -> Int {
    (steps + gemmPackedSteps - 1) / gemmPackedSteps
}

/// From one row of a left operand to the next, for rows of `width` numbers.
@inline(always)
func leftStride(_ width: Int) -> Int {
    roundedUpToLanes(packedCount(width))
}

/// What has to be done to rows; as a constant it leaves no branches in a loop.
struct AttentionForm {
    let isHalf, isScaled, rounds: Bool

    @inline(always)
    init(_ isHalf: Bool, _ isScaled: Bool, _ rounds: Bool) {
        self.isHalf = isHalf
        self.isScaled = isScaled
        self.rounds = rounds
    }
}

/// Rows of a head in memory, and what is done to them on the way.
struct AttentionRows {
    let x: UnsafeRawPointer
    let isHalf: Bool
    let rowStride: Int
    let scale: UnsafePointer<Float>?
    let shift: UnsafePointer<Float>?
    let rounds: Bool

    /// The same from a later row on.
    @inline(always)
    func from(_ row: Int) -> AttentionRows {
        AttentionRows(
            x: x + row * rowStride * bytes(isHalf: isHalf), isHalf: isHalf, rowStride: rowStride, scale: scale,
            shift: shift, rounds: rounds)
    }

    /// Columns i ... of a row, for a form that the caller gives as a constant; rounded where that says so and pairs are
    /// not made, which round by themselves.
    @inline(always)
    func vector(_ row: Int, _ i: Int, part: Int, _ form: AttentionForm) -> Lanes {
        var value = load(x, row * rowStride + i, isHalf: form.isHalf, part: part)
        if form.isScaled, let scale, let shift {
            value = multiplyAdd(value, load(scale + i, part: part), load(shift + i, part: part))
        }
        return form.rounds && operandsAreOne ? roundedToHalf(value) : value
    }

    /// The same and the vector behind it.
    ///
    /// - Parameter rest: columns from i on; as the constant 0: enough. Zeros stand for those beyond.
    @inline(always)
    func vectors(_ row: Int, _ i: Int, rest: Int, _ form: AttentionForm) -> (low: Lanes, high: Lanes) {
        let low = vector(row, i, part: rest < laneCount ? rest : 0, form)
        if rest > 0 && rest <= laneCount { return (low, Lanes()) }
        return (low, vector(row, i + laneCount, part: rest > 0 && rest < 2 * laneCount ? rest - laneCount : 0, form))
    }

    #if SSF_AVX512BF16
        /// Columns i ... of a row in pairs of neighbours, as many as a vector has lanes; `rest` likewise.
        @inline(always)
        func pairs(_ row: Int, _ i: Int, rest: Int, _ form: AttentionForm) -> Lanes {
            let (low, high) = vectors(row, i, rest: rest, form)
            return roundedNeighbours(low, high)
        }
    #endif
}

/// Asks for rows of `width` numbers, for reading.
struct AttentionPrefetch {
    private let x: UnsafeRawPointer
    private let rowBytes: Int
    private let widthBytes: Int

    @inline(always)
    init(_ x: UnsafeRawPointer, isHalf: Bool, rowStride: Int, width: Int) {
        self.x = x
        rowBytes = rowStride * bytes(isHalf: isHalf)
        widthBytes = width * bytes(isHalf: isHalf)
    }

    @inline(always)
    func row(_ row: Int) {
        let row = x + row * rowBytes
        var i = 0
        while i < widthBytes {
            ssf_prefetch_later(row + i)
            i += 64
        }
    }
}

/// The inputs of the next head, row by row.
struct NextHead {
    private let q, k, v: AttentionPrefetch

    @inline(always)
    init(_ inputs: UnsafePointer<ssf_attention_inputs>) {
        let (isHalf, stride, width) = (inputs.pointee.isHalf, inputs.pointee.rowStride, inputs.pointee.width)
        let ahead = inputs.pointee.next * bytes(isHalf: isHalf)
        q = AttentionPrefetch(inputs.pointee.q + ahead, isHalf: isHalf, rowStride: stride, width: width)
        k = AttentionPrefetch(inputs.pointee.k + ahead, isHalf: isHalf, rowStride: stride, width: width)
        v = AttentionPrefetch(inputs.pointee.v + ahead, isHalf: isHalf, rowStride: stride, width: width)
    }

    @inline(always)
    func prefetch(_ row: Int) {
        q.row(row)
        k.row(row)
        v.row(row)
    }
}

extension UnsafePointer<ssf_attention_inputs> {
    @inline(always)
    var queries: AttentionRows { rows(pointee.q, pointee.qScale, pointee.qShift) }
    @inline(always)
    var keys: AttentionRows { rows(pointee.k, pointee.kScale, pointee.kShift) }
    @inline(always)
    var values: AttentionRows { rows(pointee.v, pointee.vScale, pointee.vShift) }

    @inline(always)
    private func rows(
        _ x: UnsafeRawPointer, _ scale: UnsafePointer<Float>?, _ shift: UnsafePointer<Float>?
    ) -> AttentionRows {
        AttentionRows(
            x: x, isHalf: pointee.isHalf, rowStride: pointee.rowStride, scale: scale, shift: shift,
            rounds: pointee.rounds)
    }
}

/// Makes operands from rows.
///
/// - Parameters:
///   - left: [rows, leftStride(width)], absent where nobody needs it.
///   - right: [packedCount(rows), width rounded up to whole vectors], likewise. Where `operandsAreOne` it may be the same
///     array, and one of the two is written.
@inline(never)
func packOperand(
    rows: Int, width: Int, _ x: AttentionRows, left: UnsafeMutablePointer<Float>?,
    right: UnsafeMutablePointer<Float>?
) {
    if operandsAreOne && !x.rounds {
        switch (x.isHalf, x.scale != nil) {
        case (false, false): packOperand(rows, width, x, left, right, AttentionForm(false, false, false))
        case (false, true): packOperand(rows, width, x, left, right, AttentionForm(false, true, false))
        case (true, false): packOperand(rows, width, x, left, right, AttentionForm(true, false, false))
        case (true, true): packOperand(rows, width, x, left, right, AttentionForm(true, true, false))
        }
    } else {
        switch (x.isHalf, x.scale != nil) {
        case (false, false): packOperand(rows, width, x, left, right, AttentionForm(false, false, true))
        case (false, true): packOperand(rows, width, x, left, right, AttentionForm(false, true, true))
        case (true, false): packOperand(rows, width, x, left, right, AttentionForm(true, false, true))
        case (true, true): packOperand(rows, width, x, left, right, AttentionForm(true, true, true))
        }
    }
}

#if SSF_AVX512BF16
    @inline(always)
    func packOperand(
        _ rows: Int, _ width: Int, _ x: AttentionRows, _ left: UnsafeMutablePointer<Float>?,
        _ right: UnsafeMutablePointer<Float>?, _ form: AttentionForm
    ) {
        let columns = roundedUpToLanes(width)
        let stride = leftStride(width)
        var row = 0
        while row < rows {
            let hasSecond = row + 1 < rows
            let left = left.map { $0 + row * stride }
            let right = right.map { $0 + row / 2 * columns }
            var i = 0
            while i + 2 * laneCount <= width {
                packPairs(x, row, i, hasSecond, left, stride, right, rest: 0, form)
                i += 2 * laneCount
            }
            if i < width { packPairs(x, row, i, hasSecond, left, stride, right, rest: width - i, form) }
            row += 2
        }
    }

    /// Columns i ... of two rows, or of one and zeros.
    ///
    /// - Parameter rest: columns from here on; as the constant 0: enough.
    @inline(always)
    func packPairs(
        _ x: AttentionRows, _ row: Int, _ i: Int, _ hasSecond: Bool, _ left: UnsafeMutablePointer<Float>?,
        _ leftStride: Int, _ right: UnsafeMutablePointer<Float>?, rest: Int, _ form: AttentionForm
    ) {
        let (low, high) = x.vectors(row, i, rest: rest, form)
        var (nextLow, nextHigh) = (Lanes(), Lanes())
        if hasSecond { (nextLow, nextHigh) = x.vectors(row + 1, i, rest: rest, form) }
        if let left {
            store(roundedNeighbours(low, high), left + i / 2)
            if hasSecond { store(roundedNeighbours(nextLow, nextHigh), left + leftStride + i / 2) }
        }
        if let right {
            store(roundedPairs(low, nextLow), right + i)
            if rest == 0 || rest > laneCount { store(roundedPairs(high, nextHigh), right + i + laneCount) }
        }
    }
#else
    @inline(always)
    func packOperand(
        _ rows: Int, _ width: Int, _ x: AttentionRows, _ left: UnsafeMutablePointer<Float>?,
        _ right: UnsafeMutablePointer<Float>?, _ form: AttentionForm
    ) {
        guard let y = left ?? right else { return }
        let columns = roundedUpToLanes(width)
        for row in 0..<rows {
            let y = y + row * columns
            var i = 0
            while i + laneCount <= width {
                store(x.vector(row, i, part: 0, form), y + i)
                i += laneCount
            }
            if i < width { store(x.vector(row, i, part: width - i, form), y + i) }
        }
    }
#endif

/// The right operand whose columns are rows of a head, [packedCount(width), paddedRows]; what stands behind the rows is
/// undefined.
///
/// - Parameter paddedRows: whole vectors.
@inline(never)
func packTransposed(rows: Int, width: Int, _ x: AttentionRows, paddedRows: Int, y: UnsafeMutablePointer<Float>) {
    #if SSF_AVX512BF16
        switch (x.isHalf, x.scale != nil) {
        case (false, false): packTransposed(rows, width, x, paddedRows, y, AttentionForm(false, false, true))
        case (false, true): packTransposed(rows, width, x, paddedRows, y, AttentionForm(false, true, true))
        case (true, false): packTransposed(rows, width, x, paddedRows, y, AttentionForm(true, false, true))
        case (true, true): packTransposed(rows, width, x, paddedRows, y, AttentionForm(true, true, true))
        }
    #else
        gemmPackB(
            k: width, columns: rows, packedColumns: paddedRows, b: x.x, bIsHalf: x.isHalf, rowStride: 1,
            columnStride: x.rowStride, packed: y)
        if x.scale == nil && !x.rounds { return }
        for i in 0..<width {
            let y = y + i * paddedRows
            let scale = Lanes(repeating: x.scale.map { $0[i] } ?? 1)
            let shift = Lanes(repeating: x.shift.map { $0[i] } ?? 0)
            var j = 0
            while j < paddedRows {
                let value = multiplyAdd(load(y + j, part: 0), scale, shift)
                store(x.rounds ? roundedToHalf(value) : value, y + j)
                j += laneCount
            }
        }
    #endif
}

#if SSF_AVX512BF16
    /// Squares of pairs are turned in registers. A few last rows, usual where a class token stands before the others, are
    /// spread pair by pair.
    @inline(always)
    func packTransposed(
        _ rows: Int, _ width: Int, _ x: AttentionRows, _ paddedRows: Int, _ y: UnsafeMutablePointer<Float>,
        _ form: AttentionForm
    ) {
        let elements = packedCount(width)
        var p = 0
        while p < elements {
            let count = elements - p < laneCount ? elements - p : laneCount
            let i = 2 * p
            let rest = width - i < 2 * laneCount ? width - i : 0
            let y = y + p * paddedRows
            var j = 0
            while j + laneCount <= rows && rest == 0 {
                var square = zeroBlock()
                for q in 0..<laneCount { square[q] = x.pairs(j + q, i, rest: 0, form) }
                square = transposed(square)
                for r in 0..<laneCount { store(square[r], y + r * paddedRows + j) }
                j += laneCount
            }
            if rows - j <= laneCount / 4 {
                while j < rows {
                    let row = x.pairs(j, i, rest: rest, form)
                    for r in 0..<laneCount where r < count { y[r * paddedRows + j] = row[r] }
                    j += 1
                }
            }
            while j < rows {
                var square = zeroBlock()
                for q in 0..<laneCount where j + q < rows { square[q] = x.pairs(j + q, i, rest: rest, form) }
                square = transposed(square)
                for r in 0..<laneCount where r < count { store(square[r], y + r * paddedRows + j) }
                j += laneCount
            }
            p += laneCount
        }
    }
#endif

/// Copies padded rows to rows at a stride, each times its `factors` where there are some.
@inline(never)
func unpackRows(
    rows: Int, columns: Int, x: UnsafePointer<Float>, paddedColumns: Int, factors: UnsafePointer<Float>?,
    y: UnsafeMutableRawPointer, isHalf: Bool, rowStride: Int
) {
    if isHalf {
        unpackRows(rows, columns, x, paddedColumns, factors, y, rowStride, isHalf: true)
    } else {
        unpackRows(rows, columns, x, paddedColumns, factors, y, rowStride, isHalf: false)
    }
}

@inline(always)
func unpackRows(
    _ rows: Int, _ columns: Int, _ x: UnsafePointer<Float>, _ paddedColumns: Int, _ factors: UnsafePointer<Float>?,
    _ y: UnsafeMutableRawPointer, _ rowStride: Int, isHalf: Bool
) {
    for row in 0..<rows {
        let x = x + row * paddedColumns
        var factor = Lanes(repeating: 1)
        if let factors { factor = Lanes(repeating: factors[row]) }
        var i = 0
        while i + laneCount <= columns {
            store(load(x + i) * factor, y, row * rowStride + i, isHalf: isHalf, part: 0)
            i += laneCount
        }
        if i < columns { store(load(x + i) * factor, y, row * rowStride + i, isHalf: isHalf, part: columns - i) }
    }
}
