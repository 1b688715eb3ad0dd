/// A matrix B [k, n], laid out once as the tiles of its kernel table read it: frozen weights are packed once per run.
///
/// Safe to read from many threads.
public final class PackedMatrix: @unchecked Sendable {
    /// Rows of B.
    public let k: Int
    /// Columns of B.
    public let n: Int
    /// What its elements are.
    public let precision: Precision
    /// The table whose kernels read it; a product with another one is a programmer's mistake.
    package let table: KernelTable
    let base: UnsafeMutableRawPointer

    /// Memory that it holds: k n elements, and less than one vector per row more.
    public let byteCount: Int

    init(k: Int, n: Int, precision: Precision, table: KernelTable) {
        precondition(k >= 0 && n >= 0, "a matrix of \(k) x \(n)")
        self.k = k
        self.n = n
        self.precision = precision
        self.table = table
        byteCount = GEMMPlan(m: 0, n: n, k: k, blocking: table.gemm.kernels(precision).blocking).packedBBytes
        base = LargeMemory.allocate(byteCount: byteCount)
    }

    deinit {
        base.deallocate()
    }
}
