import SSFMicroKernels
import SSFParallel

#if arch(x86_64)
    import SSFMicroKernelsAVX2
    import SSFMicroKernelsAVX512
#endif

/// Stochastic gradient descent with momentum and coupled weight decay, as `torch.optim.SGD` computes it.
///
///     g = g + weightDecay * p
///     buffer = momentum * buffer + g
///     p = p - learningRate * (isNesterov ? g + momentum * buffer : buffer)
///
/// - Accuracy: the update of an element in single precision.
/// - Threading: over elements.
/// - Source: Sutskever, Martens, Dahl, Hinton, "On the importance of initialization and momentum in deep learning"
///   (ICML 2013), with the rate outside the buffer, as PyTorch has it.
public enum SGD {
    /// One step on parameters and momentum, of the same count.
    ///
    /// - Parameters:
    ///   - gradients: multiplied with `gradientScale` first, as clipping by the norm wants it.
    ///   - buffer: the running sum of gradients; zeros before the first step.
    ///   - learningRate: per step.
    ///   - momentum: the part of the buffer that stays, 0..<1; 0 is descent without momentum.
    ///   - isNesterov: whether the gradient at the point to which the momentum leads is approximated.
    public static func step(
        parameters: inout MutableSpan<Float>, gradients: Span<Float>, buffer: inout MutableSpan<Float>,
        learningRate: Float, momentum: Float = 0.9, isNesterov: Bool = false, weightDecay: Float,
        gradientScale: Float = 1
    ) {
        precondition(
            gradients.count == parameters.count && buffer.count == parameters.count,
            "parameters, gradients and momentum have the same count")
        self.step(
            count: parameters.count, parameters: parameters.start, gradients: gradients.start, buffer: buffer.start,
            learningRate: learningRate, momentum: momentum, isNesterov: isNesterov, weightDecay: weightDecay,
            gradientScale: gradientScale)
    }
}

extension SGD {
    private struct Job {
        let chunks: RowChunks
        let parameters: UnsafeMutablePointer<Float>
        let gradients: UnsafePointer<Float>
        let buffer: UnsafeMutablePointer<Float>
        let gradientScale, weightDecay, momentum, gradientWeight, bufferWeight, learningRate: Float
        let kernel: SGDTable.Kernel
    }

    /// The same over pointers.
    package static func step(
        count: Int, parameters: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>,
        buffer: UnsafeMutablePointer<Float>, learningRate: Float, momentum: Float, isNesterov: Bool,
        weightDecay: Float, gradientScale: Float = 1, table: KernelTable = .current
    ) {
        let job = Job(
            chunks: RowChunks(rows: count, width: 1), parameters: parameters, gradients: gradients, buffer: buffer,
            gradientScale: gradientScale, weightDecay: weightDecay, momentum: momentum,
            gradientWeight: isNesterov ? 1 : 0, bufferWeight: isNesterov ? momentum : 1, learningRate: learningRate,
            kernel: table.sgd.kernel)
        Parallel.run(chunks: job.chunks.count, context: job) { context, chunk, _ in
            let job = context.assumingMemoryBound(to: Job.self).pointee
            let first = job.chunks.first(chunk)
            job.kernel(
                job.chunks.size(chunk), job.parameters + first, job.gradients + first, job.buffer + first,
                job.gradientScale, job.weightDecay, job.momentum, job.gradientWeight, job.bufferWeight,
                job.learningRate)
        }
    }
}

/// Gradient descent of one instruction set.
struct SGDTable: Sendable {
    typealias Kernel =
        @Sendable (
            Int, UnsafeMutablePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>, Float, Float, Float,
            Float, Float, Float
        ) -> Void

    let kernel: Kernel

    init(_ set: InstructionSet) {
        switch set {
        #if arch(x86_64)
            case .avx512: kernel = SSFMicroKernelsAVX512.sgd
            case .avx2: kernel = SSFMicroKernelsAVX2.sgd
        #endif
        default: kernel = SSFMicroKernels.sgd
        }
    }
}
