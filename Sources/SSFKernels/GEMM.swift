/// The product of two matrices of single-precision numbers, C = A B, with an epilogue per element.
package enum GEMM {
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
        for p in 0..<packed.k {
            for j in 0..<packed.n { packed.base[p * packed.n + j] = b[p * rowStride + j * columnStride] }
        }
    }

    /// C = A B with B packed; element (i, p) of A at `a[i * aRowStride + p * aColumnStride]`.
    package static func multiply(
        m: Int, n: Int, k: Int, a: UnsafePointer<Float>, aRowStride: Int, aColumnStride: Int, packed: PackedMatrix,
        c: UnsafeMutablePointer<Float>, cRowStride: Int, accumulate: Bool = false,
        epilogue: GEMMEpilogue = GEMMEpilogue(), workspace: Workspace, table: KernelTable = .current
    ) {
        precondition(packed.k == k && packed.n == n && packed.table === table)
        multiply(
            m: m, n: n, k: k, a: a, aRowStride: aRowStride, aColumnStride: aColumnStride, b: packed.base,
            bRowStride: n, bColumnStride: 1, c: c, cRowStride: cRowStride, accumulate: accumulate, epilogue: epilogue,
            workspace: workspace, table: table)
    }

    /// C = A B; element (p, j) of B at `b[p * bRowStride + j * bColumnStride]`.
    package static func multiply(
        m: Int, n: Int, k: Int, a: UnsafePointer<Float>, aRowStride: Int, aColumnStride: Int, b: UnsafePointer<Float>,
        bRowStride: Int, bColumnStride: Int, c: UnsafeMutablePointer<Float>, cRowStride: Int,
        accumulate: Bool = false, epilogue: GEMMEpilogue = GEMMEpilogue(), workspace: Workspace,
        table: KernelTable = .current
    ) {
        for i in 0..<m {
            for j in 0..<n {
                var h: Float = 0
                for p in 0..<k {
                    h += a[i * aRowStride + p * aColumnStride] * b[p * bRowStride + j * bColumnStride]
                }
                h += epilogue.bias?[j] ?? 0
                epilogue.kept?[i * epilogue.keptRowStride + j] = h
                var value = (epilogue.scale?[j] ?? 1) * h + (epilogue.shift?[j] ?? 0)
                value *= epilogue.rowScale?[i] ?? 1
                value += epilogue.residual?[i * epilogue.residualRowStride + j] ?? 0
                if accumulate { value += c[i * cRowStride + j] }
                c[i * cRowStride + j] = value
            }
        }
    }
}
