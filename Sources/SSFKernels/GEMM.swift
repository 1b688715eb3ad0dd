import SSFParallel

/// The product of two matrices of single-precision numbers, C = A B, with an epilogue per element.
///
/// - Accuracy: an element is one sum over k in ascending order, each step rounded once (twice on an x86 without FMA):
///   |error| <= k 2^-24 (1 + ...) sum |a b|, and about sqrt(k) 2^-24 of it for numbers of mixed sign.
/// - Threading: chunks of rows and columns on the whole team; the same bits for every thread count.
public enum GEMM {
    /// Packs B, element (p, j) at `b[p * rowStride + j * columnStride]`: strides (n, 1) for a row-major [k, n] matrix,
    /// (1, k) for the weight [n, k] of a linear layer y = x Wᵀ.
    package static func pack(
        k: Int, n: Int, b: UnsafePointer<Float>, rowStride: Int, columnStride: Int, table: KernelTable = .current
    ) -> PackedMatrix {
        let packed = PackedMatrix(k: k, n: n, table: table)
        repack(packed, b: b, rowStride: rowStride, columnStride: columnStride)
        return packed
    }

    /// Packs new numbers into a matrix of the same shape.
    package static func repack(_ packed: PackedMatrix, b: UnsafePointer<Float>, rowStride: Int, columnStride: Int) {
        packB(
            GEMMPlan(m: 0, n: packed.n, k: packed.k, blocking: packed.table.gemm.blocking), table: packed.table.gemm,
            b: b, rowStride: rowStride, columnStride: columnStride, into: packed.base)
    }

    /// C = A B with B packed; element (i, p) of A at `a[i * aRowStride + p * aColumnStride]`.
    ///
    /// - Parameters:
    ///   - accumulate: adds to C instead of overwriting it.
    ///   - table: must be the one that `packed` was packed for.
    package static func multiply(
        m: Int, n: Int, k: Int, a: UnsafePointer<Float>, aRowStride: Int, aColumnStride: Int, packed: PackedMatrix,
        c: UnsafeMutablePointer<Float>, cRowStride: Int, accumulate: Bool = false,
        epilogue: GEMMEpilogue = GEMMEpilogue(), workspace: Workspace, table: KernelTable = .current
    ) {
        precondition(packed.k == k && packed.n == n, "B is packed as \(packed.k) x \(packed.n), not \(k) x \(n)")
        precondition(packed.table === table, "B is packed for \(packed.table.instructionSet)")
        let plan = GEMMPlan(m: m, n: n, k: k, blocking: table.gemm.blocking)
        run(
            plan, table: table.gemm, a: a, aRowStride: aRowStride, aColumnStride: aColumnStride, packedB: packed.base,
            c: c, cRowStride: cRowStride, accumulate: accumulate, epilogue: epilogue, workspace: workspace,
            workspaceOffset: 0)
    }

    /// C = A B; element (p, j) of B at `b[p * bRowStride + j * bColumnStride]`. B is packed into the workspace first:
    /// for a B that is used again, `pack` it once.
    package static func multiply(
        m: Int, n: Int, k: Int, a: UnsafePointer<Float>, aRowStride: Int, aColumnStride: Int, b: UnsafePointer<Float>,
        bRowStride: Int, bColumnStride: Int, c: UnsafeMutablePointer<Float>, cRowStride: Int,
        accumulate: Bool = false, epilogue: GEMMEpilogue = GEMMEpilogue(), workspace: Workspace,
        table: KernelTable = .current
    ) {
        guard m > 0, n > 0 else { return }
        let plan = GEMMPlan(m: m, n: n, k: k, blocking: table.gemm.blocking)
        let bytes = pages(plan.packedBCount)
        // All of it at once: growing later would move the packed B.
        let base = workspace.reserve(bytes: bytes + slotBytes(plan) * Parallel.threads)
        let packedB = base.assumingMemoryBound(to: Float.self)
        packB(plan, table: table.gemm, b: b, rowStride: bRowStride, columnStride: bColumnStride, into: packedB)
        run(
            plan, table: table.gemm, a: a, aRowStride: aRowStride, aColumnStride: aColumnStride, packedB: packedB,
            c: c, cRowStride: cRowStride, accumulate: accumulate, epilogue: epilogue, workspace: workspace,
            workspaceOffset: bytes)
    }

    // MARK: - Regions

    private struct PackingJob {
        var plan: GEMMPlan
        var packB: GEMMTable.PackB
        var b: UnsafePointer<Float>
        var rowStride: Int
        var columnStride: Int
        var packed: UnsafeMutablePointer<Float>
    }

    /// Every panel of B is a chunk.
    private static func packB(
        _ plan: GEMMPlan, table: GEMMTable, b: UnsafePointer<Float>, rowStride: Int, columnStride: Int,
        into packed: UnsafeMutablePointer<Float>
    ) {
        let job = PackingJob(
            plan: plan, packB: table.packB, b: b, rowStride: rowStride, columnStride: columnStride, packed: packed)
        // A small matrix is packed before another thread would have woken up.
        let team = plan.packedBCount < 1 << 14 ? 1 : Parallel.threads
        Parallel.run(chunks: plan.columnTiles, team: team, context: job) { context, j, _ in
            let job = context.assumingMemoryBound(to: PackingJob.self)
            let plan = job.pointee.plan
            job.pointee.packB(
                plan.k, plan.columns(j), plan.packedColumns(j),
                job.pointee.b + j * plan.blocking.tileColumns * job.pointee.columnStride, job.pointee.rowStride,
                job.pointee.columnStride, job.pointee.packed + plan.panelOffset(j))
        }
    }

    private struct Job {
        var plan: GEMMPlan
        var table: GEMMTable
        var a: UnsafePointer<Float>
        var aRowStride: Int
        var aColumnStride: Int
        var packedB: UnsafePointer<Float>
        var c: UnsafeMutablePointer<Float>
        var cRowStride: Int
        var accumulate: Bool
        var epilogue: GEMMEpilogue
        var slots: UnsafeMutableRawPointer
        var slotBytes: Int
    }

    /// A slot: which row block of A it holds, then that block packed, then partial sums.
    private static func slotBytes(_ plan: GEMMPlan) -> Int { 64 + pages(plan.packedACount + plan.partialCount) }

    private static func pages(_ floats: Int) -> Int { (floats * MemoryLayout<Float>.stride + 4095) / 4096 * 4096 }

    private static func run(
        _ plan: GEMMPlan, table: GEMMTable, a: UnsafePointer<Float>, aRowStride: Int, aColumnStride: Int,
        packedB: UnsafePointer<Float>, c: UnsafeMutablePointer<Float>, cRowStride: Int, accumulate: Bool,
        epilogue: GEMMEpilogue, workspace: Workspace, workspaceOffset: Int
    ) {
        guard plan.m > 0, plan.n > 0 else { return }
        let team = min(Parallel.threads, plan.chunks)
        let slotBytes = slotBytes(plan)
        let slots = workspace.reserve(bytes: workspaceOffset + slotBytes * team) + workspaceOffset
        for slot in 0..<team { (slots + slot * slotBytes).storeBytes(of: -1, as: Int.self) }
        let job = Job(
            plan: plan, table: table, a: a, aRowStride: aRowStride, aColumnStride: aColumnStride, packedB: packedB,
            c: c, cRowStride: cRowStride, accumulate: accumulate, epilogue: epilogue, slots: slots,
            slotBytes: slotBytes)
        Parallel.run(chunks: plan.chunks, team: team, context: job) { context, chunk, slot in
            GEMM.multiplyChunk(context.assumingMemoryBound(to: Job.self), chunk, slot)
        }
    }

    private static func multiplyChunk(_ job: UnsafePointer<Job>, _ chunk: Int, _ slot: Int) {
        let plan = job.pointee.plan
        let rowBlock = chunk / plan.columnBlocks
        let rows = plan.rowTiles(ofBlock: rowBlock)
        let columns = plan.columnTiles(ofBlock: chunk % plan.columnBlocks)
        let room = job.pointee.slots + slot * job.pointee.slotBytes
        let packedA = (room + 64).assumingMemoryBound(to: Float.self)
        let partials = packedA + plan.packedACount
        // Chunks of the same rows come one after the other: A is packed by the first.
        if room.load(as: Int.self) != rowBlock {
            packA(job, rows, into: packedA)
            room.storeBytes(of: rowBlock, as: Int.self)
        }
        for kBlock in 0..<plan.kBlocks {
            let firstK = kBlock * plan.kStep
            let steps = min(plan.kStep, plan.k - firstK)
            for j in columns {
                for i in rows {
                    let place = plan.kBlocks > 1 ? (j - columns.lowerBound) * rows.count + i - rows.lowerBound : 0
                    multiplyTile(
                        job, i, j, firstK: firstK, steps: steps,
                        packedA: packedA + (i - rows.lowerBound) * plan.packedTileCount,
                        partial: partials + place * plan.blocking.tileRows * plan.blocking.tileColumns)
                }
            }
        }
    }

    private static func packA(
        _ job: UnsafePointer<Job>, _ tiles: Range<Int>, into packed: UnsafeMutablePointer<Float>
    ) {
        let plan = job.pointee.plan
        let tileRows = plan.blocking.tileRows
        for i in tiles {
            let rows = min(tileRows, plan.m - i * tileRows)
            job.pointee.table.packA(
                rows, job.pointee.table.packedRows(rows), plan.k,
                job.pointee.a + i * tileRows * job.pointee.aRowStride, job.pointee.aRowStride,
                job.pointee.aColumnStride, packed + (i - tiles.lowerBound) * plan.packedTileCount)
        }
    }

    @inline(__always)
    private static func multiplyTile(
        _ job: UnsafePointer<Job>, _ i: Int, _ j: Int, firstK: Int, steps: Int, packedA: UnsafePointer<Float>,
        partial: UnsafeMutablePointer<Float>
    ) {
        let plan = job.pointee.plan
        let row = i * plan.blocking.tileRows
        let column = j * plan.blocking.tileColumns
        let rows = min(plan.blocking.tileRows, plan.m - row)
        let epilogue = job.pointee.epilogue
        job.pointee.table.tile(
            rows, plan.columns(j), steps, packedA + firstK * job.pointee.table.packedRows(rows),
            job.pointee.packedB + plan.panelOffset(j) + firstK * plan.packedColumns(j), partial, firstK == 0,
            firstK + steps == plan.k, job.pointee.c + row * job.pointee.cRowStride + column, job.pointee.cRowStride,
            job.pointee.accumulate, epilogue.bias.map { $0 + column }, epilogue.scale.map { $0 + column },
            epilogue.shift.map { $0 + column }, epilogue.kept.map { $0 + row * epilogue.keptRowStride + column },
            epilogue.keptRowStride, epilogue.rowScale.map { $0 + row },
            epilogue.residual.map { $0 + row * epilogue.residualRowStride + column }, epilogue.residualRowStride)
    }
}
