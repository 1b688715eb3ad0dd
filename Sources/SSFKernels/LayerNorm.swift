import SSFMicroKernels
import SSFParallel

#if arch(x86_64)
    import SSFMicroKernelsAVX2
    import SSFMicroKernelsAVX512
#endif

/// Layer normalisation over the last dimension, with an affine map per channel.
///
///     n[row, c] = (x[row, c] - mean[row]) * reciprocalDeviation[row]
///     y[row, c] = n[row, c] * weight[c] + bias[c]
///
/// `reciprocalDeviation = 1 / sqrt(variance + epsilon)`, the variance without Bessel's correction, as
/// `torch.nn.LayerNorm` has it. A scale and shift that follows costs nothing: hand in `scale * weight` and
/// `scale * bias + shift`.
///
/// - Accuracy: the exact two-pass algorithm in single precision, sums in independent lanes; y is within a few units of
///   the last place of its largest term.
/// - Memory: a result that is larger than the last-level cache is stored past the caches.
/// - Threading: over rows; sums over rows go through partial sums whose number follows from the shape, so that every
///   thread count gives the same bits.
/// - Source: Ba, Kiros, Hinton, arXiv 1607.06450.
public enum LayerNorm {
    /// Normalises every row.
    ///
    /// - Parameters:
    ///   - x, y: [rows, channels].
    ///   - weight, bias: [channels]; empty spans stand for ones and zeros.
    ///   - epsilon: added to the variance; 1e-6 in vision transformers, 1e-5 in PyTorch's default.
    ///   - mean, reciprocalDeviation: [rows], what the backward pass needs.
    public static func forward(
        rows: Int, channels: Int, x: Span<Float>, weight: Span<Float>, bias: Span<Float>, epsilon: Float,
        y: inout MutableSpan<Float>, mean: inout MutableSpan<Float>, reciprocalDeviation: inout MutableSpan<Float>
    ) {
        precondition(x.count == rows * channels && y.count == rows * channels, "x and y are [rows, channels]")
        precondition(weight.isEmpty || weight.count == channels, "weight is [channels] or empty")
        precondition(bias.isEmpty || bias.count == channels, "bias is [channels] or empty")
        precondition(mean.count == rows && reciprocalDeviation.count == rows, "mean and reciprocalDeviation are [rows]")
        forward(
            rows: rows, channels: channels, x: x.start, weight: weight.isEmpty ? nil : weight.start,
            bias: bias.isEmpty ? nil : bias.start, epsilon: epsilon, y: y.start, mean: mean.start,
            reciprocalDeviation: reciprocalDeviation.start)
    }

    /// The gradients with respect to x (overwritten), weight and bias (both added to).
    ///
    /// - Parameters:
    ///   - dy, x, dx: [rows, channels].
    ///   - mean, reciprocalDeviation: [rows], from the forward pass.
    ///   - weight: [channels]; an empty span stands for ones.
    ///   - dWeight, dBias: [channels].
    ///   - workspace: scratch memory, which grows when it must.
    public static func backward(
        rows: Int, channels: Int, dy: Span<Float>, x: Span<Float>, mean: Span<Float>, reciprocalDeviation: Span<Float>,
        weight: Span<Float>, dx: inout MutableSpan<Float>, dWeight: inout MutableSpan<Float>,
        dBias: inout MutableSpan<Float>, workspace: Workspace
    ) {
        precondition(
            dy.count == rows * channels && x.count == rows * channels && dx.count == rows * channels,
            "dy, x and dx are [rows, channels]")
        precondition(mean.count == rows && reciprocalDeviation.count == rows, "mean and reciprocalDeviation are [rows]")
        precondition(weight.isEmpty || weight.count == channels, "weight is [channels] or empty")
        precondition(dWeight.count == channels && dBias.count == channels, "dWeight and dBias are [channels]")
        backward(
            rows: rows, channels: channels, dy: dy.start, x: x.start, mean: mean.start,
            reciprocalDeviation: reciprocalDeviation.start, weight: weight.isEmpty ? nil : weight.start, dx: dx.start,
            accumulate: false, dWeight: dWeight.start, dBias: dBias.start, workspace: workspace)
    }
}

extension LayerNorm {
    private struct ForwardJob {
        let chunks: RowChunks
        let channels: Int
        let x: UnsafePointer<Float>
        let weight, bias: UnsafePointer<Float>?
        let epsilon: Float
        let y, mean, reciprocalDeviation: UnsafeMutablePointer<Float>
        let streaming: Bool
        let kernel: LayerNormTable.Forward
    }

    /// The same over pointers; absent `weight` and `bias` stand for ones and zeros. `y` may be `x`.
    package static func forward(
        rows: Int, channels: Int, x: UnsafePointer<Float>, weight: UnsafePointer<Float>?, bias: UnsafePointer<Float>?,
        epsilon: Float, y: UnsafeMutablePointer<Float>, mean: UnsafeMutablePointer<Float>,
        reciprocalDeviation: UnsafeMutablePointer<Float>, table: KernelTable = .current
    ) {
        precondition(rows >= 0 && channels > 0, "a row of no channels has no mean")
        let job = ForwardJob(
            chunks: RowChunks(rows: rows, width: channels), channels: channels, x: x, weight: weight, bias: bias,
            epsilon: epsilon, y: y, mean: mean, reciprocalDeviation: reciprocalDeviation,
            streaming: UnsafePointer(y) != x && StreamingStores.pay(count: rows * channels, width: channels, at: y),
            kernel: table.layerNorm.forward)
        Parallel.run(chunks: job.chunks.count, context: job) { context, chunk, _ in
            let job = context.assumingMemoryBound(to: ForwardJob.self).pointee
            let row = job.chunks.first(chunk)
            job.kernel(
                job.chunks.size(chunk), job.channels, job.x + row * job.channels, job.weight, job.bias, job.epsilon,
                job.y + row * job.channels, job.mean + row, job.reciprocalDeviation + row,
                job.streaming)
        }
    }

    private struct BackwardJob {
        let chunks: RowChunks
        let channels: Int
        let dy, x, mean, reciprocalDeviation: UnsafePointer<Float>
        let weight: UnsafePointer<Float>?
        let dx: UnsafeMutablePointer<Float>?
        let accumulate: Bool
        let partialSums: PartialSums?
        let streaming: Bool
        let kernel: LayerNormTable.Backward
    }

    /// The same over pointers. `dx` may be `dy`, and is added to with `accumulate`; `dWeight` and `dBias` are always
    /// added to; each of the three may be absent.
    package static func backward(
        rows: Int, channels: Int, dy: UnsafePointer<Float>, x: UnsafePointer<Float>, mean: UnsafePointer<Float>,
        reciprocalDeviation: UnsafePointer<Float>, weight: UnsafePointer<Float>?, dx: UnsafeMutablePointer<Float>?,
        accumulate: Bool, dWeight: UnsafeMutablePointer<Float>?, dBias: UnsafeMutablePointer<Float>?,
        workspace: Workspace, table: KernelTable = .current
    ) {
        precondition(rows >= 0 && channels > 0, "a row of no channels has no mean")
        let wantsSums = dWeight != nil || dBias != nil
        let chunks = wantsSums ? RowChunks(summingRows: rows) : RowChunks(rows: rows, width: channels)
        let partialSums =
            wantsSums
            ? PartialSums(chunks: chunks.count, vectors: 2, channels: channels, workspace: workspace) : nil
        let job = BackwardJob(
            chunks: chunks, channels: channels, dy: dy, x: x, mean: mean, reciprocalDeviation: reciprocalDeviation,
            weight: weight, dx: dx, accumulate: accumulate, partialSums: partialSums,
            streaming: !accumulate && dx.map { UnsafePointer($0) } != dy
                && StreamingStores.pay(count: rows * channels, width: channels, at: dx),
            kernel: table.layerNorm.backward)
        Parallel.run(chunks: chunks.count, context: job) { context, chunk, _ in
            let job = context.assumingMemoryBound(to: BackwardJob.self).pointee
            let row = job.chunks.first(chunk)
            let offset = row * job.channels
            job.kernel(
                job.chunks.size(chunk), job.channels, job.dy + offset, job.x + offset, job.mean + row,
                job.reciprocalDeviation + row, job.weight, job.dx.map { $0 + offset }, job.accumulate,
                job.partialSums?.zeroed(chunk: chunk, vector: 0), job.partialSums?.zeroed(chunk: chunk, vector: 1),
                job.streaming)
        }
        if let dWeight { partialSums?.add(vector: 0, to: dWeight, table: table) }
        if let dBias { partialSums?.add(vector: 1, to: dBias, table: table) }
    }
}

/// Layer normalisation of one instruction set.
struct LayerNormTable: Sendable {
    typealias Forward =
        @Sendable (
            Int, Int, UnsafePointer<Float>, UnsafePointer<Float>?, UnsafePointer<Float>?, Float,
            UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, Bool
        ) -> Void
    typealias Backward =
        @Sendable (
            Int, Int, UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>,
            UnsafePointer<Float>?, UnsafeMutablePointer<Float>?, Bool, UnsafeMutablePointer<Float>?,
            UnsafeMutablePointer<Float>?, Bool
        ) -> Void

    let forward: Forward
    let backward: Backward

    init(_ set: InstructionSet) {
        switch set {
        #if arch(x86_64)
            case .avx512:
                forward = SSFMicroKernelsAVX512.layerNormForward
                backward = SSFMicroKernelsAVX512.layerNormBackward
            case .avx2:
                forward = SSFMicroKernelsAVX2.layerNormForward
                backward = SSFMicroKernelsAVX2.layerNormBackward
        #endif
        default:
            forward = SSFMicroKernels.layerNormForward
            backward = SSFMicroKernels.layerNormBackward
        }
    }
}
