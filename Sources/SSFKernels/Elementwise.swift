import SSFMicroKernels
import SSFParallel

#if arch(x86_64)
    import SSFMicroKernelsAVX2
    import SSFMicroKernelsAVX512
#endif

/// Additions, products and copies, element by element or row by row.
///
/// - Accuracy: one rounding for a sum or a product; `a * b + c` has one with fused multiply-add and two without.
/// - Threading: over elements or rows; every result has the same bits for every thread count.
public enum Elementwise {
    /// `out = a + b`; all of the same count.
    public static func add(a: Span<Float>, b: Span<Float>, out: inout MutableSpan<Float>) {
        precondition(a.count == b.count && a.count == out.count, "a, b and out have the same count")
        add(count: a.count, a: a.start, b: b.start, out: out.start)
    }

    /// `y += x`; both of the same count.
    public static func addInPlace(x: Span<Float>, into y: inout MutableSpan<Float>) {
        precondition(x.count == y.count, "x and y have the same count")
        addInPlace(count: x.count, x: x.start, into: y.start)
    }

    /// `out = a * b + c`; all of the same count.
    public static func multiplyAdd(a: Span<Float>, b: Span<Float>, c: Span<Float>, out: inout MutableSpan<Float>) {
        precondition(
            a.count == b.count && a.count == c.count && a.count == out.count, "a, b, c and out have the same count")
        multiplyAdd(count: a.count, a: a.start, b: b.start, c: c.start, out: out.start)
    }

    /// `y[row, c] = rowScale[row] * x[row, c]`; x and y are [rows, channels], rowScale is [rows].
    public static func scaleRows(
        rows: Int, channels: Int, x: Span<Float>, rowScale: Span<Float>, y: inout MutableSpan<Float>
    ) {
        precondition(x.count == rows * channels && y.count == rows * channels, "x and y are [rows, channels]")
        precondition(rowScale.count == rows, "rowScale is [rows]")
        scaleRows(
            rows: rows, channels: channels, x: x.start, rowScale: rowScale.start, y: y.start, accumulate: false)
    }

    /// The sum of the squares, in double precision.
    public static func sumOfSquares(_ x: Span<Float>) -> Double {
        sumOfSquares(count: x.count, x: x.start)
    }

    /// Whether no element is infinite or NaN.
    public static func isFinite(_ x: Span<Float>) -> Bool {
        isFinite(count: x.count, x: x.start)
    }
}

extension Elementwise {
    // MARK: - Sums and products

    private struct Job {
        let chunks: RowChunks
        let a, b: UnsafePointer<Float>
        let c: UnsafePointer<Float>?
        let out: UnsafeMutablePointer<Float>
        let table: ElementwiseTable
    }

    /// `out = a + b` over pointers; `out` may be either.
    package static func add(
        count: Int, a: UnsafePointer<Float>, b: UnsafePointer<Float>, out: UnsafeMutablePointer<Float>,
        table: KernelTable = .current
    ) {
        let job = Job(
            chunks: RowChunks(rows: count, width: 1), a: a, b: b, c: nil, out: out, table: table.elementwise)
        Parallel.run(chunks: job.chunks.count, context: job) { context, chunk, _ in
            let job = context.assumingMemoryBound(to: Job.self).pointee
            let first = job.chunks.first(chunk)
            job.table.add(job.chunks.size(chunk), job.a + first, job.b + first, job.out + first)
        }
    }

    /// `y += x` over pointers.
    package static func addInPlace(
        count: Int, x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, table: KernelTable = .current
    ) {
        add(count: count, a: y, b: x, out: y, table: table)
    }

    /// `out = a * b + c` over pointers, `a * b` without c; `out` may be any of them.
    package static func multiplyAdd(
        count: Int, a: UnsafePointer<Float>, b: UnsafePointer<Float>, c: UnsafePointer<Float>?,
        out: UnsafeMutablePointer<Float>, table: KernelTable = .current
    ) {
        let job = Job(chunks: RowChunks(rows: count, width: 1), a: a, b: b, c: c, out: out, table: table.elementwise)
        Parallel.run(chunks: job.chunks.count, context: job) { context, chunk, _ in
            let job = context.assumingMemoryBound(to: Job.self).pointee
            let first = job.chunks.first(chunk)
            job.table.multiplyAdd(
                job.chunks.size(chunk), job.a + first, job.b + first, job.c.map { $0 + first }, job.out + first)
        }
    }

    // MARK: - Rows

    private struct RowJob {
        let chunks: RowChunks
        let channels: Int
        let x: UnsafePointer<Float>
        let xRowStride: Int
        let factor: Float
        let rowScale: UnsafePointer<Float>?
        let y: UnsafeMutablePointer<Float>
        let yRowStride: Int
        let accumulate: Bool
        let kernel: ElementwiseTable.ScaleRows

        func run() {
            Parallel.run(chunks: chunks.count, context: self) { context, chunk, _ in
                let job = context.assumingMemoryBound(to: RowJob.self).pointee
                let row = job.chunks.first(chunk)
                job.kernel(
                    job.chunks.size(chunk), job.channels, job.x + row * job.xRowStride, job.xRowStride, job.factor,
                    job.rowScale.map { $0 + row }, job.y + row * job.yRowStride, job.yRowStride, job.accumulate)
            }
        }
    }

    /// `y (+)= rowScale[row] * x` over pointers; `y` may be `x`.
    package static func scaleRows(
        rows: Int, channels: Int, x: UnsafePointer<Float>, rowScale: UnsafePointer<Float>,
        y: UnsafeMutablePointer<Float>, accumulate: Bool, table: KernelTable = .current
    ) {
        RowJob(
            chunks: RowChunks(rows: rows, width: channels), channels: channels, x: x, xRowStride: channels, factor: 1,
            rowScale: rowScale, y: y, yRowStride: channels, accumulate: accumulate, kernel: table.elementwise.scaleRows
        ).run()
    }

    /// `y (+)= x` for rows at strides of their own.
    package static func copyRows(
        rows: Int, channels: Int, x: UnsafePointer<Float>, xRowStride: Int, y: UnsafeMutablePointer<Float>,
        yRowStride: Int, accumulate: Bool, table: KernelTable = .current
    ) {
        RowJob(
            chunks: RowChunks(rows: rows, width: channels), channels: channels, x: x, xRowStride: xRowStride,
            factor: 1, rowScale: nil, y: y, yRowStride: yRowStride, accumulate: accumulate,
            kernel: table.elementwise.scaleRows
        ).run()
    }

    // MARK: - Whole vectors

    /// `y = value`.
    package static func fill(
        count: Int, value: Float, y: UnsafeMutablePointer<Float>, table: KernelTable = .current
    ) {
        struct FillJob {
            let chunks: RowChunks
            let value: Float
            let y: UnsafeMutablePointer<Float>
            let kernel: ElementwiseTable.Fill
        }
        let job = FillJob(
            chunks: RowChunks(rows: count, width: 1), value: value, y: y, kernel: table.elementwise.fill)
        Parallel.run(chunks: job.chunks.count, context: job) { context, chunk, _ in
            let job = context.assumingMemoryBound(to: FillJob.self).pointee
            job.kernel(job.chunks.size(chunk), job.value, job.y + job.chunks.first(chunk))
        }
    }

    /// The sum of the squares, in double precision, on the calling thread.
    package static func sumOfSquares(count: Int, x: UnsafePointer<Float>, table: KernelTable = .current) -> Double {
        precondition(count >= 0)
        return table.elementwise.sumOfSquares(count, x)
    }

    /// Whether no element is infinite or NaN, on the calling thread.
    package static func isFinite(count: Int, x: UnsafePointer<Float>, table: KernelTable = .current) -> Bool {
        precondition(count >= 0)
        return table.elementwise.isFinite(count, x)
    }
}

/// The elementwise kernels of one instruction set.
struct ElementwiseTable: Sendable {
    typealias Add = @Sendable (Int, UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
    typealias MultiplyAdd =
        @Sendable (
            Int, UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>?, UnsafeMutablePointer<Float>
        ) -> Void
    typealias ScaleRows =
        @Sendable (
            Int, Int, UnsafePointer<Float>, Int, Float, UnsafePointer<Float>?, UnsafeMutablePointer<Float>, Int, Bool
        ) -> Void
    typealias Fill = @Sendable (Int, Float, UnsafeMutablePointer<Float>) -> Void

    let add: Add
    let multiplyAdd: MultiplyAdd
    let scaleRows: ScaleRows
    let fill: Fill
    let sumOfSquares: @Sendable (Int, UnsafePointer<Float>) -> Double
    let isFinite: @Sendable (Int, UnsafePointer<Float>) -> Bool

    init(_ set: InstructionSet) {
        switch set {
        #if arch(x86_64)
            case .avx512:
                add = SSFMicroKernelsAVX512.add
                multiplyAdd = SSFMicroKernelsAVX512.multiplyAdd
                scaleRows = SSFMicroKernelsAVX512.scaleRows
                fill = SSFMicroKernelsAVX512.fill
                sumOfSquares = SSFMicroKernelsAVX512.sumOfSquares
                isFinite = SSFMicroKernelsAVX512.isFinite
            case .avx2:
                add = SSFMicroKernelsAVX2.add
                multiplyAdd = SSFMicroKernelsAVX2.multiplyAdd
                scaleRows = SSFMicroKernelsAVX2.scaleRows
                fill = SSFMicroKernelsAVX2.fill
                sumOfSquares = SSFMicroKernelsAVX2.sumOfSquares
                isFinite = SSFMicroKernelsAVX2.isFinite
        #endif
        default:
            add = SSFMicroKernels.add
            multiplyAdd = SSFMicroKernels.multiplyAdd
            scaleRows = SSFMicroKernels.scaleRows
            fill = SSFMicroKernels.fill
            sumOfSquares = SSFMicroKernels.sumOfSquares
            isFinite = SSFMicroKernels.isFinite
        }
    }
}
