/// Sums over rows that are taken chunk by chunk: [chunks, vectors, channels] in a workspace, added up in the order of
/// the chunks, so that the result does not depend on who computed which.
struct PartialSums {
    private let base: UnsafeMutablePointer<Float>
    private let chunks: Int
    private let vectors: Int
    private let channels: Int

    /// - Parameter vectors: how many sums every chunk takes.
    init(chunks: Int, vectors: Int, channels: Int, workspace: Workspace) {
        self.chunks = chunks
        self.vectors = vectors
        self.channels = channels
        base = workspace.reserve(bytes: chunks * vectors * channels * MemoryLayout<Float>.stride)
            .bindMemory(to: Float.self, capacity: chunks * vectors * channels)
    }

    /// The same in memory that the caller has, `chunks * vectors * channels` floats at `base`.
    init(chunks: Int, vectors: Int, channels: Int, base: UnsafeMutableRawPointer) {
        self.chunks = chunks
        self.vectors = vectors
        self.channels = channels
        self.base = base.bindMemory(to: Float.self, capacity: chunks * vectors * channels)
    }

    /// The sums of one chunk, set to zero.
    func zeroed(chunk: Int, vector: Int) -> UnsafeMutablePointer<Float> {
        start(chunk: chunk, vector: vector, zeroed: true)
    }

    /// The sums of one chunk, as they are or set to zero.
    func start(chunk: Int, vector: Int, zeroed: Bool) -> UnsafeMutablePointer<Float> {
        let sums = base + (chunk * vectors + vector) * channels
        if zeroed { sums.update(repeating: 0, count: channels) }
        return sums
    }

    /// Adds the sums of all chunks to `sums`.
    func add(vector: Int, to sums: UnsafeMutablePointer<Float>, table: KernelTable) {
        ColumnSum.addDirectly(
            rows: chunks, channels: channels, x: base + vector * channels, rowStride: vectors * channels, into: sums,
            table: table)
    }
}
