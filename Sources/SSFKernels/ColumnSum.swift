import SSFMicroKernels
import SSFParallel

#if arch(x86_64)
    import SSFMicroKernelsAVX2
    import SSFMicroKernelsAVX512
#endif

/// Sums over the rows of a matrix: the gradient of a bias.
///
/// - Accuracy: single precision, in the order of the rows within at most 64 partial sums.
/// - Threading: over rows; the same bits for every thread count.
public enum ColumnSum {
    /// Adds the sum of every column of x [rows, channels] to `sums` [channels]; `workspace` is scratch memory.
    public static func add(
        rows: Int, channels: Int, x: Span<Float>, into sums: inout MutableSpan<Float>, workspace: Workspace
    ) {
        precondition(x.count == rows * channels, "x is [rows, channels]")
        precondition(sums.count == channels, "the sums are [channels]")
        add(
            rows: rows, channels: channels, x: x.start, rowStride: channels, into: sums.start, workspace: workspace)
    }
}

extension ColumnSum {
    private struct Job {
        let chunks: RowChunks
        let channels: Int
        let x: UnsafePointer<Float>
        let rowStride: Int
        let partialSums: PartialSums
        let kernel: ColumnSumTable.Add
    }

    /// The same over pointers, for rows at a stride.
    package static func add(
        rows: Int, channels: Int, x: UnsafePointer<Float>, rowStride: Int, into sums: UnsafeMutablePointer<Float>,
        workspace: Workspace, table: KernelTable = .current
    ) {
        precondition(rows >= 0 && channels >= 0 && rowStride >= channels)
        let chunks = RowChunks(summingRows: rows)
        guard chunks.count > 1 else {
            return addDirectly(rows: rows, channels: channels, x: x, rowStride: rowStride, into: sums, table: table)
        }
        let partialSums = PartialSums(chunks: chunks.count, vectors: 1, channels: channels, workspace: workspace)
        let job = Job(
            chunks: chunks, channels: channels, x: x, rowStride: rowStride, partialSums: partialSums,
            kernel: table.columnSum.add)
        Parallel.run(chunks: chunks.count, context: job) { context, chunk, _ in
            let job = context.assumingMemoryBound(to: Job.self).pointee
            job.kernel(
                job.chunks.size(chunk), job.channels, job.x + job.chunks.first(chunk) * job.rowStride, job.rowStride,
                job.partialSums.zeroed(chunk: chunk, vector: 0))
        }
        partialSums.add(vector: 0, to: sums, table: table)
    }

    /// The same for few rows, on the calling thread and without partial sums.
    static func addDirectly(
        rows: Int, channels: Int, x: UnsafePointer<Float>, rowStride: Int, into sums: UnsafeMutablePointer<Float>,
        table: KernelTable
    ) {
        table.columnSum.add(rows, channels, x, rowStride, sums)
    }
}

/// Column sums of one instruction set.
struct ColumnSumTable: Sendable {
    typealias Add = @Sendable (Int, Int, UnsafePointer<Float>, Int, UnsafeMutablePointer<Float>) -> Void

    let add: Add

    init(_ set: InstructionSet) {
        switch set {
        #if arch(x86_64)
            case .avx512: add = SSFMicroKernelsAVX512.columnSum
            case .avx2: add = SSFMicroKernelsAVX2.columnSum
        #endif
        default: add = SSFMicroKernels.columnSum
        }
    }
}
