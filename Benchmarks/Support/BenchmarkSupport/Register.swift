import Benchmark
import KernelCases
import SSFKernels
import SSFParallel

/// Registers every case once for one thread and once for all of them.
///
/// Each iteration measures the peak of the machine and, right after it, the kernel: its rate and its share of that peak
/// are taken within milliseconds of one another, because the speed of a shared machine drifts.
public func register(_ cases: [NamedCase]) {
    let counts = Parallel.threads > 1 ? [1, Parallel.threads] : [1]
    for named in cases {
        for threads in counts {
            let measurement = Measurement(kernel: named.kernel, threads: threads)
            Benchmark(
                "\(named.name), \(threads) \(threads == 1 ? "thread" : "threads")",
                configuration: .init(
                    metrics: measurement.metrics,
                    // As they come: the harness would choose a unit for each.
                    units: Dictionary(uniqueKeysWithValues: measurement.metrics.map { ($0, .count) }),
                    warmupIterations: 1, maxDuration: .milliseconds(300), maxIterations: 25)
            ) { measurement.iterate($0) }
        }
    }
}

/// One case in its process: the harness starts a process for each benchmark.
private final class Measurement {
    private let kernel: any KernelCase
    private let threads: Int
    /// Made in the first iteration, the warm-up, on the thread that runs them all.
    private var prepared: (call: () -> Void, calls: Int, meter: PeakMeter)?

    init(kernel: any KernelCase, threads: Int) {
        self.kernel = kernel
        self.threads = threads
    }

    // MARK: - Metrics

    /// The time of a call: microseconds, or nanoseconds where time is all there is to say. The harness takes integers.
    private var time: (metric: BenchmarkMetric, perSecond: Double) {
        let isShort = kernel.work == .time
        return (
            .custom("time of a call, \(isShort ? "ns" : "µs")", polarity: .prefersSmaller, useScalingFactor: false),
            isShort ? 1e9 : 1e6
        )
    }

    /// The rate, and its share of the peak in per cent: that of multiply-adds, or the triad.
    private var rates: (rate: BenchmarkMetric, share: BenchmarkMetric)? {
        func metric(_ name: String) -> BenchmarkMetric {
            .custom(name, polarity: .prefersLarger, useScalingFactor: false)
        }
        return switch kernel.work {
        case .operations: (metric("GFLOP/s"), metric("% of the peak"))
        case .bytes: (metric("GB/s"), metric("% of the peak"))
        case .time: nil
        }
    }

    var metrics: [BenchmarkMetric] { [time.metric] + (rates.map { [$0.rate, $0.share] } ?? []) }

    // MARK: - Iterations

    func iterate(_ benchmark: Benchmark) {
        let (call, calls, meter) = prepare()
        let peak = kernel.work.peak(meter)
        // Brings the arrays back into the caches, which the triad has emptied.
        call()
        benchmark.startMeasurement()
        let seconds = Timing.secondsPerCall(of: call, calls: calls)
        benchmark.stopMeasurement()
        benchmark.measurement(time.metric, Int((seconds * time.perSecond).rounded()))
        if let rates, let rate = kernel.work.rate(seconds: seconds), let peak {
            benchmark.measurement(rates.rate, Int(rate.rounded()))
            benchmark.measurement(rates.share, Int((100 * rate / peak).rounded()))
        }
    }

    private func prepare() -> (call: () -> Void, calls: Int, meter: PeakMeter) {
        if let prepared { return prepared }
        ThreadSetup.use(threads)
        let call = kernel.prepare()
        let made = (call, Timing.callsPerWindow(of: call, seconds: 1e-3), PeakMeter(threads: threads))
        prepared = made
        return made
    }
}
