import Benchmark
import BenchmarkSupport
import KernelCases

/// LayerNorm with SSF, and scale and shift alone, forward and backward.
let benchmarks: @Sendable () -> Void = { register(normalizationSuite) }
