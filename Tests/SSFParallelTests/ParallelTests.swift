import SSFParallel
import Synchronization
import Testing

/// Regions. Serialized: one region is active at a time in a process, and a region beside another runs serially.
@Suite(.serialized) struct ParallelTests {
    private struct Job {
        var counts: UnsafeMutablePointer<Int>
        var slots: UnsafeMutablePointer<Int>
    }

    /// How often each chunk ran, and on which slots.
    private func run(chunks: Int, team: Int) -> (counts: [Int], slots: [Int]) {
        let counts = UnsafeMutablePointer<Int>.allocate(capacity: max(chunks, 1))
        let slots = UnsafeMutablePointer<Int>.allocate(capacity: max(chunks, 1))
        defer {
            counts.deallocate()
            slots.deallocate()
        }
        counts.initialize(repeating: 0, count: max(chunks, 1))
        slots.initialize(repeating: -1, count: max(chunks, 1))
        let job = Job(counts: counts, slots: slots)
        Parallel.run(chunks: chunks, team: team, context: job) { context, chunk, slot in
            let job = context.assumingMemoryBound(to: Job.self).pointee
            job.counts[chunk] += 1
            job.slots[chunk] = slot
        }
        return ((0..<chunks).map { counts[$0] }, (0..<chunks).map { slots[$0] })
    }

    @Test(arguments: [0, 1, 2, 3, 7, 64, 1000], [1, 2, 3, 8])
    func everyChunkRunsOnce(chunks: Int, team: Int) {
        for _ in 0..<20 {
            let (counts, slots) = run(chunks: chunks, team: team)
            #expect(counts == Array(repeating: 1, count: chunks))
            #expect(slots.allSatisfy { (0..<team).contains($0) })
        }
    }

    /// Each of two chunks waits for the other, which only two threads can do. For a second, and again: a busy machine
    /// may let one of them wait, and a region of another test may be active.
    @Test func theWholeTeamWorks() {
        struct Job { var arrived: UnsafeMutablePointer<Atomic<Int>> }
        let arrived = UnsafeMutablePointer<Atomic<Int>>.allocate(capacity: 1)
        arrived.initialize(to: Atomic(0))
        defer { arrived.deallocate() }
        for _ in 0..<20 where arrived.pointee.load(ordering: .acquiring) != 3 {
            arrived.pointee.store(0, ordering: .releasing)
            Parallel.run(chunks: 2, team: 2, context: Job(arrived: arrived)) { context, _, slot in
                let arrived = context.assumingMemoryBound(to: Job.self).pointee.arrived
                arrived.pointee.bitwiseOr(1 << slot, ordering: .acquiringAndReleasing)
                let deadline = ContinuousClock.now + .seconds(1)
                while arrived.pointee.load(ordering: .acquiring) != 3, ContinuousClock.now < deadline {}
            }
        }
        #expect(arrived.pointee.load(ordering: .acquiring) == 3)
    }

    @Test func aRegionInsideARegionRunsSeriallyOnItsThread() {
        struct Outer { var sums: UnsafeMutablePointer<Int> }
        let sums = UnsafeMutablePointer<Int>.allocate(capacity: 8)
        sums.initialize(repeating: 0, count: 8)
        defer { sums.deallocate() }
        Parallel.run(chunks: 8, team: 2, context: Outer(sums: sums)) { context, chunk, _ in
            struct Inner { var sum: UnsafeMutablePointer<Int> }
            let sum = context.assumingMemoryBound(to: Outer.self).pointee.sums + chunk
            // Without a lock: chunks of the inner region on several threads would lose additions.
            Parallel.run(chunks: 1000, team: 2, context: Inner(sum: sum)) { context, chunk, slot in
                context.assumingMemoryBound(to: Inner.self).pointee.sum.pointee += slot == 0 ? chunk : 1_000_000
            }
        }
        #expect((0..<8).allSatisfy { sums[$0] == 999 * 1000 / 2 })
    }

    @Test func moreThreadsThanTheMachineHasAreForTestsOnly() {
        #expect(Parallel.threads <= ThreadLimit.current.threads)
        Parallel.withThreads(5) {
            #expect(Parallel.threads == 5)
            Parallel.withThreads(1) { #expect(Parallel.threads == 1) }
        }
    }

    @Test func theTeamIsCutToTheLimit() {
        let before = Parallel.threads
        #expect(Parallel.setThreads(1) == 1)
        #expect(Parallel.threads == 1)
        #expect(Parallel.setThreads(100_000) == ThreadLimit.current.threads)
        #expect(Parallel.setThreads(before) == before)
    }

    @Test func noThreadsAtAllStopTheProgram() async {
        await #expect(processExitsWith: .failure) { Parallel.setThreads(0) }
    }
}
