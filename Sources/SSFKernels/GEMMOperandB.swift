import SSFParallel

/// B of a product [k, n] as its caller has it.
package enum GEMMOperandB {
    /// Laid out before, for any number of products.
    case packed(PackedMatrix)
    /// The transpose of a matrix [n, k] that was laid out: it is laid out anew in every call, from there. For a matrix
    /// that two products need both ways, and that is to be in memory once.
    case transposed(PackedMatrix)
    /// Element (p, j) at `p * rowStride + j * columnStride`; laid out in every call.
    case plain(MatrixPointer, rowStride: Int, columnStride: Int, precision: Precision)

    var precision: Precision {
        switch self {
        case .packed(let matrix), .transposed(let matrix): matrix.precision
        case .plain(_, _, _, let precision): precision
        }
    }

    /// Whether the call lays B out.
    var isPackedInCall: Bool {
        if case .packed = self { false } else { true }
    }

    func check(k: Int, n: Int, table: KernelTable) {
        switch self {
        case .packed(let matrix):
            precondition(matrix.k == k && matrix.n == n, "B is packed as \(matrix.k) x \(matrix.n), not \(k) x \(n)")
            precondition(matrix.table === table, "B is packed for \(matrix.table.instructionSet)")
        case .transposed(let matrix):
            precondition(matrix.k == n && matrix.n == k, "B' is packed as \(matrix.k) x \(matrix.n), not \(n) x \(k)")
            precondition(matrix.table === table, "B' is packed for \(matrix.table.instructionSet)")
        case .plain: break
        }
    }
}

extension GEMM {
    private struct PackingJob {
        var plan: GEMMPlan
        var kernels: GEMMKernels
        var b: MatrixPointer
        var rowStride: Int
        var columnStride: Int
        var packed: UnsafeMutableRawPointer
    }

    /// Lays B out; every panel of it is a chunk.
    static func packB(
        _ plan: GEMMPlan, _ kernels: GEMMKernels, b: MatrixPointer, rowStride: Int, columnStride: Int,
        into packed: UnsafeMutableRawPointer
    ) {
        let job = PackingJob(
            plan: plan, kernels: kernels, b: b, rowStride: rowStride, columnStride: columnStride, packed: packed)
        Parallel.run(chunks: plan.columnTiles, team: team(plan), context: job) { context, j, _ in
            let job = context.assumingMemoryBound(to: PackingJob.self)
            let plan = job.pointee.plan
            let b = job.pointee.b
            let first = j * plan.blocking.tileColumns * job.pointee.columnStride * (b.isHalf ? 2 : 4)
            job.pointee.kernels.packB(
                plan.k, plan.columns(j), plan.packedColumns(j), b.base + first, b.isHalf, job.pointee.kernels.isHalf,
                job.pointee.rowStride, job.pointee.columnStride, job.pointee.packed + plan.panelOffset(j))
        }
    }

    private struct TransposingJob {
        var plan: GEMMPlan
        var kernels: GEMMKernels
        /// Of the matrix that is there.
        var source: GEMMPlan
        var panels: UnsafeRawPointer
        var packed: UnsafeMutableRawPointer
    }

    /// Lays the transpose of a packed matrix out.
    static func transposeB(
        _ plan: GEMMPlan, _ kernels: GEMMKernels, _ matrix: PackedMatrix, into packed: UnsafeMutableRawPointer
    ) {
        let job = TransposingJob(
            plan: plan, kernels: kernels,
            source: GEMMPlan(m: 0, n: matrix.n, k: matrix.k, blocking: kernels.blocking),
            panels: UnsafeRawPointer(matrix.base), packed: packed)
        Parallel.run(chunks: plan.columnTiles, team: team(plan), context: job) { context, j, _ in
            let job = context.assumingMemoryBound(to: TransposingJob.self)
            let (plan, source) = (job.pointee.plan, job.pointee.source)
            let packed = job.pointee.packed + plan.panelOffset(j)
            let tileColumns = plan.blocking.tileColumns
            for panel in 0..<source.columnTiles {
                job.pointee.kernels.transposePanel(
                    source.columns(panel), plan.columns(j), plan.packedColumns(j),
                    job.pointee.panels + source.panelOffset(panel), source.packedColumns(panel),
                    job.pointee.panels + source.panelOffset(panel + 1), j * tileColumns, job.pointee.kernels.isHalf,
                    packed + panel * tileColumns * plan.packedColumns(j) * plan.blocking.bElementBytes)
            }
        }
    }

    /// A small matrix is laid out before another thread would have woken up.
    private static func team(_ plan: GEMMPlan) -> Int { plan.n * plan.k < 1 << 14 ? 1 : Parallel.threads }
}
