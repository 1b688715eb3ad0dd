/// How a matrix product is cut, per instruction set.
///
/// A panel of B (all of a k block, one tile wide) is read once per tile of a column of tiles, and stays in the
/// second-level cache meanwhile; the packed block of A streams past it at 4 bytes x tile rows per step of k, a small
/// part of what that cache delivers. Hence the loops: for each k block, for each panel of B, for each tile of rows.
///
/// The accumulators never leave the registers within a k block, so a large one means that C is touched once; it ends
/// where a panel of B and the block of A no longer share the second-level cache (1 MB on current servers, 512 KB on
/// older desktops).
struct GEMMBlocking: Sendable, Equatable {
    /// Rows of a tile; `gemmTileRows` of the micro-kernels.
    let tileRows: Int
    /// Columns of a tile: a panel of B.
    let tileColumns: Int
    /// Floats of a vector: the last panel of B is narrower, by whole vectors.
    let lanes: Int
    /// Steps of k that one call of a tile sums, at most.
    let kBlock: Int
    /// Bytes of packed A that a thread works on, about.
    let aBlockBytes: Int
    /// Tiles of columns that one chunk covers, at most: with the rows this sets how finely threads share the work.
    let columnPanels: Int

    static let avx512 = GEMMBlocking(
        tileRows: 8, tileColumns: 48, lanes: 16, kBlock: 1536, aBlockBytes: 320 << 10, columnPanels: 16)
    static let avx2 = GEMMBlocking(
        tileRows: 6, tileColumns: 16, lanes: 8, kBlock: 768, aBlockBytes: 256 << 10, columnPanels: 48)
    static let sse = GEMMBlocking(
        tileRows: 6, tileColumns: 8, lanes: 4, kBlock: 768, aBlockBytes: 256 << 10, columnPanels: 96)
    static let neon = GEMMBlocking(
        tileRows: 8, tileColumns: 12, lanes: 4, kBlock: 768, aBlockBytes: 256 << 10, columnPanels: 64)
}
