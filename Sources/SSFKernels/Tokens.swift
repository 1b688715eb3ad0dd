import SSFParallel

/// The mean over the tokens of a sequence, without its first ones (class and register tokens), and its gradient.
///
/// - Accuracy: single precision, in the order of the tokens.
/// - Threading: one batch entry per chunk.
public enum Tokens {
    /// `y[b, c] = mean over the tokens first ..< tokens of x[b, t, c]`; x is [B, N, C], y is [B, C].
    public static func mean(
        batch: Int, tokens: Int, first: Int, channels: Int, x: Span<Float>, y: inout MutableSpan<Float>
    ) {
        precondition(x.count == batch * tokens * channels, "x is [batch, tokens, channels]")
        precondition(y.count == batch * channels, "y is [batch, channels]")
        mean(batch: batch, tokens: tokens, first: first, channels: channels, x: x.start, y: y.start)
    }

    /// The gradient of ``mean(batch:tokens:first:channels:x:y:)``: dy is [B, C], dx [B, N, C] is overwritten.
    public static func meanBackward(
        batch: Int, tokens: Int, first: Int, channels: Int, dy: Span<Float>, dx: inout MutableSpan<Float>
    ) {
        precondition(dx.count == batch * tokens * channels, "dx is [batch, tokens, channels]")
        precondition(dy.count == batch * channels, "dy is [batch, channels]")
        meanBackward(
            batch: batch, tokens: tokens, first: first, channels: channels, dy: dy.start, dx: dx.start,
            accumulate: false)
    }
}

extension Tokens {
    private struct Job {
        let tokens, first, channels: Int
        let x: UnsafePointer<Float>
        let y: UnsafeMutablePointer<Float>
        let accumulate: Bool
        let columnSum: ColumnSumTable
        let elementwise: ElementwiseTable

        var factor: Float { 1 / Float(tokens - first) }
    }

    /// The same over pointers.
    package static func mean(
        batch: Int, tokens: Int, first: Int, channels: Int, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>,
        table: KernelTable = .current
    ) {
        precondition(first >= 0 && first < tokens, "no tokens to take the mean of")
        let job = Job(
            tokens: tokens, first: first, channels: channels, x: x, y: y, accumulate: false,
            columnSum: table.columnSum, elementwise: table.elementwise)
        Parallel.run(chunks: batch, context: job) { context, chunk, _ in
            let job = context.assumingMemoryBound(to: Job.self).pointee
            let x = job.x + (chunk * job.tokens + job.first) * job.channels
            let y = job.y + chunk * job.channels
            job.elementwise.fill(job.channels, 0, y)
            job.columnSum.add(job.tokens - job.first, job.channels, x, job.channels, y)
            job.elementwise.scaleRows(1, job.channels, y, 0, job.factor, nil, y, 0, false)
        }
    }

    /// The same over pointers; `dx` is added to with `accumulate`, and otherwise zero for the first tokens.
    package static func meanBackward(
        batch: Int, tokens: Int, first: Int, channels: Int, dy: UnsafePointer<Float>,
        dx: UnsafeMutablePointer<Float>, accumulate: Bool, table: KernelTable = .current
    ) {
        precondition(first >= 0 && first < tokens, "no tokens to take the mean of")
        let job = Job(
            tokens: tokens, first: first, channels: channels, x: dy, y: dx, accumulate: accumulate,
            columnSum: table.columnSum, elementwise: table.elementwise)
        Parallel.run(chunks: batch, context: job) { context, chunk, _ in
            let job = context.assumingMemoryBound(to: Job.self).pointee
            let dx = job.y + chunk * job.tokens * job.channels
            if !job.accumulate { job.elementwise.fill(job.first * job.channels, 0, dx) }
            // One row of dy for all: a stride of zero.
            job.elementwise.scaleRows(
                job.tokens - job.first, job.channels, job.x + chunk * job.channels, 0, job.factor, nil,
                dx + job.first * job.channels, job.channels, job.accumulate)
        }
    }
}
