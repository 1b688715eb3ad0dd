// swift-tools-version: 6.2
import PackageDescription

// MARK: - Flags

/// Flags of every micro-kernel target, in every configuration. Without `-wmo` a debug build calls helpers of other
/// files with vectors by value; without `-disable-cmo` a release build inlines wide code into narrow modules.
let microKernelFlags = [
    "-Ounchecked", "-wmo", "-num-threads", "1", "-disable-batch-mode", "-disable-cmo",
]

func microKernels(_ name: String, march: [String], defines: [String] = []) -> Target {
    let arch = march.flatMap { ["-Xcc", $0] }
    return .target(
        name: name,
        dependencies: ["CIntrinsics"],
        swiftSettings: [.unsafeFlags(microKernelFlags + arch)] + defines.map { .define($0) }
    )
}

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies + ["SSFTestSupport"])
}

// MARK: - Instruction sets

// Architecture conditions do not exist for targets, so the manifest itself asks the architecture of its host.
#if arch(x86_64)
    let microKernelTargets: [Target] = [
        microKernels("SSFMicroKernels", march: ["-march=x86-64-v2"]),
        microKernels("SSFMicroKernelsAVX2", march: ["-march=x86-64-v3"], defines: ["SSF_AVX2"]),
        microKernels(
            "SSFMicroKernelsAVX512", march: ["-march=x86-64-v4", "-mprefer-vector-width=512"], defines: ["SSF_AVX512"]),
        // Links to the sources that it needs, and what only exists for it.
        microKernels(
            "SSFMicroKernelsAVX512BF16",
            march: ["-march=x86-64-v4", "-mavx512bf16", "-mprefer-vector-width=512"],
            defines: ["SSF_AVX512", "SSF_AVX512BF16"]),
    ]
#else
    let microKernelTargets: [Target] = [microKernels("SSFMicroKernels", march: [])]
#endif
let microKernelDependencies = microKernelTargets.map { Target.Dependency(stringLiteral: $0.name) }

// MARK: - Package

let package = Package(
    name: "ssf",
    products: [
        .library(name: "SSFKernels", targets: ["SSFKernels", "SSFParallel"]),
        // Models, tuning methods and their training steps, without images and commands: what Benchmarks measures.
        .library(
            name: "SSFTuning",
            targets: [
                "SSFTuning", "SSFModels", "SSFCheckpoints", "SSFGraph", "SSFTensors", "SSFKernels", "SSFParallel",
            ]),
        .executable(name: "ssf", targets: ["ssf"]),
        .executable(name: "ssf-analyze", targets: ["ssf-analyze"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/onevcat/Rainbow", from: "4.2.2"),
        .package(url: "https://github.com/swiftcsv/SwiftCSV", from: "0.10.0"),
    ],
    targets: [
        // MARK: System modules
        .systemLibrary(name: "COpenMP", providers: [.apt(["libomp-dev"])]),
        .systemLibrary(name: "CIntrinsics"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
        .systemLibrary(name: "CTurboJPEG", pkgConfig: "libturbojpeg", providers: [.apt(["libturbojpeg0-dev"])]),
        .systemLibrary(name: "CCairo", pkgConfig: "cairo", providers: [.apt(["libcairo2-dev"])]),

        // MARK: Kernels
        library("SSFParallel", ["COpenMP"]),
        library("SSFKernels", ["SSFParallel", "CIntrinsics"] + microKernelDependencies),

        // MARK: Trainer
        library("SSFTensors", ["SSFKernels"]),
        library("SSFGraph", ["SSFTensors", "SSFKernels"]),
        library("SSFCheckpoints", ["SSFTensors", "CZlib"]),
        library("SSFModels", ["SSFTensors", "SSFGraph", "SSFCheckpoints"]),
        library("SSFTuning", ["SSFTensors", "SSFKernels", "SSFGraph", "SSFCheckpoints", "SSFModels"]),
        library("SSFImages", ["SSFTensors", "SSFParallel", "CPNG", "CTurboJPEG", "SwiftCSV"]),
        library(
            "SSFTraining",
            [
                "SSFParallel", "SSFTensors", "SSFKernels", "SSFGraph", "SSFCheckpoints", "SSFModels", "SSFTuning",
                "SSFImages",
            ]),

        // MARK: Analysis
        library(
            "SSFAnalysis",
            [
                "SSFParallel", "SSFKernels", "SSFTensors", "SSFGraph", "SSFCheckpoints", "SSFModels", "SSFTuning",
                "CCairo",
            ]),

        // MARK: Programs
        library(
            "SSFCommands",
            [
                "SSFParallel", "SSFKernels", "SSFTensors", "SSFGraph", "SSFCheckpoints", "SSFModels", "SSFTuning",
                "SSFImages", "SSFTraining", "SSFAnalysis", "Yams", "Rainbow",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "ssf",
            dependencies: [
                "SSFParallel", "SSFKernels", "SSFTensors", "SSFGraph", "SSFCheckpoints", "SSFModels", "SSFTuning",
                "SSFImages", "SSFTraining", "SSFAnalysis", "SSFCommands",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "ssf-analyze",
            dependencies: [
                "SSFParallel", "SSFKernels", "SSFTensors", "SSFGraph", "SSFCheckpoints", "SSFModels", "SSFTuning",
                "SSFImages", "SSFTraining", "SSFAnalysis", "SSFCommands",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        // MARK: Tests
        .target(
            name: "SSFTestSupport", dependencies: ["SSFTensors", "SSFKernels", "SSFCheckpoints"],
            path: "Tests/SSFTestSupport"),
        // These two use no test support: they stand by themselves with what they test.
        .testTarget(name: "SSFParallelTests", dependencies: ["SSFParallel", "SSFKernels"]),
        .testTarget(name: "SSFKernelsTests", dependencies: ["SSFKernels", "SSFParallel"]),
        tests("SSFTensorsTests", ["SSFTensors"]),
        tests("SSFGraphTests", ["SSFGraph", "SSFTensors", "SSFKernels"]),
        tests("SSFCheckpointsTests", ["SSFCheckpoints", "SSFTensors"]),
        tests("SSFModelsTests", ["SSFModels", "SSFCheckpoints", "SSFGraph", "SSFTensors", "SSFKernels"]),
        tests(
            "SSFTuningTests",
            [
                "SSFTuning", "SSFModels", "SSFCheckpoints", "SSFGraph", "SSFTensors", "SSFKernels", "SSFImages",
                "SSFTraining",
            ]),
        tests("SSFImagesTests", ["SSFImages", "SSFTensors"]),
        tests(
            "SSFTrainingTests",
            [
                "SSFTraining", "SSFTuning", "SSFModels", "SSFCheckpoints", "SSFGraph", "SSFTensors", "SSFImages",
                "SSFKernels",
            ]),
        tests(
            "SSFCommandsTests",
            [
                "SSFCommands", "SSFAnalysis", "SSFTraining", "SSFTuning", "SSFModels", "SSFImages", "SSFCheckpoints",
                "SSFTensors",
            ]),
        tests(
            "SSFAnalysisTests",
            [
                "SSFAnalysis", "SSFTuning", "SSFModels", "SSFCheckpoints", "SSFGraph", "SSFKernels", "SSFParallel",
                "SSFTensors",
            ]),
        tests("ssfTests", ["ssf", "SSFTensors", "SSFCheckpoints"]),
        tests(
            "ssf-analyzeTests",
            ["ssf-analyze", "SSFAnalysis", "SSFTuning", "SSFCheckpoints", "SSFKernels", "SSFTensors"]),
    ] + microKernelTargets,
    swiftLanguageModes: [.v6]
)

// MARK: - Parts

// `SSF_PART=kernels` leaves the kernel library and its tests: what the address sanitizer is built for.
if Context.environment["SSF_PART"] == "kernels" {
    let parts = ["COpenMP", "CIntrinsics", "SSFParallel", "SSFMicroKernels", "SSFKernels"]
    package.targets.removeAll { target in !parts.contains { target.name.hasPrefix($0) } }
    package.products.removeAll { $0.name != "SSFKernels" }
    package.dependencies = []
}
