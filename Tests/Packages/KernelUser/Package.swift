// swift-tools-version: 6.2
import PackageDescription

// A package that uses the kernels and nothing else of this project, as its documentation shows it.
let package = Package(
    name: "KernelUser",
    dependencies: [
        // Named: the folder of a clone may be called anything.
        .package(name: "ssf", path: "../../..")
    ],
    targets: [
        .executableTarget(name: "KernelUser", dependencies: [.product(name: "SSFKernels", package: "ssf")])
    ],
    swiftLanguageModes: [.v6]
)
