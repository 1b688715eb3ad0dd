import SSFKernels

/// Matrix products, as linear layers use them. Intensity and operations: 2 m n k, over the three matrices.
extension KernelCatalog {
    /// y = x Wᵀ + b, x [m, k], W [n, k] packed beforehand as frozen weights are; x is packed in every call.
    ///
    /// - Parameters:
    ///   - precision: of the factors; x, b and y are stored in single precision either way, W in this.
    ///   - isStreaming: whether W comes from memory, as in a model that is larger than the caches.
    package static func linear(
        _ layer: String, m: Int, n: Int, k: Int, precision: Precision = .float32, isStreaming: Bool = false
    ) -> KernelCase {
        let isSingle = precision == .float32
        return KernelCase(
            name: isSingle ? "gemm.\(layer)" : "gemm.\(precision.rawValue).\(layer)", family: .gemm,
            label: isSingle ? layer : "\(layer) \(precision.rawValue)", shape: "\(m)x\(n)x\(k)", precision: precision,
            flops: 2 * m * n * k, bytes: 4 * (m * k + m * n + n) + (isSingle ? 4 : 2) * k * n,
            isStreaming: isStreaming,
            prepare: { memory in
                let (a, b, c) = (memory.floats(m * k), memory.floats(n * k), memory.floats(m * n))
                let bias = memory.floats(n)
                let packed = GEMM.pack(k: k, n: n, b: b, rowStride: 1, columnStride: k, precision: precision)
                let workspace = memory.workspace
                return {
                    GEMM.multiply(
                        m: m, n: n, k: k, a: a, aRowStride: k, aColumnStride: 1, packed: packed, c: c, cRowStride: n,
                        epilogue: GEMMEpilogue(bias: bias), workspace: workspace)
                }
            })
    }

    /// dW = dyᵀ x, dy [m, n], x [m, k]: both operands are packed in the call, as training everything has it.
    package static func weightGradient(_ layer: String, m: Int, n: Int, k: Int) -> KernelCase {
        KernelCase(
            name: "gemm.\(layer)", family: .gemm, label: layer, shape: "\(n)x\(k)x\(m)", precision: .float32,
            flops: 2 * m * n * k, bytes: 4 * (m * k + k * n + m * n), isStreaming: false,
            prepare: { memory in
                let (dy, x, dw) = (memory.floats(m * n), memory.floats(m * k), memory.floats(n * k))
                let workspace = memory.workspace
                return {
                    GEMM.multiply(
                        m: n, n: k, k: m, a: dy, aRowStride: 1, aColumnStride: n, b: x, bRowStride: k,
                        bColumnStride: 1, c: dw, cRowStride: k, workspace: workspace)
                }
            })
    }
}
