import CIntrinsics
import SSFParallel

/// Multi-head scaled dot-product attention, `softmax(scale * q k^T) v` for every batch entry and head, and its gradients.
///
/// Token t of batch entry b and head h of q starts at element `(b * tokens + t) * rowStride + h * headWidth`; so do k
/// and v. The output of a qkv projection [B, N, 3 * H * D] is used as it stands, with q, k and v at its first, second
/// and third H * D columns and a row stride of 3 * H * D. The result is [B, N, H * D].
///
/// - Accuracy: single precision throughout; exponentials within 2 ulp. In bfloat16 the factors of every product are
///   rounded to it, which changes each by up to 2^-8 of it: q, k, v, the weights that the softmax gives, the gradient of
///   the result, and those of the scores. Sums, the softmax and gradients that are returned stay single precision. All
///   instruction sets round the same numbers; they differ in the rounding of sums, as `GEMM` says.
/// - Threading: one batch entry and head per chunk; the same bits for every thread count.
/// - Complexity: 4 N^2 D floating-point operations per head forward, 10 N^2 D backward. The backward pass computes the
///   probabilities again, so that nothing of size N^2 is kept.
/// - Source: Vaswani et al., arXiv 1706.03762; recomputation as in Dao et al., arXiv 2205.14135.
public enum Attention {
    /// The attention of every batch entry and head.
    ///
    /// - Parameters:
    ///   - scale: factor of the scores, usually `1 / sqrt(headWidth)`.
    ///   - qkv: [B, N, 3 * H * D]: queries, keys and values side by side.
    ///   - out: [B, N, H * D].
    ///   - logSumExp: [B, H, N], for the backward pass: the logarithm of the sum of the exponentials of the scores.
    ///   - precision: what is multiplied, whatever qkv and out are stored in.
    ///   - workspace: scratch memory, which grows when it must.
    public static func forward<Input: MatrixElement, Output: MatrixElement>(
        batch: Int, tokens: Int, heads: Int, headWidth: Int, scale: Float, qkv: Span<Input>,
        out: inout MutableSpan<Output>, logSumExp: inout MutableSpan<Float>, precision: Precision = .float32,
        workspace: Workspace
    ) {
        let width = heads * headWidth
        precondition(qkv.count == batch * tokens * 3 * width, "qkv is [batch, tokens, 3 * heads * headWidth]")
        precondition(out.count == batch * tokens * width, "out is [batch, tokens, heads * headWidth]")
        precondition(logSumExp.count == batch * heads * tokens, "logSumExp is [batch, heads, tokens]")
        forward(
            batch: batch, tokens: tokens, heads: heads, headWidth: headWidth, scale: scale, q: qkv.start,
            k: qkv.start + width, v: qkv.start + 2 * width, rowStride: 3 * width, out: out.start,
            logSumExp: logSumExp.start, precision: precision, workspace: workspace)
    }

    /// The gradient with respect to queries, keys and values (overwritten). Of the forward pass it needs the logarithms
    /// alone.
    ///
    /// - Parameters:
    ///   - qkv, dQKV: [B, N, 3 * H * D].
    ///   - logSumExp: [B, H, N], from the forward pass.
    ///   - dOut: [B, N, H * D].
    ///   - precision: that of the forward pass.
    ///   - workspace: scratch memory, which grows when it must.
    public static func backward<Input: MatrixElement>(
        batch: Int, tokens: Int, heads: Int, headWidth: Int, scale: Float, qkv: Span<Input>,
        logSumExp: Span<Float>, dOut: Span<Float>, dQKV: inout MutableSpan<Float>, precision: Precision = .float32,
        workspace: Workspace
    ) {
        let width = heads * headWidth
        precondition(
            qkv.count == batch * tokens * 3 * width && dQKV.count == qkv.count,
            "qkv and dQKV are [batch, tokens, 3 * heads * headWidth]")
        precondition(dOut.count == batch * tokens * width, "dOut is [batch, tokens, heads * headWidth]")
        precondition(logSumExp.count == batch * heads * tokens, "logSumExp is [batch, heads, tokens]")
        let gradient = dQKV.start
        backward(
            batch: batch, tokens: tokens, heads: heads, headWidth: headWidth, scale: scale, q: qkv.start,
            k: qkv.start + width, v: qkv.start + 2 * width, rowStride: 3 * width,
            logSumExp: logSumExp.start, dOut: dOut.start, dq: gradient, dk: gradient + width,
            dv: gradient + 2 * width, gradientRowStride: 3 * width, precision: precision, workspace: workspace)
    }
}

extension Attention {
    /// A scale and a shift for each channel of q, k and v, [3 heads headWidth] in this order: where these are stored
    /// before them, they are applied while a head is read. The gradients that backward forms are those behind them.
    package struct Affine {
        package let scale: UnsafePointer<Float>
        package let shift: UnsafePointer<Float>

        package init(scale: UnsafePointer<Float>, shift: UnsafePointer<Float>) {
            self.scale = scale
            self.shift = shift
        }
    }

    /// The forward pass over pointers; `logSumExp` may be absent where no backward pass follows.
    package static func forward<Input: MatrixElement, Output: MatrixElement>(
        batch: Int, tokens: Int, heads: Int, headWidth: Int, scale: Float, q: UnsafePointer<Input>,
        k: UnsafePointer<Input>, v: UnsafePointer<Input>, rowStride: Int, affine: Affine? = nil,
        out: UnsafeMutablePointer<Output>, logSumExp: UnsafeMutablePointer<Float>?, precision: Precision = .float32,
        workspace: Workspace, table: KernelTable = .current
    ) {
        forward(
            AttentionInputs(
                batch: batch, tokens: tokens, heads: heads, headWidth: headWidth, scale: scale, q: MatrixPointer(q),
                k: MatrixPointer(k), v: MatrixPointer(v), rowStride: rowStride, affine: affine),
            out: MutableMatrixPointer(out), logSumExp: logSumExp, precision: precision, workspace: workspace,
            table: table)
    }

    /// The backward pass over pointers; rows of dq, dk and dv are `gradientRowStride` apart.
    package static func backward<Input: MatrixElement>(
        batch: Int, tokens: Int, heads: Int, headWidth: Int, scale: Float, q: UnsafePointer<Input>,
        k: UnsafePointer<Input>, v: UnsafePointer<Input>, rowStride: Int, affine: Affine? = nil,
        logSumExp: UnsafePointer<Float>, dOut: UnsafePointer<Float>,
        dq: UnsafeMutablePointer<Float>, dk: UnsafeMutablePointer<Float>, dv: UnsafeMutablePointer<Float>,
        gradientRowStride: Int, precision: Precision = .float32, workspace: Workspace, table: KernelTable = .current
    ) {
        backward(
            AttentionInputs(
                batch: batch, tokens: tokens, heads: heads, headWidth: headWidth, scale: scale, q: MatrixPointer(q),
                k: MatrixPointer(k), v: MatrixPointer(v), rowStride: rowStride, affine: affine),
            logSumExp: logSumExp, dOut: dOut, dq: dq, dk: dk, dv: dv,
            gradientRowStride: gradientRowStride, precision: precision, workspace: workspace, table: table)
    }

    private struct ForwardJob {
        let heads: AttentionHeads
        let out: MutableMatrixPointer
        let logSumExp: UnsafeMutablePointer<Float>?
        let kernel: AttentionKernels.Forward
    }

    /// The same for inputs and results of which only the running program knows what they hold.
    package static func forward(
        _ inputs: AttentionInputs, out: MutableMatrixPointer, logSumExp: UnsafeMutablePointer<Float>?,
        precision: Precision, workspace: Workspace, table: KernelTable = .current
    ) {
        guard inputs.hasWork else { return }
        let kernels = table.attention.kernels(precision)
        let job = ForwardJob(
            heads: AttentionHeads(
                inputs, rounds: precision == .bfloat16,
                scratchCount: kernels.forwardScratch(inputs.tokens, inputs.headWidth), workspace: workspace),
            out: out, logSumExp: logSumExp, kernel: kernels.forward)
        Parallel.run(chunks: inputs.batch * inputs.heads, team: job.heads.team, context: job) { context, chunk, slot in
            let job = context.assumingMemoryBound(to: ForwardJob.self)
            let heads = job.pointee.heads
            let x = heads.inputs
            let stride = x.heads * x.headWidth
            let out = job.pointee.out
            var head = heads.head(chunk)
            job.pointee.kernel(
                &head, out.base + heads.offset(chunk, stride: stride) * (out.isHalf ? 2 : 4), out.isHalf, stride,
                job.pointee.logSumExp.map { $0 + chunk * x.tokens }, heads.scratch(slot))
        }
    }

    private struct BackwardJob {
        let heads: AttentionHeads
        let logSumExp, dOut: UnsafePointer<Float>
        let dq, dk, dv: UnsafeMutablePointer<Float>
        let gradientRowStride: Int
        let kernel: AttentionKernels.Backward
    }

    package static func backward(
        _ inputs: AttentionInputs, logSumExp: UnsafePointer<Float>, dOut: UnsafePointer<Float>,
        dq: UnsafeMutablePointer<Float>, dk: UnsafeMutablePointer<Float>, dv: UnsafeMutablePointer<Float>,
        gradientRowStride: Int, precision: Precision, workspace: Workspace, table: KernelTable = .current
    ) {
        precondition(gradientRowStride >= inputs.heads * inputs.headWidth)
        guard inputs.hasWork else { return }
        let kernels = table.attention.kernels(precision)
        let job = BackwardJob(
            heads: AttentionHeads(
                inputs, rounds: precision == .bfloat16,
                scratchCount: kernels.backwardScratch(inputs.tokens, inputs.headWidth), workspace: workspace),
            logSumExp: logSumExp, dOut: dOut, dq: dq, dk: dk, dv: dv,
            gradientRowStride: gradientRowStride, kernel: kernels.backward)
        Parallel.run(chunks: inputs.batch * inputs.heads, team: job.heads.team, context: job) { context, chunk, slot in
            let job = context.assumingMemoryBound(to: BackwardJob.self)
            let heads = job.pointee.heads
            let x = heads.inputs
            let stride = x.heads * x.headWidth
            let output = heads.offset(chunk, stride: stride)
            let gradient = heads.offset(chunk, stride: job.pointee.gradientRowStride)
            var head = heads.head(chunk)
            job.pointee.kernel(
                &head, job.pointee.dOut + output, stride, heads.advance(chunk, stride: stride),
                job.pointee.logSumExp + chunk * x.tokens,
                job.pointee.dq + gradient, job.pointee.dk + gradient, job.pointee.dv + gradient,
                job.pointee.gradientRowStride, heads.scratch(slot))
        }
    }
}
