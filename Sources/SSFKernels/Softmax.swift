import SSFMicroKernels
import SSFParallel

#if arch(x86_64)
    import SSFMicroKernelsAVX2
    import SSFMicroKernelsAVX512
#endif

/// Softmax over the last dimension, `y[row, j] = exp(x[row, j]) / sum over k of exp(x[row, k])`, and its gradient.
///
/// - Units: x logits, y probabilities.
/// - Accuracy: forward at most 2 ulp with fused multiply-add and 3 ulp without; computed relative to the greatest of the
///   row, so that nothing overflows. Backward: sums in single precision.
/// - Threading: over rows.
public enum Softmax {
    /// The softmax of every row; x and y are [rows, columns].
    public static func forward(rows: Int, columns: Int, x: Span<Float>, y: inout MutableSpan<Float>) {
        precondition(x.count == rows * columns && y.count == rows * columns, "x and y are [rows, columns]")
        forward(rows: rows, columns: columns, x: x.start, y: y.start)
    }

    /// `dx = y * (dy - sum over k of dy[k] y[k])` in every row, from the result y; all are [rows, columns].
    public static func backward(
        rows: Int, columns: Int, dy: Span<Float>, y: Span<Float>, dx: inout MutableSpan<Float>
    ) {
        precondition(
            dy.count == rows * columns && y.count == rows * columns && dx.count == rows * columns,
            "dy, y and dx are [rows, columns]")
        backward(rows: rows, columns: columns, dy: dy.start, y: y.start, dx: dx.start)
    }
}

extension Softmax {
    private struct ForwardJob {
        let chunks: RowChunks
        let columns: Int
        let x: UnsafePointer<Float>
        let y: UnsafeMutablePointer<Float>
        let kernel: SoftmaxTable.Forward
    }

    /// The same over pointers; `y` may be `x`.
    package static func forward(
        rows: Int, columns: Int, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, table: KernelTable = .current
    ) {
        precondition(rows >= 0 && columns > 0, "a row of no columns has no softmax")
        let job = ForwardJob(
            chunks: RowChunks(rows: rows, width: columns), columns: columns, x: x, y: y, kernel: table.softmax.forward)
        Parallel.run(chunks: job.chunks.count, context: job) { context, chunk, _ in
            let job = context.assumingMemoryBound(to: ForwardJob.self).pointee
            let offset = job.chunks.first(chunk) * job.columns
            job.kernel(job.chunks.size(chunk), job.columns, job.x + offset, job.y + offset)
        }
    }

    private struct BackwardJob {
        let chunks: RowChunks
        let columns: Int
        let dy, y: UnsafePointer<Float>
        let dx: UnsafeMutablePointer<Float>
        let kernel: SoftmaxTable.Backward
    }

    /// The same over pointers; `dx` may be `dy`.
    package static func backward(
        rows: Int, columns: Int, dy: UnsafePointer<Float>, y: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
        table: KernelTable = .current
    ) {
        precondition(rows >= 0 && columns > 0, "a row of no columns has no softmax")
        let job = BackwardJob(
            chunks: RowChunks(rows: rows, width: columns), columns: columns, dy: dy, y: y, dx: dx,
            kernel: table.softmax.backward)
        Parallel.run(chunks: job.chunks.count, context: job) { context, chunk, _ in
            let job = context.assumingMemoryBound(to: BackwardJob.self).pointee
            let offset = job.chunks.first(chunk) * job.columns
            job.kernel(job.chunks.size(chunk), job.columns, job.dy + offset, job.y + offset, job.dx + offset)
        }
    }
}

/// Softmax of one instruction set.
struct SoftmaxTable: Sendable {
    typealias Forward = @Sendable (Int, Int, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
    typealias Backward =
        @Sendable (Int, Int, UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void

    let forward: Forward
    let backward: Backward

    init(_ set: InstructionSet) {
        switch set {
        #if arch(x86_64)
            case .avx512:
                forward = SSFMicroKernelsAVX512.softmaxForward
                backward = SSFMicroKernelsAVX512.softmaxBackward
            case .avx2:
                forward = SSFMicroKernelsAVX2.softmaxForward
                backward = SSFMicroKernelsAVX2.softmaxBackward
        #endif
        default:
            forward = SSFMicroKernels.softmaxForward
            backward = SSFMicroKernels.softmaxBackward
        }
    }
}
