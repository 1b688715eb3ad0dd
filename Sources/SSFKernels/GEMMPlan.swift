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

    /// Floating-point operations that are worth a chunk: some microseconds, ten times the cost of handing it out.
    private static let operationsPerChunk = 1 << 20
    /// Rows whose operations take as long as fetching B does, which is what a product of few rows waits for.
    private static let rowsOfFetching = 5
    /// What stays in a third-level cache of the usual size, or a thread's share of a larger one.
    private static let cacheBytes = 16 << 20
    /// Enough chunks for a dozen threads to end together, and no more: each packs or finds its A.
    private static let wantedChunks = 32

    /// - Parameter wholeRows: a chunk has all columns of its rows, and room for its part of C beside A in the cache.
    init(m: Int, n: Int, k: Int, blocking: GEMMBlocking, wholeRows: Bool = false) {
        self.m = m
        self.n = n
        self.k = k
        self.blocking = blocking
        func parts(_ count: Int, of size: Int) -> Int { (count + size - 1) / size }
        rowTiles = parts(m, of: blocking.tileRows)
        columnTiles = parts(n, of: blocking.tileColumns)
        kBlocks = max(parts(k, of: blocking.kBlock), 1)
        let quantum = Self.lineBytes / blocking.aElementBytes
        kStep = parts(parts(k, of: kBlocks), of: quantum) * quantum

        let wanted = min(max(2 * (m + Self.rowsOfFetching) * n * k / Self.operationsPerChunk, 1), Self.wantedChunks)
        let tileBytes = max(blocking.tileRows * (kStep * blocking.aElementBytes + (wholeRows ? n * 4 : 0)), 1)
        // A B that comes from memory again for every block of rows is worth larger ones.
        let isFetchedFromMemory = n * k * blocking.bElementBytes > Self.cacheBytes
        let aBlockBytes = blocking.aBlockBytes * (isFetchedFromMemory ? 2 : 1)
        var rows = parts(rowTiles, of: max(aBlockBytes / tileBytes, 1))
        // Down to a dozen tiles a block, rows are cut rather than columns: a cut of the columns packs A again where it is
        // another thread's, one of the rows fetches all of B again. In several k blocks every chunk packs its A itself:
        // then columns are cut only where there are few rows.
        let fewestTiles = (kBlocks > 1 ? 6 : 12) * (isFetchedFromMemory ? 2 : 1)
        rows = max(rows, min(wanted, parts(rowTiles, of: fewestTiles)))
        if rows > 2 { rows = min(parts(rows, of: 4) * 4, rowTiles) }
        rowBlocks = max(rows, 1)
        columnBlocks =
            wholeRows
            ? 1
            : max(
                parts(columnTiles, of: blocking.columnPanels),
                min(columnTiles, parts(kBlocks > 1 ? min(wanted, 16) : wanted, of: rowBlocks)))
    }

    var chunks: Int { rowBlocks * columnBlocks }

    /// The tiles of a row block: even shares, so that the last block is not the small one.
    func rowTiles(ofBlock block: Int) -> Range<Int> {
        rowTiles * block / rowBlocks..<rowTiles * (block + 1) / rowBlocks
    }

    func columnTiles(ofBlock block: Int) -> Range<Int> {
        columnTiles * block / columnBlocks..<columnTiles * (block + 1) / columnBlocks
    }

    // MARK: - Memory, in bytes

    private static let lineBytes = 64

    /// `bytes` rounded up to whole cache lines.
    static func wholeLines(_ bytes: Int) -> Int { (bytes + lineBytes - 1) / lineBytes * lineBytes }

    /// Columns of tile column j in C, and in packed B.
    func columns(_ j: Int) -> Int { min(blocking.tileColumns, n - j * blocking.tileColumns) }
    func packedColumns(_ j: Int) -> Int { (columns(j) + blocking.lanes - 1) / blocking.lanes * blocking.lanes }

    /// Steps of k in packed B.
    private var packedK: Int { (k + blocking.stepGroup - 1) / blocking.stepGroup * blocking.stepGroup }

    /// Where panel j of packed B begins: elements [packedK / stepGroup, packedColumns, stepGroup] each.
    func panelOffset(_ j: Int) -> Int { j * blocking.tileColumns * packedK * blocking.bElementBytes }

    /// All of packed B.
    var packedBBytes: Int {
        if columnTiles == 0 { return 0 }
        return panelOffset(columnTiles - 1) + packedColumns(columnTiles - 1) * packedK * blocking.bElementBytes
    }

    private var maximumRowTiles: Int { (rowTiles + rowBlocks - 1) / max(rowBlocks, 1) }
    private var maximumColumnTiles: Int { (columnTiles + columnBlocks - 1) / max(columnBlocks, 1) }

    /// Rows of the largest row block, whole tiles.
    var maximumRows: Int { maximumRowTiles * blocking.tileRows }

    /// A tile of rows of packed A, for one block of k, in whole cache lines for each row.
    var packedTileBytes: Int { blocking.tileRows * Self.wholeLines(kStep * blocking.aElementBytes) }

    /// What one thread needs: its packed block of A, and the partial sums of its chunk, which is one tile's room where
    /// k is in one block; and a tile of scratch.
    var packedABytes: Int { maximumRowTiles * packedTileBytes }
    var partialBytes: Int { (kBlocks > 1 ? maximumRowTiles * maximumColumnTiles + 1 : 2) * tileCount * 4 }

    /// Elements of a tile.
    var tileCount: Int { blocking.tileRows * blocking.tileColumns }
}
