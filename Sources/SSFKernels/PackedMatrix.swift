/// A matrix B [k, n], laid out once as the tiles of its kernel table read it: frozen weights are packed once per run.
package final class PackedMatrix {
    package let k: Int
    package let n: Int
    let table: KernelTable
    let base: UnsafeMutablePointer<Float>

    init(k: Int, n: Int, table: KernelTable) {
        self.k = k
        self.n = n
        self.table = table
        base = UnsafeMutableRawPointer.allocate(byteCount: max(k * n * 4, 4), alignment: 64)
            .bindMemory(to: Float.self, capacity: k * n)
    }

    deinit {
        base.deallocate()
    }
}
