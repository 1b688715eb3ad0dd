import SSFMicroKernels
import SSFParallel

#if arch(x86_64)
    import SSFMicroKernelsAVX2
    import SSFMicroKernelsAVX512
#endif

/// Scale and shift of features: `y[row, c] = scale[c] * x[row, c] + shift[c]`, and its gradients.
///
/// - Accuracy: one rounding with fused multiply-add, two without. The sums over rows are taken in single precision, in
///   at most 64 partial sums.
/// - Threading: over rows; the same bits for every thread count.
/// - Source: Lian, Zhou, Feng, Wang, "Scaling & Shifting Your Features", arXiv 2210.08823, equation 3.
public enum ScaleShift {
    /// Scales and shifts every row.
    ///
    /// - Parameters:
    ///   - x, y: [rows, channels].
    ///   - scale, shift: [channels]; empty spans stand for ones and zeros.
    public static func forward(
        rows: Int, channels: Int, x: Span<Float>, scale: Span<Float>, shift: Span<Float>, y: inout MutableSpan<Float>
    ) {
        precondition(x.count == rows * channels && y.count == rows * channels, "x and y are [rows, channels]")
        precondition(scale.isEmpty || scale.count == channels, "scale is [channels] or empty")
        precondition(shift.isEmpty || shift.count == channels, "shift is [channels] or empty")
        forward(
            rows: rows, channels: channels, x: x.start, scale: scale.isEmpty ? nil : scale.start,
            shift: shift.isEmpty ? nil : shift.start, y: y.start)
    }

    /// The gradients with respect to x (overwritten), scale and shift (both added to).
    ///
    /// - Parameters:
    ///   - dy, x, dx: [rows, channels].
    ///   - scale, dScale, dShift: [channels].
    ///   - workspace: scratch memory, which grows when it must.
    public static func backward(
        rows: Int, channels: Int, dy: Span<Float>, x: Span<Float>, scale: Span<Float>, dx: inout MutableSpan<Float>,
        dScale: inout MutableSpan<Float>, dShift: inout MutableSpan<Float>, workspace: Workspace
    ) {
        precondition(
            dy.count == rows * channels && x.count == rows * channels && dx.count == rows * channels,
            "dy, x and dx are [rows, channels]")
        precondition(
            scale.count == channels && dScale.count == channels && dShift.count == channels,
            "scale, dScale and dShift are [channels]")
        backward(
            rows: rows, channels: channels, dy: dy.start, x: x.start, scale: scale.start, dx: dx.start,
            accumulate: false, dScale: dScale.start, dShift: dShift.start, workspace: workspace)
    }
}

extension ScaleShift {
    private struct ForwardJob {
        let chunks: RowChunks
        let channels: Int
        let x: UnsafePointer<Float>
        let scale, shift: UnsafePointer<Float>?
        let y: UnsafeMutablePointer<Float>
        let kernel: ScaleShiftTable.Forward
    }

    /// The same over pointers; absent vectors stand for ones and zeros. `y` may be `x`.
    package static func forward(
        rows: Int, channels: Int, x: UnsafePointer<Float>, scale: UnsafePointer<Float>?, shift: UnsafePointer<Float>?,
        y: UnsafeMutablePointer<Float>, table: KernelTable = .current
    ) {
        precondition(rows >= 0 && channels >= 0)
        let job = ForwardJob(
            chunks: RowChunks(rows: rows, width: channels), channels: channels, x: x, scale: scale, shift: shift, y: y,
            kernel: table.scaleShift.forward)
        Parallel.run(chunks: job.chunks.count, context: job) { context, chunk, _ in
            let job = context.assumingMemoryBound(to: ForwardJob.self).pointee
            let offset = job.chunks.first(chunk) * job.channels
            job.kernel(
                job.chunks.size(chunk), job.channels, job.x + offset, job.scale, job.shift, job.y + offset)
        }
    }

    private struct BackwardJob {
        let chunks: RowChunks
        let channels: Int
        let dy: UnsafePointer<Float>
        let x, scale: UnsafePointer<Float>?
        let dx: UnsafeMutablePointer<Float>?
        let accumulate: Bool
        let partialSums: PartialSums?
        let wantsScale, wantsShift: Bool
        let kernel: ScaleShiftTable.Backward
    }

    /// The same over pointers. `dx` may be `dy`, and is added to with `accumulate`; `dScale` (which needs `x`) and
    /// `dShift` are always added to; each of the three may be absent.
    package static func backward(
        rows: Int, channels: Int, dy: UnsafePointer<Float>, x: UnsafePointer<Float>?, scale: UnsafePointer<Float>?,
        dx: UnsafeMutablePointer<Float>?, accumulate: Bool, dScale: UnsafeMutablePointer<Float>?,
        dShift: UnsafeMutablePointer<Float>?, workspace: Workspace, table: KernelTable = .current
    ) {
        precondition(rows >= 0 && channels >= 0)
        precondition(dScale == nil || x != nil, "the gradient of scale needs x")
        let wantsSums = dScale != nil || dShift != nil
        let chunks = wantsSums ? RowChunks(summingRows: rows) : RowChunks(rows: rows, width: channels)
        let partialSums =
            wantsSums
            ? PartialSums(chunks: chunks.count, vectors: 2, channels: channels, workspace: workspace) : nil
        let job = BackwardJob(
            chunks: chunks, channels: channels, dy: dy, x: x, scale: scale, dx: dx, accumulate: accumulate,
            partialSums: partialSums, wantsScale: dScale != nil, wantsShift: dShift != nil,
            kernel: table.scaleShift.backward)
        Parallel.run(chunks: chunks.count, context: job) { context, chunk, _ in
            let job = context.assumingMemoryBound(to: BackwardJob.self).pointee
            let offset = job.chunks.first(chunk) * job.channels
            job.kernel(
                job.chunks.size(chunk), job.channels, job.dy + offset, job.x.map { $0 + offset }, job.scale,
                job.dx.map { $0 + offset }, job.accumulate,
                job.wantsScale ? job.partialSums?.zeroed(chunk: chunk, vector: 0) : nil,
                job.wantsShift ? job.partialSums?.zeroed(chunk: chunk, vector: 1) : nil)
        }
        if let dScale { partialSums?.add(vector: 0, to: dScale, table: table) }
        if let dShift { partialSums?.add(vector: 1, to: dShift, table: table) }
    }
}

/// Scale and shift of one instruction set.
struct ScaleShiftTable: Sendable {
    typealias Forward =
        @Sendable (
            Int, Int, UnsafePointer<Float>, UnsafePointer<Float>?, UnsafePointer<Float>?, UnsafeMutablePointer<Float>
        ) -> Void
    typealias Backward =
        @Sendable (
            Int, Int, UnsafePointer<Float>, UnsafePointer<Float>?, UnsafePointer<Float>?, UnsafeMutablePointer<Float>?,
            Bool, UnsafeMutablePointer<Float>?, UnsafeMutablePointer<Float>?
        ) -> Void

    let forward: Forward
    let backward: Backward

    init(_ set: InstructionSet) {
        switch set {
        #if arch(x86_64)
            case .avx512:
                forward = SSFMicroKernelsAVX512.scaleShiftForward
                backward = SSFMicroKernelsAVX512.scaleShiftBackward
            case .avx2:
                forward = SSFMicroKernelsAVX2.scaleShiftForward
                backward = SSFMicroKernelsAVX2.scaleShiftBackward
        #endif
        default:
            forward = SSFMicroKernels.scaleShiftForward
            backward = SSFMicroKernels.scaleShiftBackward
        }
    }
}
