import SSFParallel

/// Measures what this machine can do at best, so that a result can be stated as a part of it.
///
/// A shared machine is disturbed at any moment: windows of about a millisecond, the best of many. Compare only with
/// what was measured in the same minute.
package enum MachinePeak {
    /// Multiply-adds per second on registers alone, in GFLOP/s (one multiply-add is two operations; on a table without
    /// FMA, a multiplication and an addition).
    ///
    /// - Parameters:
    ///   - threads: of the team; each runs the same loop.
    ///   - windows: the best one counts.
    package static func gigaFLOPs(
        threads: Int = Parallel.threads, windows: Int = 20, table: KernelTable = .current
    ) -> Double {
        gigaFLOPs(threads: threads, windows: windows, loop: table.peak.multiplyAddLoop)
    }

    /// The same for products in `precision`; nil where the table has no instruction for them and computes them in
    /// single precision.
    package static func gigaFLOPs(
        precision: Precision, threads: Int = Parallel.threads, windows: Int = 20, table: KernelTable = .current
    ) -> Double? {
        switch precision {
        case .float32: gigaFLOPs(threads: threads, windows: windows, loop: table.peak.multiplyAddLoop)
        case .bfloat16: table.peak.dotLoop.map { gigaFLOPs(threads: threads, windows: windows, loop: $0) }
        }
    }

    private static func gigaFLOPs(
        threads: Int, windows: Int, loop: @escaping @Sendable (Int, UnsafeMutablePointer<Float>) -> Int
    ) -> Double {
        // 18 vectors at most, of at most 16 floats, for each thread.
        let floats = 18 * 16
        let memory = alignedFloats(floats * threads)
        defer { memory.deallocate() }
        // A fixed point of x -> x / 2 + 1 / 2: the numbers stay normal for ever.
        for i in 0..<floats * threads { memory[i] = i % floats < floats - 32 ? 1 : 0.5 }
        struct Job {
            var loop: @Sendable (Int, UnsafeMutablePointer<Float>) -> Int
            var memory: UnsafeMutablePointer<Float>
            var floats: Int
            var rounds: Int
        }
        let rounds = 1 << 16
        let job = Job(loop: loop, memory: memory, floats: floats, rounds: rounds)
        let operations = threads * loop(rounds, memory)
        let seconds = bestTime(windows: windows) {
            Parallel.run(chunks: threads, team: threads, context: job) { context, chunk, _ in
                let job = context.assumingMemoryBound(to: Job.self)
                _ = job.pointee.loop(job.pointee.rounds, job.pointee.memory + chunk * job.pointee.floats)
            }
        }
        return Double(operations) / seconds * 1e-9
    }

    /// The triad a = b + s c over arrays far larger than the caches, in GB/s. It counts three streams; the reading of
    /// `a` that most processors do before they write it is not counted.
    ///
    /// - Parameter megabytes: of each of the three arrays.
    package static func triadGigabytes(
        threads: Int = Parallel.threads, megabytes: Int = 64, windows: Int = 8, table: KernelTable = .current
    ) -> Double {
        TriadArrays(threads: threads, megabytes: megabytes).gigabytesPerSecond(windows: windows, table: table)
    }

    /// The update of two arrays in place from a third, a = (a + c) / 2 and b = (b + c) / 2, far larger than the caches,
    /// in GB/s: what is read and what is written, and nothing moves beside them. Where memory has separate ways for
    /// reading and for writing, three to two is near the mix that fills both.
    ///
    /// - Parameter megabytes: of each of three arrays.
    package static func updateGigabytes(
        threads: Int = Parallel.threads, megabytes: Int = 64, windows: Int = 8, table: KernelTable = .current
    ) -> Double {
        TriadArrays(threads: threads, megabytes: megabytes).updateGigabytesPerSecond(windows: windows, table: table)
    }

    /// Reading alone, sums over arrays far larger than the caches, in GB/s.
    ///
    /// - Parameter megabytes: of each of three arrays.
    package static func readGigabytes(
        threads: Int = Parallel.threads, megabytes: Int = 64, windows: Int = 8, table: KernelTable = .current
    ) -> Double {
        TriadArrays(threads: threads, megabytes: megabytes).readGigabytesPerSecond(windows: windows, table: table)
    }

    /// The shortest time of `body` in seconds, after one run that is not timed.
    package static func bestTime(windows: Int, _ body: () -> Void) -> Double {
        body()
        let clock = ContinuousClock()
        var best = Duration.seconds(3600)
        for _ in 0..<max(windows, 1) { best = min(best, clock.measure(body)) }
        return Double(best.components.seconds) + Double(best.components.attoseconds) * 1e-18
    }

    private static func alignedFloats(_ count: Int) -> UnsafeMutablePointer<Float> {
        UnsafeMutableRawPointer.allocate(byteCount: count * MemoryLayout<Float>.stride, alignment: 64)
            .bindMemory(to: Float.self, capacity: count)
    }
}
