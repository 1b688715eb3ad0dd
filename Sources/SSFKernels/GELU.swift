import SSFMicroKernels
import SSFParallel

#if arch(x86_64)
    import SSFMicroKernelsAVX2
    import SSFMicroKernelsAVX512
#endif

/// The Gaussian error linear unit in its exact form, `y = x * Phi(x)`, Phi the distribution function of the standard
/// normal distribution (`torch.nn.GELU(approximate="none")`).
///
/// - Accuracy: relative to the result itself on the left as well, where 1 + erf loses every digit. On AVX2 and AVX-512
///   forward at most 2.5 ulp and the factor of the backward pass at most 3.5 ulp, near its zero at -0.75179 too; else
///   6 ulp, and 6e-7 for the factor. Infinities give their limits, NaN gives NaN.
/// - Memory: a result that is larger than the last-level cache is stored past the caches.
/// - Threading: over elements.
/// - Source: Hendrycks, Gimpel, arXiv 1606.08415.
public enum GELU {
    /// `y = x * Phi(x)`; both of the same count.
    public static func forward(x: Span<Float>, y: inout MutableSpan<Float>) {
        precondition(x.count == y.count, "x and y have the same count")
        forward(count: x.count, x: x.start, y: y.start)
    }

    /// `dx = dy * (Phi(x) + x * phi(x))`; all of the same count.
    public static func backward(dy: Span<Float>, x: Span<Float>, dx: inout MutableSpan<Float>) {
        precondition(dy.count == x.count && dx.count == x.count, "dy, x and dx have the same count")
        backward(count: x.count, dy: dy.start, x: x.start, dx: dx.start)
    }
}

extension GELU {
    private struct ForwardJob {
        let chunks: RowChunks
        let x: UnsafePointer<Float>
        let y: UnsafeMutablePointer<Float>
        let streaming: Bool
        let kernel: GELUTable.Forward
    }

    /// The same over pointers; `y` may be `x`.
    package static func forward(
        count: Int, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, table: KernelTable = .current
    ) {
        let job = ForwardJob(
            chunks: RowChunks(rows: count, width: 1), x: x, y: y,
            streaming: UnsafePointer(y) != x && StreamingStores.pay(count: count, width: 16, at: y),
            kernel: table.gelu.forward)
        Parallel.run(chunks: job.chunks.count, context: job) { context, chunk, _ in
            let job = context.assumingMemoryBound(to: ForwardJob.self).pointee
            let first = job.chunks.first(chunk)
            job.kernel(job.chunks.size(chunk), job.x + first, job.y + first, job.streaming)
        }
    }

    private struct BackwardJob {
        let chunks: RowChunks
        let dy, x: UnsafePointer<Float>
        let dx: UnsafeMutablePointer<Float>
        let streaming: Bool
        let kernel: GELUTable.Backward
    }

    /// The same over pointers; `dx` may be `dy` or `x`.
    package static func backward(
        count: Int, dy: UnsafePointer<Float>, x: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
        table: KernelTable = .current
    ) {
        let job = BackwardJob(
            chunks: RowChunks(rows: count, width: 1), dy: dy, x: x, dx: dx,
            streaming: UnsafePointer(dx) != dy && UnsafePointer(dx) != x
                && StreamingStores.pay(count: count, width: 16, at: dx),
            kernel: table.gelu.backward)
        Parallel.run(chunks: job.chunks.count, context: job) { context, chunk, _ in
            let job = context.assumingMemoryBound(to: BackwardJob.self).pointee
            let first = job.chunks.first(chunk)
            job.kernel(
                job.chunks.size(chunk), job.dy + first, job.x + first, job.dx + first, job.streaming)
        }
    }
}

/// GELU of one instruction set.
struct GELUTable: Sendable {
    typealias Forward = @Sendable (Int, UnsafePointer<Float>, UnsafeMutablePointer<Float>, Bool) -> Void
    typealias Backward =
        @Sendable (Int, UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>, Bool) -> Void

    let forward: Forward
    let backward: Backward

    init(_ set: InstructionSet) {
        switch set {
        #if arch(x86_64)
            case .avx512:
                forward = SSFMicroKernelsAVX512.geluForward
                backward = SSFMicroKernelsAVX512.geluBackward
            case .avx2:
                forward = SSFMicroKernelsAVX2.geluForward
                backward = SSFMicroKernelsAVX2.geluBackward
        #endif
        default:
            forward = SSFMicroKernels.geluForward
            backward = SSFMicroKernels.geluBackward
        }
    }
}
