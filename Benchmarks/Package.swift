// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that whoever builds or depends on the kernels never fetches the benchmark harness. It sees of
// them what any other package sees: their public API.

/// A suite: one executable over the cases of a kernel or of a whole step, run by `swift package benchmark`.
func suite(_ name: String, of cases: Target.Dependency = "KernelCases") -> Target {
    .executableTarget(
        name: name,
        dependencies: [cases, "BenchmarkSupport", .product(name: "Benchmark", package: "benchmark")],
        path: name,
        plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]
    )
}

let kernels = Target.Dependency.product(name: "SSFKernels", package: "ssf")
let trainer = Target.Dependency.product(name: "SSFTuning", package: "ssf")

let package = Package(
    name: "Benchmarks",
    dependencies: [
        // Named: the folder of a clone may be called anything.
        .package(name: "ssf", path: ".."),
        // Its traits count allocations and reference counting, which needs libraries that are loaded before a program.
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
    ],
    targets: [
        // The harness runs every executable that lies directly in the folder Benchmarks; the others lie in Support.
        // The kernels over named shapes, and how to run one of them for a while.
        .target(name: "KernelCases", dependencies: [kernels], path: "Support/KernelCases"),
        // Training steps and inference of whole models.
        .target(name: "StepCases", dependencies: ["KernelCases", kernels, trainer], path: "Support/StepCases"),
        // Cases in windows, driven over standard input, for comparisons with other libraries (tools/peers).
        .target(name: "Windows", dependencies: ["KernelCases", kernels], path: "Support/Windows"),
        .executableTarget(
            name: "kernel-windows", dependencies: ["Windows", "KernelCases", kernels], path: "Support/kernel-windows"),
        .executableTarget(
            name: "step-windows", dependencies: ["Windows", "StepCases", "KernelCases", kernels],
            path: "Support/step-windows"),
        // From cases to benchmarks.
        .target(
            name: "BenchmarkSupport",
            dependencies: ["KernelCases", kernels, .product(name: "Benchmark", package: "benchmark")],
            path: "Support/BenchmarkSupport"),
        suite("MatrixProducts"),
        suite("Normalization"),
        suite("SelfAttention"),
        suite("Activations"),
        suite("Training"),
        suite("Regions"),
        suite("Steps", of: "StepCases"),
    ],
    swiftLanguageModes: [.v6]
)
