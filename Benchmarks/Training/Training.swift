import Benchmark
import BenchmarkSupport
import KernelCases

/// What a training step has beside its layers.
let benchmarks: @Sendable () -> Void = { register(trainingSuite) }
