import SSFMicroKernels
import SSFParallel

#if arch(x86_64)
    import SSFMicroKernelsAVX2
    import SSFMicroKernelsAVX512
#endif

/// Exponential and error function of many numbers at a time.
///
/// - Accuracy: over all of single precision, denormal results included: exp at most 1 ulp with fused multiply-add and
///   2 ulp without; erf at most 2.5 ulp with and 3 ulp without. Infinities give their limits, NaN gives NaN.
/// - Threading: over elements.
public enum ElementaryFunctions {
    /// `y = exp(x)`; both of the same count.
    public static func exponential(x: Span<Float>, y: inout MutableSpan<Float>) {
        precondition(x.count == y.count, "x and y have the same count")
        exponential(count: x.count, x: x.start, y: y.start)
    }

    /// `y = erf(x)`; both of the same count.
    public static func errorFunction(x: Span<Float>, y: inout MutableSpan<Float>) {
        precondition(x.count == y.count, "x and y have the same count")
        errorFunction(count: x.count, x: x.start, y: y.start)
    }

    /// The same over pointers; `y` may be `x`.
    package static func exponential(
        count: Int, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, table: KernelTable = .current
    ) {
        run(count, x, y, table.elementaryFunctions.exponential)
    }

    /// The same over pointers; `y` may be `x`.
    package static func errorFunction(
        count: Int, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, table: KernelTable = .current
    ) {
        run(count, x, y, table.elementaryFunctions.errorFunction)
    }

    private struct Job {
        let chunks: RowChunks
        let x: UnsafePointer<Float>
        let y: UnsafeMutablePointer<Float>
        let kernel: ElementaryFunctionsTable.Function
    }

    private static func run(
        _ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>,
        _ kernel: @escaping ElementaryFunctionsTable.Function
    ) {
        let job = Job(chunks: RowChunks(rows: count, width: 1), x: x, y: y, kernel: kernel)
        Parallel.run(chunks: job.chunks.count, context: job) { context, chunk, _ in
            let job = context.assumingMemoryBound(to: Job.self).pointee
            let first = job.chunks.first(chunk)
            job.kernel(job.chunks.size(chunk), job.x + first, job.y + first)
        }
    }
}

/// Elementary functions of one instruction set.
struct ElementaryFunctionsTable: Sendable {
    typealias Function = @Sendable (Int, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void

    let exponential: Function
    let errorFunction: Function

    init(_ set: InstructionSet) {
        switch set {
        #if arch(x86_64)
            case .avx512:
                exponential = SSFMicroKernelsAVX512.exponential
                errorFunction = SSFMicroKernelsAVX512.errorFunction
            case .avx2:
                exponential = SSFMicroKernelsAVX2.exponential
                errorFunction = SSFMicroKernelsAVX2.errorFunction
        #endif
        default:
            exponential = SSFMicroKernels.exponential
            errorFunction = SSFMicroKernels.errorFunction
        }
    }
}
