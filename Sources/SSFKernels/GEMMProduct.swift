import CIntrinsics
import SSFParallel

/// One matrix product on its way: what every chunk of it reads.
struct GEMMProduct {
    let plan: GEMMPlan
    private let kernels: GEMMKernels
    private let table: KernelTable
    private let prologue: GEMMPrologue
    private let epilogue: GEMMEpilogue
    private let prologueOperands: ssf_gemm_prologue
    private let epilogueOperands: ssf_gemm_epilogue
    private let usesPrologue: Bool
    private let packsForOutputs: Bool

    init(
        plan: GEMMPlan, kernels: GEMMKernels, table: KernelTable, prologue: GEMMPrologue, epilogue: GEMMEpilogue,
        a: UnsafePointer<Float>, aRowStride: Int, aColumnStride: Int, c: UnsafeMutablePointer<Float>, cRowStride: Int,
        accumulate: Bool
    ) {
        self.plan = plan
        self.kernels = kernels
        self.table = table
        self.prologue = prologue
        self.epilogue = epilogue
        prologueOperands = prologue.operands(a: a, rowStride: aRowStride, columnStride: aColumnStride)
        epilogueOperands = epilogue.operands(c: c, cRowStride: cRowStride, accumulate: accumulate)
        usesPrologue = prologueOperands.kind != 0
        packsForOutputs = prologue.hasOutputs
        if aColumnStride != 1 {
            switch prologue {
            case .identity: break
            case .gradient: precondition(!packsForOutputs, "sums of gradients need a row-major A")
            default: preconditionFailure("this prologue needs a row-major A")
            }
        }
        if case .gradient(let gradient) = prologue {
            precondition(gradient.dScale == nil || gradient.h != nil, "the gradient of a scale needs what it scaled")
        }
        if case .layerNorm = prologue { precondition(plan.k > 0, "a row of no elements has no mean") }
        if epilogue.normGradient != nil {
            precondition(
                epilogue.kept == nil && epilogue.residual == nil,
                "with the gradient of a normalisation there is neither kept nor residual")
        }
    }

    // MARK: - Scratch

    // The partial sums of the prologue [row blocks, 2, k] and of the epilogue [row blocks, 2, n], then a slot for each
    // thread: which row block of A it holds, that block packed, the sums that one k block hands to the next, statistics
    // of rows, gradients of rows.

    private var prologueSumsBytes: Int { prologue.formsSums ? GEMMPlan.wholeLines(plan.rowBlocks * 2 * plan.k * 4) : 0 }
    private var normSumsBytes: Int {
        guard let norm = epilogue.normGradient, norm.dWeight != nil || norm.dBias != nil else { return 0 }
        return GEMMPlan.wholeLines(plan.rowBlocks * 2 * plan.n * 4)
    }
    private var statisticsBytes: Int { GEMMPlan.wholeLines(usesPrologue ? 2 * plan.maximumRows * 4 : 0) }
    private var gradientBytes: Int {
        GEMMPlan.wholeLines(epilogue.normGradient == nil ? 0 : plan.maximumRows * plan.n * 4)
    }
    private var slotBytes: Int {
        64 + 512 + plan.packedABytes + plan.partialBytes + statisticsBytes + gradientBytes
    }
    private var team: Int { min(Parallel.threads, plan.chunks) }

    /// What `run` needs, for the threads that there are now.
    var scratchBytes: Int { prologueSumsBytes + normSumsBytes + slotBytes * team }

    // MARK: - Running

    private struct Job {
        let product: GEMMProduct
        let packedB: UnsafeRawPointer
        let prologueSums: PartialSums?
        let normSums: PartialSums?
        let slots: UnsafeMutableRawPointer
        let slotBytes: Int
    }

    func run(packedB: UnsafeRawPointer, scratch: UnsafeMutableRawPointer) {
        let team = team
        let slotBytes = slotBytes
        let slots = scratch + prologueSumsBytes + normSumsBytes
        for slot in 0..<team { (slots + slot * slotBytes).storeBytes(of: -1, as: Int.self) }
        let job = Job(
            product: self, packedB: packedB,
            prologueSums: prologueSumsBytes == 0
                ? nil : PartialSums(chunks: plan.rowBlocks, vectors: 2, channels: plan.k, base: scratch),
            normSums: normSumsBytes == 0
                ? nil
                : PartialSums(chunks: plan.rowBlocks, vectors: 2, channels: plan.n, base: scratch + prologueSumsBytes),
            slots: slots, slotBytes: slotBytes)
        Parallel.run(chunks: plan.chunks, team: team, context: job) { context, chunk, slot in
            let job = context.assumingMemoryBound(to: Job.self)
            job.pointee.product.multiply(chunk, job, job.pointee.slots + slot * job.pointee.slotBytes)
        }
        if case .gradient(let gradient) = prologue, let sums = job.prologueSums {
            if let dScale = gradient.dScale { sums.add(vector: 0, to: dScale, table: table) }
            if let dShift = gradient.dShift { sums.add(vector: 1, to: dShift, table: table) }
        }
        if let norm = epilogue.normGradient, let sums = job.normSums {
            if let dWeight = norm.dWeight { sums.add(vector: 0, to: dWeight, table: table) }
            if let dBias = norm.dBias { sums.add(vector: 1, to: dBias, table: table) }
        }
    }

    private func multiply(_ chunk: Int, _ job: UnsafePointer<Job>, _ slot: UnsafeMutableRawPointer) {
        let rowBlock = chunk / plan.columnBlocks
        let columnBlock = chunk % plan.columnBlocks
        let rows = plan.rowTiles(ofBlock: rowBlock)
        let columns = plan.columnTiles(ofBlock: columnBlock)
        let packedA = slot + 64 + 512
        let partials = (packedA + plan.packedABytes).assumingMemoryBound(to: Float.self)
        let statistics = (packedA + plan.packedABytes + plan.partialBytes).assumingMemoryBound(to: Float.self)
        let gradients = (packedA + plan.packedABytes + plan.partialBytes + statisticsBytes)
            .assumingMemoryBound(to: Float.self)
        var target = epilogueOperands
        target.scratch = partials + plan.partialBytes / 4 - plan.tileCount
        target.rowList = slot + 64
        if epilogue.normGradient != nil {
            target.c = gradients
            target.cRowStride = plan.n
            target.cFirstRow = rows.lowerBound * plan.blocking.tileRows
            target.accumulate = false
        }
        // What packing yields beside A comes from the chunk of the first columns, once for each block of rows.
        let isFirstOfRows = columnBlock == 0
        for kBlock in 0..<plan.kBlocks {
            let firstK = kBlock * plan.kStep
            let steps = min(plan.kStep, plan.k - firstK)
            // Chunks of the same rows come one after the other: where k is one block, A is packed by the first.
            if plan.kBlocks > 1 || slot.load(as: Int.self) != rowBlock || isFirstOfRows && packsForOutputs {
                pack(
                    rows, firstK, steps, statistics, isFirstOfRows ? job.pointee.prologueSums : nil, rowBlock,
                    writesStatistics: isFirstOfRows, into: packedA)
                slot.storeBytes(of: rowBlock, as: Int.self)
            }
            withUnsafePointer(to: target) { target in
                multiplyTiles(
                    rows, columns, firstK, steps, packedA, job.pointee.packedB, partials, target)
            }
        }
        if epilogue.normGradient != nil { finishNorm(rows, gradients, job.pointee.normSums, rowBlock) }
    }

    /// Panel by panel of B, past which go the tiles of the rows.
    private func multiplyTiles(
        _ rows: Range<Int>, _ columns: Range<Int>, _ firstK: Int, _ steps: Int, _ packedA: UnsafeRawPointer,
        _ packedB: UnsafeRawPointer, _ partials: UnsafeMutablePointer<Float>, _ target: UnsafePointer<ssf_gemm_epilogue>
    ) {
        let tileRows = plan.blocking.tileRows
        let tileCount = tileRows * plan.blocking.tileColumns
        let isFirst = firstK == 0
        let isLast = firstK + steps == plan.k
        for j in columns {
            let panelColumns = plan.columns(j)
            let b = packedB + plan.panelOffset(j) + firstK * plan.packedColumns(j) * plan.blocking.elementBytes
            for i in rows {
                let place = plan.kBlocks > 1 ? (j - columns.lowerBound) * rows.count + i - rows.lowerBound : 0
                kernels.tile(
                    min(tileRows, plan.m - i * tileRows), panelColumns, steps,
                    packedA + (i - rows.lowerBound) * plan.packedTileBytes, b, partials + place * tileCount, isFirst,
                    isLast, i * tileRows, j * plan.blocking.tileColumns, target)
            }
        }
    }

    private func pack(
        _ tiles: Range<Int>, _ firstK: Int, _ steps: Int, _ statistics: UnsafeMutablePointer<Float>,
        _ sums: PartialSums?, _ rowBlock: Int, writesStatistics: Bool, into packed: UnsafeMutableRawPointer
    ) {
        var scaleSums, shiftSums: UnsafeMutablePointer<Float>?
        if case .gradient(let gradient) = prologue, let sums {
            if gradient.dScale != nil { scaleSums = sums.start(chunk: rowBlock, vector: 0, zeroed: firstK == 0) }
            if gradient.dShift != nil { shiftSums = sums.start(chunk: rowBlock, vector: 1, zeroed: firstK == 0) }
        }
        let operands = prologueOperands
        for i in tiles {
            let row = i * plan.blocking.tileRows
            let rows = min(plan.blocking.tileRows, plan.m - row)
            let target = packed + (i - tiles.lowerBound) * plan.packedTileBytes
            guard usesPrologue else {
                kernels.packA(
                    rows, kernels.packedRows(rows), steps,
                    operands.a + row * operands.rowStride + firstK * operands.columnStride, operands.rowStride,
                    operands.columnStride, target)
                continue
            }
            let mean = statistics + 2 * (i - tiles.lowerBound) * plan.blocking.tileRows
            let reciprocalDeviation = mean + plan.blocking.tileRows
            if case .layerNorm(let norm) = prologue, firstK == 0 {
                table.gemm.normStatistics(
                    rows, plan.k, operands.a + row * operands.rowStride, operands.rowStride, norm.epsilon, mean,
                    reciprocalDeviation)
                if writesStatistics {
                    if let target = norm.mean { (target + row).update(from: mean, count: rows) }
                    if let target = norm.reciprocalDeviation {
                        (target + row).update(from: reciprocalDeviation, count: rows)
                    }
                }
            }
            withUnsafePointer(to: operands) {
                kernels.packWithPrologue(
                    rows, kernels.packedRows(rows), row, firstK, steps, $0, mean, reciprocalDeviation, scaleSums,
                    shiftSums, target)
            }
        }
    }

    /// The backward pass of a normalisation for rows whose gradients are complete and at hand.
    private func finishNorm(
        _ tiles: Range<Int>, _ gradients: UnsafePointer<Float>, _ sums: PartialSums?, _ rowBlock: Int
    ) {
        guard let norm = epilogue.normGradient else { return }
        let weightSums = sums?.zeroed(chunk: rowBlock, vector: 0)
        let biasSums = sums?.zeroed(chunk: rowBlock, vector: 1)
        let first = tiles.lowerBound * plan.blocking.tileRows
        let rows = min(tiles.upperBound * plan.blocking.tileRows, plan.m) - first
        for i in 0..<rows {
            let row = first + i
            table.gemm.normBackward(
                1, plan.n, gradients + i * plan.n, norm.x + row * norm.xRowStride, norm.mean + row,
                norm.reciprocalDeviation + row, norm.weight, epilogueOperands.c + row * epilogueOperands.cRowStride,
                epilogueOperands.accumulate, weightSums, biasSums, false)
        }
    }
}
