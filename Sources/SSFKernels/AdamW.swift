import SSFMicroKernels
import SSFParallel

#if arch(x86_64)
    import SSFMicroKernelsAVX2
    import SSFMicroKernelsAVX512
#endif

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Adam with decoupled weight decay, as `torch.optim.AdamW` computes it.
///
///     p = p * (1 - learningRate * weightDecay)
///     m = beta1 * m + (1 - beta1) * g;  v = beta2 * v + (1 - beta2) * g^2
///     p = p - learningRate / (1 - beta1^step) * m / (sqrt(v) / sqrt(1 - beta2^step) + epsilon)
///
/// - Accuracy: the bias corrections in double precision, the update of an element in single precision.
/// - Threading: over elements.
/// - Source: Loshchilov, Hutter, arXiv 1711.05101, algorithm 2.
public enum AdamW {
    /// One step on parameters and moments, all of the same count.
    ///
    /// - Parameters:
    ///   - gradients: multiplied with `gradientScale` first, as clipping by the norm wants it.
    ///   - firstMoment, secondMoment: zeros before the first step.
    ///   - learningRate: per step.
    ///   - step: 1 in the first step.
    public static func step(
        parameters: inout MutableSpan<Float>, gradients: Span<Float>, firstMoment: inout MutableSpan<Float>,
        secondMoment: inout MutableSpan<Float>, learningRate: Float, beta1: Float = 0.9, beta2: Float = 0.999,
        epsilon: Float = 1e-8, weightDecay: Float, step: Int, gradientScale: Float = 1
    ) {
        precondition(
            gradients.count == parameters.count && firstMoment.count == parameters.count
                && secondMoment.count == parameters.count, "parameters, gradients and moments have the same count")
        self.step(
            count: parameters.count, parameters: parameters.start, gradients: gradients.start,
            firstMoment: firstMoment.start, secondMoment: secondMoment.start, learningRate: learningRate,
            beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay, step: step,
            gradientScale: gradientScale)
    }
}

extension AdamW {
    private struct Job {
        let chunks: RowChunks
        let parameters: UnsafeMutablePointer<Float>
        let gradients: UnsafePointer<Float>
        let firstMoment, secondMoment: UnsafeMutablePointer<Float>
        let gradientScale, oneMinusBeta1, beta2, oneMinusBeta2, decay, stepSize, secondFactor, epsilon: Float
        let kernel: AdamWTable.Kernel
    }

    /// The same over pointers.
    package static func step(
        count: Int, parameters: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>,
        firstMoment: UnsafeMutablePointer<Float>, secondMoment: UnsafeMutablePointer<Float>, learningRate: Float,
        beta1: Float, beta2: Float, epsilon: Float, weightDecay: Float, step: Int, gradientScale: Float = 1,
        table: KernelTable = .current
    ) {
        precondition(step >= 1, "steps are counted from 1")
        let rate = Double(learningRate)
        let job = Job(
            chunks: RowChunks(rows: count, width: 1), parameters: parameters, gradients: gradients,
            firstMoment: firstMoment, secondMoment: secondMoment, gradientScale: gradientScale,
            oneMinusBeta1: Float(1 - Double(beta1)), beta2: beta2, oneMinusBeta2: Float(1 - Double(beta2)),
            decay: Float(1 - rate * Double(weightDecay)),
            stepSize: Float(rate / (1 - pow(Double(beta1), Double(step)))),
            secondFactor: Float(1 / (1 - pow(Double(beta2), Double(step))).squareRoot()), epsilon: epsilon,
            kernel: table.adamW.kernel)
        Parallel.run(chunks: job.chunks.count, context: job) { context, chunk, _ in
            let job = context.assumingMemoryBound(to: Job.self).pointee
            let first = job.chunks.first(chunk)
            job.kernel(
                job.chunks.size(chunk), job.parameters + first, job.gradients + first, job.firstMoment + first,
                job.secondMoment + first, job.gradientScale, job.oneMinusBeta1, job.beta2, job.oneMinusBeta2,
                job.decay, job.stepSize, job.secondFactor, job.epsilon)
        }
    }
}

/// AdamW of one instruction set.
struct AdamWTable: Sendable {
    typealias Kernel =
        @Sendable (
            Int, UnsafeMutablePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>,
            UnsafeMutablePointer<Float>, Float, Float, Float, Float, Float, Float, Float, Float
        ) -> Void

    let kernel: Kernel

    init(_ set: InstructionSet) {
        switch set {
        #if arch(x86_64)
            case .avx512: kernel = SSFMicroKernelsAVX512.adamW
            case .avx2: kernel = SSFMicroKernelsAVX2.adamW
        #endif
        default: kernel = SSFMicroKernels.adamW
        }
    }
}
