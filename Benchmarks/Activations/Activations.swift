import Benchmark
import BenchmarkSupport
import KernelCases

/// GELU and softmax, forward and backward.
let benchmarks: @Sendable () -> Void = { register(activationSuite) }
