import Benchmark
import BenchmarkSupport
import KernelCases

/// Attention of whole images and of windows, forward and backward.
let benchmarks: @Sendable () -> Void = { register(attentionSuite) }
