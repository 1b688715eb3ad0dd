import Synchronization

/// The thread team of the library: parallel regions over libomp.
///
/// A region runs a body once for every chunk `0 ..< chunks`. How the work is cut into chunks must follow from its shape
/// alone, never from the number of threads, and a chunk must not depend on another: then a result has the same bits for
/// every thread count. Which thread runs which chunk is left open, and changes from run to run.
///
/// One region is active at a time in a process. A region that is entered meanwhile, from inside a body or from another
/// thread, runs serially on the thread that entered it: kernels compose without oversubscribing the machine, and no call
/// waits for another.
///
/// ### Many cores
///
/// - Chunks are handed out statically first, then dynamically: thread t begins with the t-th share, which is the same in
///   every region with as many chunks, and takes from the ends of the others' shares only when its own is done. Taking
///   one is an atomic operation on a word that, until the last chunks, only its owner touches.
/// - The words stand on cache lines of their own. A body that writes results of neighbouring chunks to one line shares
///   that line; the kernels' chunks are tens of kilobytes, so that it is one line in some hundred.
/// - Memory belongs to the node of the thread that writes it first. `GEMM.pack` writes a packed matrix panel by panel
///   inside a region, so that with pinned threads a panel lies where the same share of columns is multiplied; scratch
///   memory of a slot is first written by that slot's thread. Arrays that the caller fills lie on the caller's node: to
///   spread them, write them first in a region.
/// - Idle threads spin for a millisecond, then sleep: between the regions of a step they are awake, and after it they
///   take no time from whoever comes next. A team that is larger than the CPUs it may use is slower only by what the
///   scheduler takes: the threads yield while they wait.
public enum Parallel {
    /// What a region runs for one chunk: the context, the chunk, and the slot of the thread that runs it.
    ///
    /// Slots are `0 ..< team`; no two threads of a region share one, so scratch that the caller allocated per slot is
    /// free of races. A C function: it cannot capture, hence a region allocates nothing. It must not throw or exit.
    public typealias Body = @Sendable @convention(c) (_ context: UnsafeRawPointer, _ chunk: Int, _ slot: Int) -> Void

    /// The threads that a region uses, the calling one included: `ThreadLimit.current`, or fewer after `setThreads`.
    public static var threads: Int { threadsOfTask ?? chosenThreads.load(ordering: .relaxed) }

    /// For the length of `body`, on this thread, teams of exactly `count` threads, also beyond `ThreadLimit`: how tests
    /// show that results do not depend on it.
    package static func withThreads<Result>(_ count: Int, _ body: () throws -> Result) rethrows -> Result {
        precondition(count >= 1)
        return try $threadsOfTask.withValue(count, operation: body)
    }

    @TaskLocal private static var threadsOfTask: Int?

    private static let chosenThreads = Atomic<Int>(ThreadLimit.current.threads)

    /// Sets the threads of later regions, and returns what they will use.
    ///
    /// - Parameter requested: at least 1; more than `ThreadLimit.current` allows is cut to that.
    @discardableResult
    public static func setThreads(_ requested: Int) -> Int {
        precondition(requested >= 1, "a team has at least one thread, not \(requested)")
        let granted = min(requested, ThreadLimit.current.threads)
        chosenThreads.store(granted, ordering: .relaxed)
        return granted
    }

    /// Runs `body` for every chunk, on up to `team` threads, and returns when all are done.
    ///
    ///     struct Job { var x: UnsafeMutablePointer<Float>; var count: Int }
    ///     Parallel.run(chunks: 8, context: Job(x: x, count: count)) { context, chunk, slot in
    ///         let job = context.assumingMemoryBound(to: Job.self).pointee
    ///         ...
    ///     }
    ///
    /// Thread t starts at the t-th part of the chunks, in order, so that neighbouring chunks share its caches, in this
    /// region and in the next one of the same shape; when its part is done it takes chunks from the ends of the others.
    ///
    /// - Parameters:
    ///   - team: threads, and slots: what scratch was allocated for. Read `threads` once and use it for both. More than
    ///     `threads` is allowed (tests do it), and only useful for that.
    ///   - context: read by every thread; a struct of pointers and numbers.
    /// - Complexity: about half a microsecond beside the bodies while the team is awake.
    public static func run<Context>(chunks: Int, team: Int = Parallel.threads, context: Context, body: Body) {
        withUnsafePointer(to: context) { context in
            let context = UnsafeRawPointer(context)
            let team = min(team, chunks)
            guard team > 1, enter() else {
                for chunk in 0..<max(chunks, 0) { body(context, chunk, 0) }
                return
            }
            defer { leave() }
            ThreadTeam.run(chunks: chunks, team: team, context: context, body: body)
        }
    }

    // MARK: - One region at a time

    private static let isActive = Atomic<Bool>(false)

    private static func enter() -> Bool {
        isActive.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
    }

    private static func leave() {
        isActive.store(false, ordering: .releasing)
    }
}
