import SSFKernels
import SSFParallel

/// Measures the machine and the kernels: peaks, every kernel, the peaks again.
///
/// On the threads of `Parallel`, with the kernels of `KernelTable.current`. What else runs on the machine takes away
/// from the result; the best call counts, and the drift of the peaks tells how calm it was.
public struct RooflineMeasurement: Sendable {
    /// How far it is.
    public enum Progress: Sendable, Equatable {
        case peaks(isSecondTime: Bool)
        case kernel(name: String, index: Int, count: Int)
    }

    public var kernels: [KernelCase]
    /// Time for the calls of one kernel; a kernel that takes longer is called three times at least.
    public var secondsPerKernel: Double
    public var threads: Int { Parallel.threads }

    public init(kernels: [KernelCase] = KernelCatalog.all, secondsPerKernel: Double = 0.8) {
        precondition(secondsPerKernel > 0)
        (self.kernels, self.secondsPerKernel) = (kernels, secondsPerKernel)
    }

    /// - Parameters:
    ///   - machine: stands in the report.
    ///   - progress: is called before each part.
    public func run(machine: RooflineReport.Machine, progress: (Progress) -> Void = { _ in }) -> RooflineReport {
        let caches = CacheLevel.reported()
        progress(.peaks(isSecondTime: false))
        let probes = probes(caches)
        let before = probes.map { $0.measure() }
        var timings: [KernelTiming] = []
        for (index, kernel) in kernels.enumerated() {
            progress(.kernel(name: kernel.name, index: index, count: kernels.count))
            timings.append(time(kernel, cacheBytes: Self.lastLevel(caches)))
        }
        progress(.peaks(isSecondTime: true))
        let peaks = zip(probes, before).map { probe, before in
            MeasuredPeak(
                kind: probe.kind, instructionSet: probe.table.instructionSet, precision: probe.precision,
                before: before, after: probe.measure())
        }
        return RooflineReport(
            machine: machine, secondsPerKernel: secondsPerKernel, caches: caches, peaks: peaks, timings: timings)
    }

    // MARK: - Peaks

    private struct Probe {
        let kind: MeasuredPeak.Kind
        let table: KernelTable
        let precision: Precision?
        let measure: () -> Double
    }

    private func probes(_ caches: [CacheLevel]) -> [Probe] {
        let threads = Parallel.threads
        var probes: [Probe] = []
        for table in KernelTable.available where table.instructionSet != .avx512bf16 {
            probes.append(
                Probe(kind: .arithmetic, table: table, precision: .float32) {
                    MachinePeak.gigaFLOPs(threads: threads, windows: 150, table: table)
                })
        }
        for table in KernelTable.available
        where MachinePeak.gigaFLOPs(precision: .bfloat16, threads: 1, windows: 1, table: table) != nil {
            probes.append(
                Probe(kind: .arithmetic, table: table, precision: .bfloat16) {
                    MachinePeak.gigaFLOPs(precision: .bfloat16, threads: threads, windows: 150, table: table) ?? 0
                })
        }
        // Each of the arrays alone does not fit into the caches.
        let megabytes = min(max(64, 2 * Self.lastLevel(caches) >> 20), 512)
        let table = KernelTable.current
        probes.append(
            Probe(kind: .triad, table: table, precision: nil) {
                MachinePeak.triadGigabytes(threads: threads, megabytes: megabytes, windows: 24, table: table)
            })
        probes.append(
            Probe(kind: .read, table: table, precision: nil) {
                MachinePeak.readGigabytes(threads: threads, megabytes: megabytes, windows: 24, table: table)
            })
        probes.append(
            Probe(kind: .update, table: table, precision: nil) {
                MachinePeak.updateGigabytes(threads: threads, megabytes: megabytes, windows: 24, table: table)
            })
        return probes
    }

    private static func lastLevel(_ caches: [CacheLevel]) -> Int { caches.map(\.bytes).max() ?? 32 << 20 }

    // MARK: - Kernels

    /// Calls a kernel until its time is up. A window is one call, or as many as last for half a millisecond.
    func time(_ kernel: KernelCase, cacheBytes: Int) -> KernelTiming {
        let copies = Self.copies(kernel, cacheBytes: cacheBytes)
        let memories = (0..<copies).map { _ in KernelMemory() }
        let calls = memories.map { kernel.prepare($0) }
        let clock = ContinuousClock()
        func seconds(_ body: () -> Void) -> Double {
            let time = clock.measure(body)
            return Double(time.components.seconds) + Double(time.components.attoseconds) * 1e-18
        }
        // The first call of each copy touches memory that the system has not given out yet.
        for call in calls { call() }
        var next = 0
        func call() {
            calls[next]()
            next = (next + 1) % copies
        }
        let first = max(seconds(call), 1e-9)
        let perWindow = max(1, Int((0.0005 / first).rounded(.up)))
        var windows: [Double] = []
        var spent = 0.0
        while windows.count < 3 || spent < secondsPerKernel {
            let window = seconds { for _ in 0..<perWindow { call() } }
            spent += window
            windows.append(window / Double(perWindow))
        }
        windows.sort()
        return withExtendedLifetime(memories) {
            KernelTiming(
                kernel: kernel, best: windows[0], median: windows[windows.count / 2],
                calls: windows.count * perWindow)
        }
    }

    /// So many copies of a streaming kernel's data that none is in a cache when its turn comes again: four times the
    /// last cache together, within a gigabyte.
    package static func copies(_ kernel: KernelCase, cacheBytes: Int) -> Int {
        guard kernel.isStreaming else { return 1 }
        let total = min(4 * cacheBytes, 1 << 30)
        return max(1, (total + kernel.bytes - 1) / kernel.bytes)
    }
}
