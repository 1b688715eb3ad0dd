import CIntrinsics
import SSFMicroKernels
import SSFParallel

#if arch(x86_64)
    import SSFMicroKernelsAVX2
    import SSFMicroKernelsAVX512
#endif

/// Multi-head scaled dot-product attention, `softmax(scale * q k^T) v` for every batch entry and head, and its gradients.
///
/// Token t of batch entry b and head h of q starts at element `(b * tokens + t) * rowStride + h * headWidth`; so do k
/// and v. The output of a qkv projection [B, N, 3 * H * D] is used as it stands, with q, k and v at its first, second
/// and third H * D columns and a row stride of 3 * H * D. The result is [B, N, H * D].
///
/// - Accuracy: single precision throughout; exponentials within 2 ulp.
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
    ///   - workspace: scratch memory, which grows when it must.
    public static func forward(
        batch: Int, tokens: Int, heads: Int, headWidth: Int, scale: Float, qkv: Span<Float>,
        out: inout MutableSpan<Float>, logSumExp: inout MutableSpan<Float>, workspace: Workspace
    ) {
        let width = heads * headWidth
        precondition(qkv.count == batch * tokens * 3 * width, "qkv is [batch, tokens, 3 * heads * headWidth]")
        precondition(out.count == batch * tokens * width, "out is [batch, tokens, heads * headWidth]")
        precondition(logSumExp.count == batch * heads * tokens, "logSumExp is [batch, heads, tokens]")
        forward(
            batch: batch, tokens: tokens, heads: heads, headWidth: headWidth, scale: scale, q: qkv.start,
            k: qkv.start + width, v: qkv.start + 2 * width, rowStride: 3 * width, out: out.start,
            logSumExp: logSumExp.start, workspace: workspace)
    }

    /// The gradient with respect to queries, keys and values (overwritten).
    ///
    /// - Parameters:
    ///   - qkv, dQKV: [B, N, 3 * H * D].
    ///   - out, dOut: [B, N, H * D]; `out` and `logSumExp` [B, H, N] are results of the forward pass.
    ///   - workspace: scratch memory, which grows when it must.
    public static func backward(
        batch: Int, tokens: Int, heads: Int, headWidth: Int, scale: Float, qkv: Span<Float>, out: Span<Float>,
        logSumExp: Span<Float>, dOut: Span<Float>, dQKV: inout MutableSpan<Float>, workspace: Workspace
    ) {
        let width = heads * headWidth
        precondition(
            qkv.count == batch * tokens * 3 * width && dQKV.count == qkv.count,
            "qkv and dQKV are [batch, tokens, 3 * heads * headWidth]")
        precondition(
            out.count == batch * tokens * width && dOut.count == out.count,
            "out and dOut are [batch, tokens, heads * headWidth]")
        precondition(logSumExp.count == batch * heads * tokens, "logSumExp is [batch, heads, tokens]")
        let gradient = dQKV.start
        backward(
            batch: batch, tokens: tokens, heads: heads, headWidth: headWidth, scale: scale, q: qkv.start,
            k: qkv.start + width, v: qkv.start + 2 * width, rowStride: 3 * width, out: out.start,
            logSumExp: logSumExp.start, dOut: dOut.start, dq: gradient, dk: gradient + width,
            dv: gradient + 2 * width, gradientRowStride: 3 * width, workspace: workspace)
    }
}

extension Attention {
    /// What both passes share: the shape, the inputs and the scratch memory of every thread.
    private struct Heads {
        let tokens, heads, headWidth: Int
        let scale: Float
        let q, k, v: UnsafePointer<Float>
        let rowStride: Int
        let affine: Affine?
        let scratch: UnsafeMutablePointer<Float>
        let scratchPerSlot: Int

        /// The first element of a chunk, one batch entry and head, in an array whose rows are `stride` apart.
        func offset(_ chunk: Int, stride: Int) -> Int {
            chunk / heads * tokens * stride + chunk % heads * headWidth
        }

        /// Elements from a chunk to the one after it.
        func advance(_ chunk: Int, stride: Int) -> Int {
            offset(chunk + 1, stride: stride) - offset(chunk, stride: stride)
        }

        /// The scales and shifts of the head of a chunk.
        func withAffine(_ chunk: Int, _ body: (UnsafePointer<ssf_attention_affine>?) -> Void) {
            guard let affine else { return body(nil) }
            let q = chunk % heads * headWidth
            let k = q + heads * headWidth
            let v = k + heads * headWidth
            let operands = ssf_attention_affine(
                qScale: affine.scale + q, qShift: affine.shift + q, kScale: affine.scale + k,
                kShift: affine.shift + k, vScale: affine.scale + v, vShift: affine.shift + v)
            withUnsafePointer(to: operands) { body($0) }
        }

        /// - Parameter floats: scratch memory of one thread; rounded up to whole cache lines here.
        init(
            tokens: Int, heads: Int, headWidth: Int, scale: Float, q: UnsafePointer<Float>, k: UnsafePointer<Float>,
            v: UnsafePointer<Float>, rowStride: Int, affine: Affine?, floats: Int, team: Int, workspace: Workspace
        ) {
            self.tokens = tokens
            self.heads = heads
            self.headWidth = headWidth
            self.scale = scale
            self.q = q
            self.k = k
            self.v = v
            self.rowStride = rowStride
            self.affine = affine
            scratchPerSlot = (floats + 15) / 16 * 16
            scratch = workspace.reserve(bytes: team * scratchPerSlot * MemoryLayout<Float>.stride)
                .bindMemory(to: Float.self, capacity: team * scratchPerSlot)
        }
    }

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

    private struct ForwardJob {
        let heads: Heads
        let out: UnsafeMutablePointer<Float>
        let logSumExp: UnsafeMutablePointer<Float>?
        let kernel: AttentionTable.Forward
    }

    /// The same over pointers; `logSumExp` may be absent where no backward pass follows.
    package static func forward(
        batch: Int, tokens: Int, heads: Int, headWidth: Int, scale: Float, q: UnsafePointer<Float>,
        k: UnsafePointer<Float>, v: UnsafePointer<Float>, rowStride: Int, affine: Affine? = nil,
        out: UnsafeMutablePointer<Float>, logSumExp: UnsafeMutablePointer<Float>?, workspace: Workspace,
        table: KernelTable = .current
    ) {
        precondition(batch >= 0 && tokens >= 0 && heads >= 0 && headWidth > 0 && rowStride >= heads * headWidth)
        guard batch * heads * tokens > 0 else { return }
        let team = Parallel.threads
        let shared = Heads(
            tokens: tokens, heads: heads, headWidth: headWidth, scale: scale, q: q, k: k, v: v, rowStride: rowStride,
            affine: affine, floats: table.attention.forwardScratch(tokens, headWidth), team: team, workspace: workspace)
        let job = ForwardJob(heads: shared, out: out, logSumExp: logSumExp, kernel: table.attention.forward)
        Parallel.run(chunks: batch * heads, team: team, context: job) { context, chunk, slot in
            let job = context.assumingMemoryBound(to: ForwardJob.self).pointee
            let heads = job.heads
            let input = heads.offset(chunk, stride: heads.rowStride)
            let outStride = heads.heads * heads.headWidth
            heads.withAffine(chunk) { affine in
                job.kernel(
                    heads.tokens, heads.headWidth, heads.scale, heads.q + input, heads.k + input, heads.v + input,
                    heads.rowStride, heads.advance(chunk, stride: heads.rowStride), affine,
                    job.out + heads.offset(chunk, stride: outStride), outStride,
                    job.logSumExp.map { $0 + chunk * heads.tokens }, heads.scratch + slot * heads.scratchPerSlot)
            }
        }
    }

    private struct BackwardJob {
        let heads: Heads
        let out, logSumExp, dOut: UnsafePointer<Float>
        let dq, dk, dv: UnsafeMutablePointer<Float>
        let gradientRowStride: Int
        let kernel: AttentionTable.Backward
    }

    /// The same over pointers; rows of dq, dk and dv are `gradientRowStride` apart.
    package static func backward(
        batch: Int, tokens: Int, heads: Int, headWidth: Int, scale: Float, q: UnsafePointer<Float>,
        k: UnsafePointer<Float>, v: UnsafePointer<Float>, rowStride: Int, affine: Affine? = nil,
        out: UnsafePointer<Float>, logSumExp: UnsafePointer<Float>, dOut: UnsafePointer<Float>,
        dq: UnsafeMutablePointer<Float>,
        dk: UnsafeMutablePointer<Float>, dv: UnsafeMutablePointer<Float>, gradientRowStride: Int,
        workspace: Workspace, table: KernelTable = .current
    ) {
        precondition(batch >= 0 && tokens >= 0 && heads >= 0 && headWidth > 0 && rowStride >= heads * headWidth)
        precondition(gradientRowStride >= heads * headWidth)
        guard batch * heads * tokens > 0 else { return }
        let team = Parallel.threads
        let shared = Heads(
            tokens: tokens, heads: heads, headWidth: headWidth, scale: scale, q: q, k: k, v: v, rowStride: rowStride,
            affine: affine, floats: table.attention.backwardScratch(tokens, headWidth), team: team, workspace: workspace
        )
        let job = BackwardJob(
            heads: shared, out: out, logSumExp: logSumExp, dOut: dOut, dq: dq, dk: dk, dv: dv,
            gradientRowStride: gradientRowStride, kernel: table.attention.backward)
        Parallel.run(chunks: batch * heads, team: team, context: job) { context, chunk, slot in
            let job = context.assumingMemoryBound(to: BackwardJob.self).pointee
            let heads = job.heads
            let input = heads.offset(chunk, stride: heads.rowStride)
            let outStride = heads.heads * heads.headWidth
            let output = heads.offset(chunk, stride: outStride)
            let gradient = heads.offset(chunk, stride: job.gradientRowStride)
            heads.withAffine(chunk) { affine in
                job.kernel(
                    heads.tokens, heads.headWidth, heads.scale, heads.q + input, heads.k + input, heads.v + input,
                    heads.rowStride, heads.advance(chunk, stride: heads.rowStride), affine, job.out + output,
                    job.dOut + output, outStride, heads.advance(chunk, stride: outStride),
                    job.logSumExp + chunk * heads.tokens, job.dq + gradient, job.dk + gradient, job.dv + gradient,
                    job.gradientRowStride, heads.scratch + slot * heads.scratchPerSlot)
            }
        }
    }
}

/// Attention of one instruction set.
struct AttentionTable: Sendable {
    /// Floats of scratch memory for a number of tokens and a head width.
    typealias Scratch = @Sendable (Int, Int) -> Int
    typealias Forward =
        @Sendable (
            Int, Int, Float, UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>, Int, Int,
            UnsafePointer<ssf_attention_affine>?, UnsafeMutablePointer<Float>, Int, UnsafeMutablePointer<Float>?,
            UnsafeMutablePointer<Float>
        ) -> Void
    typealias Backward =
        @Sendable (
            Int, Int, Float, UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>, Int, Int,
            UnsafePointer<ssf_attention_affine>?, UnsafePointer<Float>, UnsafePointer<Float>, Int, Int,
            UnsafePointer<Float>, UnsafeMutablePointer<Float>,
            UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, Int, UnsafeMutablePointer<Float>
        ) -> Void

    let forward: Forward
    let forwardScratch: Scratch
    let backward: Backward
    let backwardScratch: Scratch

    init(_ set: InstructionSet) {
        switch set {
        #if arch(x86_64)
            case .avx512:
                forward = SSFMicroKernelsAVX512.attentionForward
                forwardScratch = SSFMicroKernelsAVX512.attentionForwardScratch
                backward = SSFMicroKernelsAVX512.attentionBackward
                backwardScratch = SSFMicroKernelsAVX512.attentionBackwardScratch
            case .avx2:
                forward = SSFMicroKernelsAVX2.attentionForward
                forwardScratch = SSFMicroKernelsAVX2.attentionForwardScratch
                backward = SSFMicroKernelsAVX2.attentionBackward
                backwardScratch = SSFMicroKernelsAVX2.attentionBackwardScratch
        #endif
        default:
            forward = SSFMicroKernels.attentionForward
            forwardScratch = SSFMicroKernels.attentionForwardScratch
            backward = SSFMicroKernels.attentionBackward
            backwardScratch = SSFMicroKernels.attentionBackwardScratch
        }
    }
}
