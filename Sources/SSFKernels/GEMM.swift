import SSFParallel

/// The product of two matrices, C = A B, with a prologue on A and an epilogue on C, in single precision or in bfloat16.
/// A, B and C are stored as either, whatever the product is computed in.
///
/// - Accuracy: an element is one sum over k in ascending order, each step rounded once (twice on an x86 without FMA):
///   |error| <= k 2^-24 (1 + ...) sum |a b|, and about sqrt(k) 2^-24 of it for numbers of mixed sign. In bfloat16 that is
///   the error beside the exact product of A and B after each has been rounded to bfloat16, which itself changes a
///   factor by up to 2^-8 of it; sums are single precision. An instruction set that multiplies bfloat16 takes two steps at
///   a time, the later one first, and counts denormal factors, sums and results as zero: up to k 2^-126 more. Others
///   widen what was rounded and differ in nothing else.
/// - Threading: chunks of rows and columns on the whole team; the same bits for every thread count.
public enum GEMM {
    /// Packs B, element (p, j) at `b[p * rowStride + j * columnStride]`: strides (n, 1) for a row-major [k, n] matrix,
    /// (1, k) for the weight [n, k] of a linear layer y = x Wᵀ.
    package static func pack<Element: MatrixElement>(
        k: Int, n: Int, b: UnsafePointer<Element>, rowStride: Int, columnStride: Int,
        precision: Precision = .float32, table: KernelTable = .current
    ) -> PackedMatrix {
        let packed = PackedMatrix(k: k, n: n, precision: precision, table: table)
        let kernels = table.gemm.kernels(precision)
        packB(
            GEMMPlan(m: 0, n: n, k: k, blocking: kernels.blocking), kernels, b: MatrixPointer(b), rowStride: rowStride,
            columnStride: columnStride, into: packed.base)
        return packed
    }

    /// C = A B with B packed; element (i, p) of A at `a[i * aRowStride + p * aColumnStride]`.
    ///
    /// - Parameters:
    ///   - accumulate: adds to C instead of overwriting it.
    ///   - prologue: needs a row-major A (`aColumnStride` 1), but for a gradient without sums.
    ///   - table: must be the one that `packed` was packed for.
    package static func multiply<A: MatrixElement, C: MatrixElement>(
        m: Int, n: Int, k: Int, a: UnsafePointer<A>, aRowStride: Int, aColumnStride: Int, packed: PackedMatrix,
        c: UnsafeMutablePointer<C>, cRowStride: Int, accumulate: Bool = false,
        prologue: GEMMPrologue = .identity, epilogue: GEMMEpilogue = GEMMEpilogue(), workspace: Workspace,
        table: KernelTable = .current
    ) {
        multiply(
            m: m, n: n, k: k, a: MatrixPointer(a), aRowStride: aRowStride, aColumnStride: aColumnStride,
            b: .packed(packed), c: MutableMatrixPointer(c), cRowStride: cRowStride, accumulate: accumulate,
            prologue: prologue, epilogue: epilogue, workspace: workspace, table: table)
    }

    /// The same for matrices of which only the running program knows what they hold, and B as the caller has it.
    package static func multiply(
        m: Int, n: Int, k: Int, a: MatrixPointer, aRowStride: Int, aColumnStride: Int, b: GEMMOperandB,
        c: MutableMatrixPointer, cRowStride: Int, accumulate: Bool = false, prologue: GEMMPrologue = .identity,
        epilogue: GEMMEpilogue = GEMMEpilogue(), workspace: Workspace, table: KernelTable = .current
    ) {
        b.check(k: k, n: n, table: table)
        guard m > 0, n > 0 else { return }
        let kernels = table.gemm.kernels(b.precision)
        let product = GEMMProduct(
            plan: GEMMPlan(m: m, n: n, k: k, blocking: kernels.blocking, wholeRows: epilogue.normGradient != nil),
            kernels: kernels, table: table, prologue: prologue, epilogue: epilogue, a: a, aRowStride: aRowStride,
            aColumnStride: aColumnStride, c: c, cRowStride: cRowStride, accumulate: accumulate)
        let packedBytes = b.isPackedInCall ? GEMMPlan.wholeLines(product.plan.packedBBytes) : 0
        // All of it at once: growing later would move the packed B.
        let scratch = workspace.reserve(bytes: packedBytes + product.scratchBytes)
        var packedB = UnsafeRawPointer(scratch)
        switch b {
        case .packed(let matrix):
            packedB = UnsafeRawPointer(matrix.base)
        case .transposed(let matrix):
            transposeB(product.plan, kernels, matrix, into: scratch)
        case .plain(let b, let rowStride, let columnStride, _):
            packB(product.plan, kernels, b: b, rowStride: rowStride, columnStride: columnStride, into: scratch)
        }
        product.run(packedB: packedB, scratch: scratch + packedBytes)
    }

    /// C = A B; element (p, j) of B at `b[p * bRowStride + j * bColumnStride]`. B is packed into the workspace first:
    /// for a B that is used again, `pack` it once.
    package static func multiply<A: MatrixElement, B: MatrixElement, C: MatrixElement>(
        m: Int, n: Int, k: Int, a: UnsafePointer<A>, aRowStride: Int, aColumnStride: Int, b: UnsafePointer<B>,
        bRowStride: Int, bColumnStride: Int, c: UnsafeMutablePointer<C>, cRowStride: Int,
        accumulate: Bool = false, prologue: GEMMPrologue = .identity, epilogue: GEMMEpilogue = GEMMEpilogue(),
        precision: Precision = .float32, workspace: Workspace, table: KernelTable = .current
    ) {
        multiply(
            m: m, n: n, k: k, a: MatrixPointer(a), aRowStride: aRowStride, aColumnStride: aColumnStride,
            b: .plain(MatrixPointer(b), rowStride: bRowStride, columnStride: bColumnStride, precision: precision),
            c: MutableMatrixPointer(c), cRowStride: cRowStride, accumulate: accumulate, prologue: prologue,
            epilogue: epilogue, workspace: workspace, table: table)
    }
}
