// The small matrix products of attention: a few hundred rows, a head's width of columns, everything in the caches of
// one core. Tiles of 6 rows hold their sums in registers: 6 x 4 vectors where there are 32 registers, 6 x 2 where there
// are 16. Results go to scratch memory whose rows are padded to whole vectors and whose count of rows is padded to 6.
// Operands are those of `AttentionOperands.swift`: a step of these loops is an element of theirs, one step or a pair.

/// Rows of a register tile.
var tileRows: Int {
    @inline(always) get { 6 }
}

/// Vectors in a row of the widest register tile.
var tileVectors: Int {
    @inline(always) get {
        #if SSF_AVX512 || arch(arm64)
            4
        #else
            2
        #endif
    }
}

/// `count` rounded up to whole tiles of rows.
@inline(always)
func roundedUpToTileRows(_ count: Int) -> Int {
    (count + tileRows - 1) / tileRows * tileRows
}

/// C = factor * A B, or C += factor * A B, for A [rows, depth], B [depth, vectors of lanes].
///
/// - Parameters:
///   - depth: elements of the operands.
///   - a: element (i, p) at `a[i * aRow + p * aStep]`.
///   - b: padded rows of `vectors` whole vectors at a stride of `bRow`.
///   - c: padded rows at a stride of `cRow`; room for `rows` rounded up to whole tiles, the surplus rows are undefined.
///
/// B is visited in blocks of at most 24 KB, half a first-level cache, each of which meets all rows of A.
@inline(never)
func product(
    rows: Int, depth: Int, vectors: Int, a: UnsafePointer<Float>, aRow: Int, aStep: Int, b: UnsafePointer<Float>,
    bRow: Int, c: UnsafeMutablePointer<Float>, cRow: Int, factor: Float, accumulate: Bool
) {
    // Groups of vectors as even as they come: 13 vectors are 4 + 3 + 3 + 3, not 4 + 4 + 4 + 1.
    let groups = (vectors + tileVectors - 1) / tileVectors
    let mostSteps = 6144 / (laneCount * tileVectors)
    let blocks = depth > 0 ? (depth + mostSteps - 1) / mostSteps : 1
    var first = 0
    for block in 0..<blocks {
        let steps = (depth - first + blocks - block - 1) / (blocks - block)
        let adding = accumulate || first > 0
        var vector = 0
        for group in 0..<groups {
            let width = (vectors - vector + groups - group - 1) / (groups - group)
            let b = b + first * bRow + vector * laneCount
            let c = c + vector * laneCount
            var row = 0
            while row < rows {
                let valid = rows - row < tileRows ? rows - row : tileRows
                let a = a + row * aRow + first * aStep
                let c = c + row * cRow
                switch width {
                case 1: tile(1, valid, steps, a, aRow, aStep, b, bRow, c, cRow, factor, adding)
                #if SSF_AVX512 || arch(arm64)
                    case 2: tile(2, valid, steps, a, aRow, aStep, b, bRow, c, cRow, factor, adding)
                    case 3: tile(3, valid, steps, a, aRow, aStep, b, bRow, c, cRow, factor, adding)
                #endif
                default: tile(tileVectors, valid, steps, a, aRow, aStep, b, bRow, c, cRow, factor, adding)
                }
                row += tileRows
            }
            vector += width
        }
        first += steps
    }
}

/// One tile of `width` vectors, a constant at every call. Rows behind the last valid one repeat it.
@inline(always)
private func tile(
    _ width: Int, _ valid: Int, _ depth: Int, _ a: UnsafePointer<Float>, _ aRow: Int, _ aStep: Int,
    _ b: UnsafePointer<Float>, _ bRow: Int, _ c: UnsafeMutablePointer<Float>, _ cRow: Int, _ factor: Float,
    _ accumulate: Bool
) {
    let last = valid - 1
    let a0 = a
    let a1 = a + (1 < last ? 1 : last) * aRow
    let a2 = a + (2 < last ? 2 : last) * aRow
    let a3 = a + (3 < last ? 3 : last) * aRow
    let a4 = a + (4 < last ? 4 : last) * aRow
    let a5 = a + last * aRow
    var s0 = TileRow(), s1 = TileRow(), s2 = TileRow(), s3 = TileRow(), s4 = TileRow(), s5 = TileRow()
    var b = b
    var i = 0
    for _ in 0..<depth {
        let b0 = load(b)
        let b1 = width > 1 ? load(b + laneCount) : Lanes.zero
        let b2 = width > 2 ? load(b + 2 * laneCount) : Lanes.zero
        let b3 = width > 3 ? load(b + 3 * laneCount) : Lanes.zero
        s0.add(width, a0[i], b0, b1, b2, b3)
        s1.add(width, a1[i], b0, b1, b2, b3)
        s2.add(width, a2[i], b0, b1, b2, b3)
        s3.add(width, a3[i], b0, b1, b2, b3)
        s4.add(width, a4[i], b0, b1, b2, b3)
        s5.add(width, a5[i], b0, b1, b2, b3)
        b += bRow
        i += aStep
    }
    s0.write(width, c, factor, accumulate)
    s1.write(width, c + cRow, factor, accumulate)
    s2.write(width, c + 2 * cRow, factor, accumulate)
    s3.write(width, c + 3 * cRow, factor, accumulate)
    s4.write(width, c + 4 * cRow, factor, accumulate)
    s5.write(width, c + 5 * cRow, factor, accumulate)
}

/// The sums of one row of a tile. Vectors behind the width are never touched and leave no trace in the code.
private struct TileRow {
    var v0 = Lanes.zero
    var v1 = Lanes.zero
    var v2 = Lanes.zero
    var v3 = Lanes.zero

    @inline(always)
    init() {}

    @inline(always)
    mutating func add(_ width: Int, _ a: Float, _ b0: Lanes, _ b1: Lanes, _ b2: Lanes, _ b3: Lanes) {
        let a = Lanes(repeating: a)
        v0 = multiplyAccumulate(a, b0, v0)
        if width > 1 { v1 = multiplyAccumulate(a, b1, v1) }
        if width > 2 { v2 = multiplyAccumulate(a, b2, v2) }
        if width > 3 { v3 = multiplyAccumulate(a, b3, v3) }
    }

    @inline(always)
    func write(_ width: Int, _ c: UnsafeMutablePointer<Float>, _ factor: Float, _ accumulate: Bool) {
        let factor = Lanes(repeating: factor)
        put(v0, c, factor, accumulate)
        if width > 1 { put(v1, c + laneCount, factor, accumulate) }
        if width > 2 { put(v2, c + 2 * laneCount, factor, accumulate) }
        if width > 3 { put(v3, c + 3 * laneCount, factor, accumulate) }
    }

    @inline(always)
    private func put(_ v: Lanes, _ c: UnsafeMutablePointer<Float>, _ factor: Lanes, _ accumulate: Bool) {
        store(accumulate ? multiplyAdd(v, factor, load(c, part: 0)) : v * factor, c)
    }
}
