import CIntrinsics
import SSFParallel

/// One matrix product on its way: what every chunk of it reads.
struct GEMMProduct {
    let plan: GEMMPlan
    let kernels: GEMMKernels
    let table: KernelTable
    let prologue: GEMMPrologue
    let epilogue: GEMMEpilogue
    let prologueOperands: ssf_gemm_prologue
    let epilogueOperands: ssf_gemm_epilogue
    let packsForOutputs: Bool

    init(
        plan: GEMMPlan, kernels: GEMMKernels, table: KernelTable, prologue: GEMMPrologue, epilogue: GEMMEpilogue,
        a: MatrixPointer, aRowStride: Int, aColumnStride: Int, c: MutableMatrixPointer, cRowStride: Int,
        accumulate: Bool
    ) {
        self.plan = plan
        self.kernels = kernels
        self.table = table
        self.prologue = prologue
        self.epilogue = epilogue
        prologueOperands = prologue.operands(
            a: a, rowStride: aRowStride, columnStride: aColumnStride, rounds: kernels.isHalf)
        epilogueOperands = epilogue.operands(c: c, cRowStride: cRowStride, accumulate: accumulate)
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
        if case .layerNorm = prologue {
            precondition(plan.k > 0, "a row of no elements has no mean")
            precondition(!a.isHalf, "a layer normalisation takes rows of single precision")
        }
        if epilogue.normGradient != nil {
            precondition(
                epilogue.kept == nil && epilogue.residual == nil && !c.isHalf,
                "with the gradient of a normalisation there is neither kept nor residual, and C is single precision")
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
    private var statisticsBytes: Int {
        GEMMPlan.wholeLines(prologueOperands.kind == 0 ? 0 : 2 * plan.maximumRows * 4)
    }
    /// The gradients of the rows, and a row of the normalisation's input.
    private var gradientBytes: Int {
        GEMMPlan.wholeLines(epilogue.normGradient == nil ? 0 : (plan.maximumRows + 1) * plan.n * 4)
    }
    private var slotBytes: Int {
        headerBytes + plan.packedABytes + plan.partialBytes + statisticsBytes + gradientBytes
    }

    /// Pointers in a slot's list of what a tile asks the memory for: rows of A and h to pack next, and its own.
    private var listCapacity: Int {
        128 + 2 * plan.blocking.tileRows * (plan.kStep / GEMMChunk.announcedSteps(plan.blocking) + 1)
    }
    private var headerBytes: Int { GEMMPlan.wholeLines(64 + listCapacity * 8) }

    /// The parts of a slot.
    struct Slot {
        /// Which row block of A it holds packed; -1: none.
        let heldRowBlock: UnsafeMutablePointer<Int>
        let packedA: UnsafeMutableRawPointer
        let partials, statistics, gradients: UnsafeMutablePointer<Float>
        /// What the micro-kernels read.
        let operands: ssf_gemm_slot
    }

    func slot(_ base: UnsafeMutableRawPointer) -> Slot {
        let packedA = base + headerBytes
        let partials = packedA + plan.packedABytes
        let statistics = partials + plan.partialBytes
        let scratch = statistics - plan.tileCount * 4
        return Slot(
            heldRowBlock: base.assumingMemoryBound(to: Int.self), packedA: packedA,
            partials: partials.assumingMemoryBound(to: Float.self),
            statistics: statistics.assumingMemoryBound(to: Float.self),
            gradients: (statistics + statisticsBytes).assumingMemoryBound(to: Float.self),
            operands: ssf_gemm_slot(
                scratch: scratch.assumingMemoryBound(to: Float.self), list: base + 64, listCount: 0, nextPartial: nil))
    }
    private var team: Int { min(Parallel.threads, plan.chunks) }

    /// What `run` needs, for the threads that there are now.
    var scratchBytes: Int { prologueSumsBytes + normSumsBytes + slotBytes * team }

    // MARK: - Running

    struct Job {
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
            GEMMChunk(job, chunk, slot).run()
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
}
