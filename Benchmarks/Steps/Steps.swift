import Benchmark
import BenchmarkSupport
import StepCases

/// Training steps and inference of whole models.
let benchmarks: @Sendable () -> Void = { register(stepSuite) }
