/// How a matrix product is cut, per instruction set.
///
/// A panel of B (all of a k block, one tile wide) stays in the second-level cache while the tiles of a block of rows go
/// past it; it streams into the registers at 4 bytes x tile columns per step of k, and the packed rows of A, from the
/// second- or third-level cache, at 4 bytes x tile rows: 192 and 32 bytes in the 12 cycles that an AVX-512 step takes,
/// far below what either cache delivers. Hence the loops: for each k block, for each panel of B, for each tile of rows.
///
/// Rows of A are packed just before they go past the first panel, so that memory delivers the next ones meanwhile.
///
/// The accumulators never leave the registers within a k block, so C is touched once for every k up to `kBlock`, which
/// covers the layers of all but the largest transformers and the weight gradients of a batch of 16. It ends where a panel
/// of B would fill the second-level cache: 614 KB of 1 MB or more on processors with AVX-512, 98 KB of 256 KB or more on
/// those with AVX2.
struct GEMMBlocking: Sendable, Equatable {
    /// Rows of a tile; `gemmTileRows` of the micro-kernels.
    let tileRows: Int
    /// Columns of a tile: a panel of B.
    let tileColumns: Int
    /// Floats of a vector: the last panel of B is narrower, by whole vectors.
    let lanes: Int
    /// Bytes of an element of packed A.
    var aElementBytes = 4
    /// Bytes of an element of packed B.
    var bElementBytes = 4
    /// Steps of k that stand side by side in packed B: its k is a multiple of it.
    var stepGroup = 1
    /// Steps of k that one call of a tile sums, at most.
    var kBlock: Int
    /// Bytes of packed A that go past a panel of B, about: the more rows, the less often a panel is fetched.
    let aBlockBytes: Int
    /// Tiles of columns that one chunk covers, at most: with the rows this sets how finely threads share the work.
    let columnPanels: Int

    static let avx512 = GEMMBlocking(
        tileRows: 8, tileColumns: 48, lanes: 16, kBlock: 3200,
        aBlockBytes: 1024 << 10, columnPanels: 16
    )
    static let avx2 = GEMMBlocking(
        tileRows: 6, tileColumns: 16, lanes: 8, kBlock: 1536, aBlockBytes: 256 << 10,
        columnPanels: 48)
    static let sse = GEMMBlocking(
        tileRows: 6, tileColumns: 8, lanes: 4, kBlock: 1536, aBlockBytes: 256 << 10,
        columnPanels: 96)
    static let neon = GEMMBlocking(
        tileRows: 8, tileColumns: 12, lanes: 4, kBlock: 1536, aBlockBytes: 256 << 10,
        columnPanels: 64)

    /// The same with B in bfloat16, A being single precision that was rounded: for want of an instruction.
    var wideningB: GEMMBlocking {
        var blocking = self
        blocking.bElementBytes = 2
        return blocking
    }

    /// The same for pairs of bfloat16: a step of the tile is two of k, at the same bytes.
    var pairs: GEMMBlocking {
        var blocking = self
        blocking.aElementBytes = 2
        blocking.bElementBytes = 2
        blocking.stepGroup = 2
        blocking.kBlock = 2 * kBlock
        return blocking
    }
}
