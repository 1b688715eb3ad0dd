import SSFParallel

/// Measures the peaks of this machine in short windows that can alternate with the work they are compared with.
///
///     let meter = PeakMeter()
///     for _ in 0..<20 {
///         let peak = meter.gigaFLOPs()
///         let rate = ...                  // of the work, in the moment after
///         shares.append(rate / peak)
///     }
///
/// The speed of a shared machine drifts within seconds by more than the differences that matter. The median of shares
/// that were taken in pairs stays true.
///
/// - Threading: every thread of the team does the same. One measurement at a time.
public final class PeakMeter {
    /// Threads that take part.
    public let threads: Int
    private lazy var triad = TriadArrays(threads: threads, megabytes: 64)

    /// - Parameter threads: of the team. The memory of the triad, three arrays of 64 MB, is taken at its first use.
    public init(threads: Int = Parallel.threads) {
        precondition(threads >= 1, "a team has at least one thread, not \(threads)")
        self.threads = threads
    }

    /// The best of several loops of multiply-adds on registers, with the instruction set that the kernels use: GFLOP/s,
    /// a multiply-add being two operations. About a millisecond.
    ///
    /// - Parameter precision: of the factors. Where the instruction set has no products of bfloat16, the kernels compute
    ///   in single precision, and the peak of that is the answer.
    public func gigaFLOPs(_ precision: Precision = .float32) -> Double {
        MachinePeak.gigaFLOPs(precision: precision, threads: threads, windows: 8, table: .current)
            ?? MachinePeak.gigaFLOPs(threads: threads, windows: 8, table: .current)
    }

    /// The best of two triads, a = b + s c, over arrays far larger than the caches: GB/s of three streams. The reading
    /// of `a` that most processors do before they write it is not counted. About ten milliseconds.
    public func triadGigabytes() -> Double {
        triad.gigabytesPerSecond(windows: 2, table: .current)
    }
}

/// The three arrays of a triad, and of other loops that do nothing but move memory. Their memory is first touched by the threads that run over it later.
final class TriadArrays {
    private struct Job {
        var table: PeakTable
        var arrays: UnsafeMutablePointer<Float>
        var count: Int
        var perChunk: Int

        /// The three parts of a chunk: a, b, c.
        func start(_ chunk: Int, array: Int) -> UnsafeMutablePointer<Float> {
            arrays + array * count + chunk * perChunk
        }
    }

    private let threads: Int
    private let chunks: Int
    private let perChunk: Int
    private let arrays: UnsafeMutablePointer<Float>

    init(threads: Int, megabytes: Int) {
        self.threads = threads
        chunks = 16 * threads
        perChunk = max(megabytes << 18 / chunks / 1024, 1) * 1024
        let count = 3 * chunks * perChunk
        arrays = UnsafeMutableRawPointer.allocate(byteCount: count * MemoryLayout<Float>.stride, alignment: 64)
            .bindMemory(to: Float.self, capacity: count)
        run(table: .current) { context, chunk, _ in
            let job = context.assumingMemoryBound(to: Job.self).pointee
            for array in 0..<3 { job.start(chunk, array: array).initialize(repeating: 1, count: job.perChunk) }
        }
    }

    deinit {
        arrays.deallocate()
    }

    /// The best of `windows` triads, after one that is not timed.
    func gigabytesPerSecond(windows: Int, table: KernelTable) -> Double {
        let seconds = MachinePeak.bestTime(windows: windows) {
            run(table: table) { context, chunk, _ in
                let job = context.assumingMemoryBound(to: Job.self).pointee
                job.table.triadLoop(
                    job.perChunk, 0.5, job.start(chunk, array: 1), job.start(chunk, array: 2),
                    job.start(chunk, array: 0))
            }
        }
        return Double(3 * chunks * perChunk * MemoryLayout<Float>.stride) / seconds * 1e-9
    }

    /// The best of `windows` sums over all three arrays, after one that is not timed.
    func readGigabytesPerSecond(windows: Int, table: KernelTable) -> Double {
        let seconds = MachinePeak.bestTime(windows: windows) {
            run(table: table) { context, chunk, _ in
                let job = context.assumingMemoryBound(to: Job.self).pointee
                for array in 0..<3 { _ = job.table.readLoop(job.perChunk, job.start(chunk, array: array)) }
            }
        }
        return Double(3 * chunks * perChunk * MemoryLayout<Float>.stride) / seconds * 1e-9
    }

    /// The best of `windows` updates of two arrays in place from the third, after one that is not timed.
    func updateGigabytesPerSecond(windows: Int, table: KernelTable) -> Double {
        let seconds = MachinePeak.bestTime(windows: windows) {
            run(table: table) { context, chunk, _ in
                let job = context.assumingMemoryBound(to: Job.self).pointee
                job.table.updateLoop(
                    job.perChunk, job.start(chunk, array: 2), job.start(chunk, array: 0), job.start(chunk, array: 1))
            }
        }
        return Double(5 * chunks * perChunk * MemoryLayout<Float>.stride) / seconds * 1e-9
    }

    private func run(table: KernelTable, body: Parallel.Body) {
        let job = Job(table: table.peak, arrays: arrays, count: chunks * perChunk, perChunk: perChunk)
        Parallel.run(chunks: chunks, team: threads, context: job, body: body)
    }
}
