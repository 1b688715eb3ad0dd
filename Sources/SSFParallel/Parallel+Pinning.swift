import Synchronization

/// Binding threads to CPUs. Only programs do it: a library must not change the mask of threads it did not start.
extension Parallel {
    /// What came of `pinProgram`.
    public enum Pinning: Sendable, Equatable {
        /// Thread t of the team runs on `cpus[t]` alone.
        case pinned(cpus: [Int])
        /// Nothing was bound, and why.
        case unpinned(reason: String)
    }

    /// Binds every thread of the team to a CPU of its own. Call once, at the start of a program, from the main thread,
    /// after `setThreads`.
    ///
    /// Without it a scheduler that packs the threads of a process onto one CPU makes the run time of a step bimodal.
    /// It binds only where that cannot hurt: the team has more than one thread and fills the inherited mask, and
    /// neither `SSF_PIN=0` nor libomp's own variables say otherwise. Threads and processes that the main thread starts
    /// later inherit its single CPU: they call `restoreInheritedMask` first, or are started inside
    /// `withInheritedMask`.
    public static func pinProgram() -> Pinning {
        guard let mask = CPUMask.inherited else { return .unpinned(reason: "the system has no affinity masks") }
        let decision = pinningDecision(
            mask: mask.cpus, threads: threads, ssfPin: Environment.value("SSF_PIN"),
            ompVariables: ["OMP_PROC_BIND", "OMP_PLACES", "KMP_AFFINITY"].filter { Environment.value($0) != nil })
        guard case .pinned(let cpus) = decision else { return decision }
        let bound = UnsafeMutablePointer<Bool>.allocate(capacity: cpus.count)
        defer { bound.deallocate() }
        bound.initialize(repeating: false, count: cpus.count)
        // One chunk per thread: each waits until all have come, so that no thread takes the chunk of another.
        let arrived = UnsafeMutablePointer<Atomic<Int>>.allocate(capacity: 1)
        arrived.initialize(to: Atomic(0))
        defer {
            arrived.deinitialize(count: 1)
            arrived.deallocate()
        }
        struct Job {
            var cpus: UnsafePointer<Int>
            var count: Int
            var bound: UnsafeMutablePointer<Bool>
            var arrived: UnsafeMutablePointer<Atomic<Int>>
        }
        cpus.withUnsafeBufferPointer { list in
            let job = Job(cpus: list.baseAddress!, count: cpus.count, bound: bound, arrived: arrived)
            run(chunks: cpus.count, team: cpus.count, context: job) { context, _, slot in
                let job = context.assumingMemoryBound(to: Job.self).pointee
                job.bound[slot] = CPUMask(cpus: [job.cpus[slot]]).applyToCurrentThread()
                job.arrived.pointee.add(1, ordering: .acquiringAndReleasing)
                // Bounded: a team that is smaller than was asked for must not wait for ever.
                var patience = 100_000_000
                while job.arrived.pointee.load(ordering: .acquiring) < job.count, patience > 0 { patience -= 1 }
            }
        }
        if (0..<cpus.count).allSatisfy({ bound[$0] }) { return decision }
        restoreInheritedMask()
        return .unpinned(reason: "the system refused")
    }

    /// Gives the calling thread the mask back that the process was started with: for threads beside the team, such as
    /// those that load images.
    public static func restoreInheritedMask() {
        CPUMask.inherited?.applyToCurrentThread()
    }

    /// Runs `body` with the inherited mask on the calling thread, for starting a child process, then binds the thread
    /// again as it was.
    public static func withInheritedMask<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure)
        -> Result
    {
        let before = CPUMask.ofCurrentThread()
        restoreInheritedMask()
        defer { before?.applyToCurrentThread() }
        return try body()
    }

    /// What `pinProgram` should do, as a function of everything that it looks at.
    package static func pinningDecision(mask: [Int], threads: Int, ssfPin: String?, ompVariables: [String]) -> Pinning {
        if ssfPin == "0" { return .unpinned(reason: "SSF_PIN=0") }
        if let variable = ompVariables.first { return .unpinned(reason: "\(variable) is set") }
        if threads < 2 { return .unpinned(reason: "one thread") }
        if threads != mask.count {
            return .unpinned(reason: "\(threads) threads on \(mask.count) CPUs")
        }
        return .pinned(cpus: mask)
    }
}
