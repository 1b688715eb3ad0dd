import COpenMP

/// The thread team of the library: parallel regions over libomp.
///
/// A region runs a body once for every chunk `0 ..< chunks`. How the work is cut into chunks must follow from its shape
/// alone, never from the number of threads, and a chunk must not depend on another: then a result has the same bits for
/// every thread count. Which thread runs which chunk is left open.
public enum Parallel {
    /// What a region runs for one chunk: the context, the chunk, and the slot of the thread that runs it.
    ///
    /// Slots are `0 ..< team`; no two threads of a region share one, so scratch that the caller allocated per slot is
    /// free of races. A C function: it cannot capture, hence a region allocates nothing.
    public typealias Body = @Sendable @convention(c) (_ context: UnsafeRawPointer, _ chunk: Int, _ slot: Int) -> Void

    /// The threads that a region may use, the calling one included.
    public static var threads: Int { 1 }

    /// Runs `body` for every chunk, on up to `team` threads, and returns when all are done.
    ///
    ///     struct Job { var x: UnsafeMutablePointer<Float>; var count: Int }
    ///     Parallel.run(chunks: 8, context: Job(x: x, count: count)) { context, chunk, slot in
    ///         let job = context.assumingMemoryBound(to: Job.self).pointee
    ///         ...
    ///     }
    ///
    /// - Parameter team: what scratch was allocated for; read `threads` once and use it for both.
    public static func run<Context>(chunks: Int, team: Int = Parallel.threads, context: Context, body: Body) {
        withUnsafePointer(to: context) { pointer in
            for chunk in 0..<max(chunks, 0) { body(UnsafeRawPointer(pointer), chunk, 0) }
        }
    }
}
