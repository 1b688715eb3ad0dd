import Benchmark
import BenchmarkSupport
import KernelCases

/// Linear layers and their gradients.
let benchmarks: @Sendable () -> Void = { register(matrixProductSuite) }
