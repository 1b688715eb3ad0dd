import Benchmark
import BenchmarkSupport
import KernelCases

/// What a parallel region costs.
let benchmarks: @Sendable () -> Void = { register(regionSuite) }
