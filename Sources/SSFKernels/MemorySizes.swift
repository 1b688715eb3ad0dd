import SSFParallel

// How much memory kernels will take, for estimates that are made before anything is allocated.

extension GEMM {
    /// Bytes of a packed B [k, n].
    package static func packedByteCount(
        k: Int, n: Int, precision: Precision = .float32, table: KernelTable = .current
    ) -> Int {
        GEMMPlan(m: 0, n: n, k: k, blocking: table.gemm.kernels(precision).blocking).packedBBytes
    }

    /// Bytes of workspace of one product, without those of prologue and epilogue, which are small against them.
    ///
    /// - Parameter packsB: whether B is packed in the call.
    package static func workspaceByteCount(
        m: Int, n: Int, k: Int, packsB: Bool, precision: Precision = .float32, table: KernelTable = .current
    ) -> Int {
        let plan = GEMMPlan(m: m, n: n, k: k, blocking: table.gemm.kernels(precision).blocking)
        let team = min(Parallel.threads, plan.chunks)
        return (packsB ? plan.packedBBytes : 0) + team * (plan.packedABytes + plan.partialBytes)
    }
}

extension Attention {
    /// Bytes of workspace of the larger pass.
    package static func workspaceByteCount(
        tokens: Int, headWidth: Int, backward: Bool, precision: Precision = .float32, table: KernelTable = .current
    ) -> Int {
        let kernels = table.attention.kernels(precision)
        let floats =
            backward ? kernels.backwardScratch(tokens, headWidth) : kernels.forwardScratch(tokens, headWidth)
        return 4 * floats * Parallel.threads
    }
}
