import SSFMicroKernels
import SSFParallel

#if arch(x86_64)
    import SSFMicroKernelsAVX2
    import SSFMicroKernelsAVX512
#endif

/// Cross-entropy between logits and labels, with label smoothing, or soft targets; loss and gradient in one pass.
///
///     loss[b] = -(sum over k of t[b, k] * log(softmax(logits[b])[k]))
///     dLogits[b, k] = gradientScale * (softmax(logits[b])[k] * (sum of t[b]) - t[b, k])
///
/// With labels, t is `smoothing / classes` on every class and `1 - smoothing` more on the label, as in timm's
/// `LabelSmoothingCrossEntropy`; smoothing 0 is PyTorch's `cross_entropy`.
///
/// - Units: logits; losses in nats. The mean over a batch has `gradientScale = 1 / batch`.
/// - Accuracy: exponentials within 2 ulp, sums in single precision relative to the greatest logit.
/// - Threading: over rows.
public enum CrossEntropy {
    /// Loss and gradient for one label per row.
    ///
    /// - Parameters:
    ///   - logits, dLogits: [batch, classes].
    ///   - labels: [batch], each in `0 ..< classes`.
    ///   - smoothing: 0 ..< 1.
    ///   - losses: [batch].
    public static func forwardBackward(
        batch: Int, classes: Int, logits: Span<Float>, labels: Span<Int32>, smoothing: Float, gradientScale: Float,
        losses: inout MutableSpan<Float>, dLogits: inout MutableSpan<Float>
    ) {
        precondition(logits.count == batch * classes && dLogits.count == logits.count, "logits are [batch, classes]")
        precondition(labels.count == batch && losses.count == batch, "labels and losses are [batch]")
        forwardBackward(
            batch: batch, classes: classes, logits: logits.start, labels: labels.start, smoothing: smoothing,
            gradientScale: gradientScale, losses: losses.start, dLogits: dLogits.start)
    }

    /// Loss and gradient for a distribution over the classes per row, as mixing of images makes them.
    ///
    /// - Parameters:
    ///   - logits, targets, dLogits: [batch, classes].
    ///   - losses: [batch].
    public static func forwardBackward(
        batch: Int, classes: Int, logits: Span<Float>, targets: Span<Float>, gradientScale: Float,
        losses: inout MutableSpan<Float>, dLogits: inout MutableSpan<Float>
    ) {
        precondition(logits.count == batch * classes && dLogits.count == logits.count, "logits are [batch, classes]")
        precondition(targets.count == logits.count, "targets are [batch, classes]")
        precondition(losses.count == batch, "losses are [batch]")
        forwardBackward(
            batch: batch, classes: classes, logits: logits.start, targets: targets.start,
            gradientScale: gradientScale, losses: losses.start, dLogits: dLogits.start)
    }
}

extension CrossEntropy {
    private struct Job {
        let chunks: RowChunks
        let classes: Int
        let logits: UnsafePointer<Float>
        let labels: UnsafePointer<Int32>?
        let smoothing: Float
        let targets: UnsafePointer<Float>?
        let gradientScale: Float
        let losses: UnsafeMutablePointer<Float>
        let dLogits: UnsafeMutablePointer<Float>?
        let kernel: CrossEntropyTable.Kernel

        func run() {
            Parallel.run(chunks: chunks.count, context: self) { context, chunk, _ in
                let job = context.assumingMemoryBound(to: Job.self).pointee
                let row = job.chunks.first(chunk)
                let offset = row * job.classes
                job.kernel(
                    job.chunks.size(chunk), job.classes, job.logits + offset, job.labels.map { $0 + row },
                    job.smoothing, job.targets.map { $0 + offset }, job.gradientScale, job.losses + row,
                    job.dLogits.map { $0 + offset })
            }
        }
    }

    /// The same over pointers; without `dLogits` the losses alone.
    package static func forwardBackward(
        batch: Int, classes: Int, logits: UnsafePointer<Float>, labels: UnsafePointer<Int32>, smoothing: Float,
        gradientScale: Float, losses: UnsafeMutablePointer<Float>, dLogits: UnsafeMutablePointer<Float>?,
        table: KernelTable = .current
    ) {
        precondition(batch >= 0 && classes > 0)
        for row in 0..<batch {
            precondition(
                labels[row] >= 0 && Int(labels[row]) < classes, "label \(labels[row]) of \(classes) classes")
        }
        Job(
            chunks: RowChunks(rows: batch, width: classes), classes: classes, logits: logits, labels: labels,
            smoothing: smoothing, targets: nil, gradientScale: gradientScale, losses: losses, dLogits: dLogits,
            kernel: table.crossEntropy.kernel
        ).run()
    }

    /// The same over pointers; without `dLogits` the losses alone.
    package static func forwardBackward(
        batch: Int, classes: Int, logits: UnsafePointer<Float>, targets: UnsafePointer<Float>, gradientScale: Float,
        losses: UnsafeMutablePointer<Float>, dLogits: UnsafeMutablePointer<Float>?, table: KernelTable = .current
    ) {
        precondition(batch >= 0 && classes > 0)
        Job(
            chunks: RowChunks(rows: batch, width: classes), classes: classes, logits: logits, labels: nil,
            smoothing: 0, targets: targets, gradientScale: gradientScale, losses: losses, dLogits: dLogits,
            kernel: table.crossEntropy.kernel
        ).run()
    }
}

/// Cross-entropy of one instruction set.
struct CrossEntropyTable: Sendable {
    typealias Kernel =
        @Sendable (
            Int, Int, UnsafePointer<Float>, UnsafePointer<Int32>?, Float, UnsafePointer<Float>?, Float,
            UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>?
        ) -> Void

    let kernel: Kernel

    init(_ set: InstructionSet) {
        switch set {
        #if arch(x86_64)
            case .avx512: kernel = SSFMicroKernelsAVX512.crossEntropy
            case .avx2: kernel = SSFMicroKernelsAVX2.crossEntropy
        #endif
        default: kernel = SSFMicroKernels.crossEntropy
        }
    }
}
