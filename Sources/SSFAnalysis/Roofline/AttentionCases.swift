import SSFKernels

/// Attention over a whole batch, from the joint output of the qkv layer [B, N, 3 H D].
extension KernelCatalog {
    /// softmax(q kᵀ / sqrt(D)) v: 4 N² D operations for each head, two products; the softmax between them is not counted.
    package static func attentionForward(batch: Int, tokens: Int, heads: Int, headWidth: Int) -> KernelCase {
        let width = heads * headWidth
        let rows = batch * tokens
        return KernelCase(
            name: "attention.forward", family: .attention, label: "attention",
            shape: "[\(batch), \(heads), \(tokens), \(headWidth)]", precision: .float32,
            flops: 4 * batch * heads * tokens * tokens * headWidth, bytes: 4 * (4 * rows * width + rows * heads),
            isStreaming: true,
            prepare: { memory in
                let (qkv, out) = (memory.floats(rows * 3 * width), memory.floats(rows * width))
                let logSumExp = memory.floats(rows * heads)
                let workspace = memory.workspace
                return {
                    forward(
                        batch, tokens, heads, headWidth, qkv: qkv, out: out, logSumExp: logSumExp,
                        workspace: workspace)
                }
            })
    }

    /// The gradients of q, k and v: 10 N² D operations for each head, five products, one of which forms the scores
    /// again.
    package static func attentionBackward(batch: Int, tokens: Int, heads: Int, headWidth: Int) -> KernelCase {
        let width = heads * headWidth
        let rows = batch * tokens
        return KernelCase(
            name: "attention.backward", family: .attention, label: "attention backward",
            shape: "[\(batch), \(heads), \(tokens), \(headWidth)]", precision: .float32,
            flops: 10 * batch * heads * tokens * tokens * headWidth, bytes: 4 * (7 * rows * width + rows * heads),
            isStreaming: true,
            prepare: { memory in
                let (qkv, dQKV) = (memory.floats(rows * 3 * width), memory.floats(rows * 3 * width))
                let (out, dOut) = (memory.floats(rows * width), memory.floats(rows * width))
                let logSumExp = memory.floats(rows * heads)
                let workspace = memory.workspace
                forward(
                    batch, tokens, heads, headWidth, qkv: qkv, out: out, logSumExp: logSumExp, workspace: workspace)
                return {
                    Attention.backward(
                        batch: batch, tokens: tokens, heads: heads, headWidth: headWidth,
                        scale: 1 / Float(headWidth).squareRoot(), q: qkv, k: qkv + width, v: qkv + 2 * width,
                        rowStride: 3 * width, logSumExp: logSumExp, dOut: dOut, dq: dQKV, dk: dQKV + width,
                        dv: dQKV + 2 * width, gradientRowStride: 3 * width, workspace: workspace)
                }
            })
    }

    private static func forward(
        _ batch: Int, _ tokens: Int, _ heads: Int, _ headWidth: Int, qkv: UnsafeMutablePointer<Float>,
        out: UnsafeMutablePointer<Float>, logSumExp: UnsafeMutablePointer<Float>, workspace: Workspace
    ) {
        let width = heads * headWidth
        Attention.forward(
            batch: batch, tokens: tokens, heads: heads, headWidth: headWidth, scale: 1 / Float(headWidth).squareRoot(),
            q: qkv, k: qkv + width, v: qkv + 2 * width, rowStride: 3 * width, out: out, logSumExp: logSumExp,
            workspace: workspace)
    }
}
