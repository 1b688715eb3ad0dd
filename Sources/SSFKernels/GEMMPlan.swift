/// The cut of one product into chunks: a function of its shape and the table's blocking, never of the threads.
///
/// No cut changes a bit of the result: an element of C is one sum over k in ascending order, carried exactly from k
/// block to k block, whichever tile and chunk it falls into.
struct GEMMPlan {
    let m: Int
    let n: Int
    let k: Int
    let blocking: GEMMBlocking
    /// Tiles down and across.
    let rowTiles: Int
    let columnTiles: Int
    /// Blocks of tiles down and across: a chunk is one of each.
    let rowBlocks: Int
    let columnBlocks: Int
    /// Parts of k, and the steps of all but the last.
    let kBlocks: Int
    let kStep: Int

    /// Floating-point operations that are worth a chunk: some ten times the cost of handing it out.
    private static let operationsPerChunk = 4 << 20
    /// Enough chunks for a dozen threads to end together, and no more: each packs or finds its A.
    private static let wantedChunks = 32

    init(m: Int, n: Int, k: Int, blocking: GEMMBlocking) {
        self.m = m
        self.n = n
        self.k = k
        self.blocking = blocking
        func parts(_ count: Int, of size: Int) -> Int { (count + size - 1) / size }
        rowTiles = parts(m, of: blocking.tileRows)
        columnTiles = parts(n, of: blocking.tileColumns)
        kBlocks = max(parts(k, of: blocking.kBlock), 1)
        kStep = parts(parts(k, of: kBlocks), of: 16) * 16

        let wanted = min(max(2 * m * n * k / Self.operationsPerChunk, 1), Self.wantedChunks)
        let tileBytes = max(blocking.tileRows * kStep * 4, 1)
        var rows = parts(rowTiles, of: max(blocking.aBlockBytes / tileBytes, 1))
        // Down to four tiles a block, rows are cut rather than columns: a cut of the columns packs A again.
        rows = max(rows, min(wanted, parts(rowTiles, of: 4)))
        if rows > 2 { rows = min(parts(rows, of: 4) * 4, rowTiles) }
        rowBlocks = max(rows, 1)
        columnBlocks = max(
            parts(columnTiles, of: blocking.columnPanels), min(columnTiles, parts(wanted, of: rowBlocks)))
    }

    var chunks: Int { rowBlocks * columnBlocks }

    /// The tiles of a row block: even shares, so that the last block is not the small one.
    func rowTiles(ofBlock block: Int) -> Range<Int> {
        rowTiles * block / rowBlocks..<rowTiles * (block + 1) / rowBlocks
    }

    func columnTiles(ofBlock block: Int) -> Range<Int> {
        columnTiles * block / columnBlocks..<columnTiles * (block + 1) / columnBlocks
    }

    // MARK: - Memory, in floats

    /// Columns of tile column j in C, and in packed B.
    func columns(_ j: Int) -> Int { min(blocking.tileColumns, n - j * blocking.tileColumns) }
    func packedColumns(_ j: Int) -> Int { (columns(j) + blocking.lanes - 1) / blocking.lanes * blocking.lanes }

    /// Where panel j of packed B begins: [k, packedColumns] each.
    func panelOffset(_ j: Int) -> Int { j * blocking.tileColumns * k }

    /// All of packed B.
    var packedBCount: Int {
        columnTiles == 0 ? 0 : panelOffset(columnTiles - 1) + packedColumns(columnTiles - 1) * k
    }

    private var maximumRowTiles: Int { (rowTiles + rowBlocks - 1) / max(rowBlocks, 1) }
    private var maximumColumnTiles: Int { (columnTiles + columnBlocks - 1) / max(columnBlocks, 1) }
    private var tileCount: Int { blocking.tileRows * blocking.tileColumns }

    /// A tile of rows of packed A, for all of k: blocks of 16 steps.
    var packedTileCount: Int { blocking.tileRows * ((k + 15) / 16 * 16) }

    /// What one thread needs: its packed block of A, and the partial sums of its chunk, which is one tile's room where
    /// k is in one block.
    var packedACount: Int { maximumRowTiles * packedTileCount }
    var partialCount: Int { (kBlocks > 1 ? maximumRowTiles * maximumColumnTiles : 1) * tileCount }
}
