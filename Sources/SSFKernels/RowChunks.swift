/// How the rows of an operation are cut into the chunks of a parallel region: by the shape alone, never by the number of
/// threads, so that a result has the same bits whoever computes it.
struct RowChunks: Sendable {
    let rows: Int
    let rowsPerChunk: Int
    let count: Int

    /// Chunks of about 32,768 elements: 128 KB per operand, some ten microseconds of work, against the half microsecond
    /// that a region costs.
    init(rows: Int, width: Int) {
        self.init(rows: rows, rowsPerChunk: max(1, 32_768 / max(width, 1)))
    }

    /// Chunks for sums over the rows, which need a row of partial sums each: at most 64, of at least 64 rows.
    init(summingRows rows: Int) {
        self.init(rows: rows, rowsPerChunk: max(64, (rows + 63) / 64))
    }

    init(rows: Int, rowsPerChunk: Int) {
        precondition(rows >= 0)
        self.rows = rows
        self.rowsPerChunk = rowsPerChunk
        count = (rows + rowsPerChunk - 1) / rowsPerChunk
    }

    /// The first row of a chunk.
    func first(_ chunk: Int) -> Int { chunk * rowsPerChunk }

    /// The rows of a chunk.
    func size(_ chunk: Int) -> Int { min(rowsPerChunk, rows - chunk * rowsPerChunk) }
}
