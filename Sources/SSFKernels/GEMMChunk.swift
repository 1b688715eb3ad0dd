import CIntrinsics

/// A block of rows and columns of a product: what one thread computes at a time.
struct GEMMChunk {
    private let job: UnsafePointer<GEMMProduct.Job>
    private let slot: GEMMProduct.Slot
    private let rowBlock: Int
    /// Tiles.
    private let rows, columns: Range<Int>
    /// What packing yields beside A comes from the chunk of the first columns, once for each block of rows.
    private let yieldsOutputs: Bool

    private var product: GEMMProduct { job.pointee.product }
    private var plan: GEMMPlan { job.pointee.product.plan }

    init(_ job: UnsafePointer<GEMMProduct.Job>, _ chunk: Int, _ slot: Int) {
        let plan = job.pointee.product.plan
        self.job = job
        self.slot = job.pointee.product.slot(job.pointee.slots + slot * job.pointee.slotBytes)
        rowBlock = chunk / plan.columnBlocks
        rows = plan.rowTiles(ofBlock: rowBlock)
        columns = plan.columnTiles(ofBlock: chunk % plan.columnBlocks)
        yieldsOutputs = chunk % plan.columnBlocks == 0
    }

    func run() {
        var target = product.epilogueOperands
        if product.epilogue.normGradient != nil {
            target.c = UnsafeMutableRawPointer(slot.gradients)
            target.cRowStride = plan.n
            target.cFirstRow = rows.lowerBound * plan.blocking.tileRows
            target.accumulate = false
        }
        for kBlock in 0..<plan.kBlocks {
            let firstK = kBlock * plan.kStep
            // Chunks of the same rows come one after the other: where k is one block, A is packed by the first.
            let packs =
                plan.kBlocks > 1 || slot.heldRowBlock.pointee != rowBlock || yieldsOutputs && product.packsForOutputs
            multiply(firstK, min(plan.kStep, plan.k - firstK), packs: packs, target)
            slot.heldRowBlock.pointee = rowBlock
        }
        if product.epilogue.normGradient != nil { finishNorm() }
    }

    /// Panel by panel of B, past which go the tiles of the rows. Rows are packed just before they go past the first
    /// panel: what is packed next can come from memory while they are multiplied.
    private func multiply(_ firstK: Int, _ steps: Int, packs: Bool, _ target: ssf_gemm_epilogue) {
        let plan = plan
        let tileRows = plan.blocking.tileRows
        let kernels = product.kernels
        let (isFirst, isLast) = (firstK == 0, firstK + steps == plan.k)
        // Columns of A lie far apart: what a thread needs of them is taken at once.
        let group = product.prologueOperands.columnStride == 1 ? 1 : rows.count
        var operands = slot.operands
        for j in columns {
            let packsNow = packs && j == columns.lowerBound
            let panelColumns = plan.columns(j)
            let b =
                job.pointee.packedB + plan.panelOffset(j)
                + firstK * plan.packedColumns(j) * plan.blocking.bElementBytes
            for i in rows {
                let place = i - rows.lowerBound
                if packsNow {
                    if place % group == 0 { pack(i..<min(i + group, rows.upperBound), firstK, steps) }
                    operands.listCount = 0
                    if (place + 1) % group == 0 { announce(i + 1, firstK, steps, &operands) }
                }
                var partial = slot.partials
                if plan.kBlocks > 1 {
                    partial += ((j - columns.lowerBound) * rows.count + place) * plan.tileCount
                    let isEnd = i + 1 == rows.upperBound && j + 1 == columns.upperBound
                    operands.nextPartial =
                        isEnd && !isFirst ? nil : UnsafePointer(isFirst ? partial : partial + plan.tileCount)
                }
                withUnsafePointer(to: target) { target in
                    withUnsafePointer(to: operands) { operands in
                        kernels.tile(
                            min(tileRows, plan.m - i * tileRows), panelColumns, steps,
                            slot.packedA + place * plan.packedTileBytes, b, partial, isFirst, isLast, i * tileRows,
                            j * plan.blocking.tileColumns, target, operands)
                    }
                }
            }
            operands.listCount = 0
        }
    }

    // MARK: - Packing A

    private func pack(_ tiles: Range<Int>, _ firstK: Int, _ steps: Int) {
        let plan = plan
        let a = product.prologueOperands
        let row = tiles.lowerBound * plan.blocking.tileRows
        let rows = min(tiles.count * plan.blocking.tileRows, plan.m - row)
        let packed = slot.packedA + (tiles.lowerBound - self.rows.lowerBound) * plan.packedTileBytes
        let kernels = product.kernels
        let elementBytes = a.aIsHalf ? 2 : 4
        if a.columnStride != 1 {
            kernels.packColumns(
                rows, steps, a.a + (row * a.rowStride + firstK * a.columnStride) * elementBytes, a.aIsHalf, a.rounds,
                a.rowStride, a.columnStride, a.scale.map { $0 + row }, a.rowScale.map { $0 + firstK },
                plan.packedTileBytes, packed)
            return
        }
        if a.kind == 0 {
            kernels.packRows(
                rows, kernels.packedRows(rows), steps, a.a + (row * a.rowStride + firstK) * elementBytes, a.aIsHalf,
                a.rounds, a.rowStride, packed)
            return
        }
        let mean = slot.statistics + 2 * (row - self.rows.lowerBound * plan.blocking.tileRows)
        let reciprocalDeviation = mean + plan.blocking.tileRows
        if firstK == 0 { findStatistics(row, rows, mean, reciprocalDeviation) }
        var scaleSums, shiftSums: UnsafeMutablePointer<Float>?
        if yieldsOutputs, case .gradient(let gradient) = product.prologue, let sums = job.pointee.prologueSums {
            // Before the first rows of the block add to them.
            let zeroed = firstK == 0 && tiles.lowerBound == self.rows.lowerBound
            if gradient.dScale != nil { scaleSums = sums.start(chunk: rowBlock, vector: 0, zeroed: zeroed) }
            if gradient.dShift != nil { shiftSums = sums.start(chunk: rowBlock, vector: 1, zeroed: zeroed) }
        }
        withUnsafePointer(to: a) {
            kernels.packWithPrologue(
                rows, kernels.packedRows(rows), row, firstK, steps, $0, mean, reciprocalDeviation, scaleSums, shiftSums,
                packed)
        }
    }

    private func findStatistics(
        _ row: Int, _ rows: Int, _ mean: UnsafeMutablePointer<Float>, _ reciprocalDeviation: UnsafeMutablePointer<Float>
    ) {
        guard case .layerNorm(let norm) = product.prologue else { return }
        let a = product.prologueOperands
        product.table.gemm.normStatistics(
            rows, plan.k, a.a.assumingMemoryBound(to: Float.self) + row * a.rowStride, a.rowStride, norm.epsilon, mean,
            reciprocalDeviation)
        guard yieldsOutputs else { return }
        if let target = norm.mean { (target + row).update(from: mean, count: rows) }
        if let target = norm.reciprocalDeviation { (target + row).update(from: reciprocalDeviation, count: rows) }
    }

    /// Steps of A in the lines that a tile asks for at once: those of its own rows, 64 bytes at least.
    static func announcedSteps(_ blocking: GEMMBlocking) -> Int { max(blocking.tileColumns / 16 * 16, 16) }

    /// Tells a tile which rows are packed after it, so that it asks the memory for them: those of tile i. (Where A is not
    /// row-major, packing asks by itself.)
    private func announce(_ i: Int, _ firstK: Int, _ steps: Int, _ operands: inout ssf_gemm_slot) {
        let plan = plan
        let a = product.prologueOperands
        let row = i * plan.blocking.tileRows
        // The rows of the next chunk as well, unless those are the same again.
        guard a.columnStride == 1, row < plan.m, i < rows.upperBound || plan.columnBlocks == 1 && plan.kBlocks == 1
        else { return }
        let list = operands.list.assumingMemoryBound(to: UnsafeRawPointer.self)
        var count = 0
        for row in row..<min(row + plan.blocking.tileRows, plan.m) {
            for p in stride(from: firstK, to: firstK + steps, by: Self.announcedSteps(plan.blocking)) {
                list[count] = a.a + (row * a.rowStride + p) * (a.aIsHalf ? 2 : 4)
                count += 1
                if yieldsOutputs, let h = a.h {
                    list[count] = h + (row * a.hRowStride + p) * (a.hIsHalf ? 2 : 4)
                    count += 1
                }
            }
        }
        operands.listCount = count
    }

    // MARK: - The gradient of a normalisation

    /// The backward pass of a normalisation for rows whose gradients are complete and at hand.
    private func finishNorm() {
        guard let norm = product.epilogue.normGradient else { return }
        let plan = plan
        let target = product.epilogueOperands
        let weightSums = job.pointee.normSums?.zeroed(chunk: rowBlock, vector: 0)
        let biasSums = job.pointee.normSums?.zeroed(chunk: rowBlock, vector: 1)
        let first = rows.lowerBound * plan.blocking.tileRows
        let c = target.c.assumingMemoryBound(to: Float.self)
        let wide = slot.gradients + plan.maximumRows * plan.n
        for row in first..<min(rows.upperBound * plan.blocking.tileRows, plan.m) {
            var x = UnsafePointer(wide)
            if norm.x.isHalf {
                product.table.bfloat16.widen(
                    plan.n, norm.x.base.assumingMemoryBound(to: UInt16.self) + row * norm.xRowStride, wide)
            } else {
                x = norm.x.base.assumingMemoryBound(to: Float.self) + row * norm.xRowStride
            }
            product.table.gemm.normBackward(
                1, plan.n, slot.gradients + (row - first) * plan.n, x, norm.mean + row,
                norm.reciprocalDeviation + row, norm.weight, c + row * target.cRowStride, target.accumulate, weightSums,
                biasSums, false)
        }
    }
}
