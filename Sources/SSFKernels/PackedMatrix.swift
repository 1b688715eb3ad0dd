/// A matrix B [k, n], laid out once as the tiles of its kernel table read it: frozen weights are packed once per run.
///
/// Safe to read from many threads; `GEMM.repack` needs to be alone with it.
public final class PackedMatrix: @unchecked Sendable {
    /// Rows of B.
    public let k: Int
    /// Columns of B.
    public let n: Int
    /// The table whose kernels read it; a product with another one is a programmer's mistake.
    package let table: KernelTable
    let base: UnsafeMutablePointer<Float>
    let count: Int

    /// Memory that it holds: 4 k n, and less than one vector per row more.
    public var byteCount: Int { count * MemoryLayout<Float>.stride }

    init(k: Int, n: Int, table: KernelTable) {
        precondition(k >= 0 && n >= 0, "a matrix of \(k) x \(n)")
        self.k = k
        self.n = n
        self.table = table
        count = GEMMPlan(m: 0, n: n, k: k, blocking: table.gemm.blocking).packedBCount
        base = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1) * MemoryLayout<Float>.stride, alignment: 64)
            .bindMemory(to: Float.self, capacity: max(count, 1))
    }

    deinit {
        base.deallocate()
    }
}
