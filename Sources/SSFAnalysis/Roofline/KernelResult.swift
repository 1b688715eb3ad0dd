import SSFKernels

/// How long a kernel took.
public struct KernelTiming: Sendable {
    public var kernel: KernelCase
    /// Of one call, in seconds: the shortest window, and the one in the middle.
    public var best: Double
    public var median: Double
    public var calls: Int

    public init(kernel: KernelCase, best: Double, median: Double, calls: Int) {
        (self.kernel, self.best, self.median, self.calls) = (kernel, best, median, calls)
    }
}

/// A kernel as a point under the roof.
public struct KernelResult: Codable, Sendable, Equatable {
    /// Which part of the roof is above the point.
    public enum Roof: String, Codable, Sendable {
        case arithmetic, memory
    }

    public var name: String
    public var family: KernelCase.Family
    public var label: String
    public var shape: String
    public var precision: Precision
    public var flops: Int
    public var bytes: Int
    /// Operations per byte.
    public var intensity: Double
    /// Of the best call.
    public var seconds: Double
    public var medianSeconds: Double
    public var calls: Int
    public var gigaFLOPs: Double
    /// Of compulsory traffic.
    public var gigabytes: Double
    public var roof: Roof
    /// Whether the memory's limit is that of the update.
    public var isInPlace: Bool
    /// The most that arithmetic and memory allow at this intensity, in GFLOP/s.
    public var roofGigaFLOPs: Double
    public var percentOfRoof: Double

    enum CodingKeys: String, CodingKey {
        case name, family, label, shape, flops, bytes, intensity, seconds, calls, roof
        case isInPlace = "in_place"
        case precision = "dtype"
        case medianSeconds = "median_seconds"
        case gigaFLOPs = "gflops_per_second"
        case gigabytes = "gigabytes_per_second"
        case roofGigaFLOPs = "roof_gflops_per_second"
        case percentOfRoof = "percent_of_roof"
    }

    /// - Parameters:
    ///   - arithmeticPeak: in GFLOP/s.
    ///   - bandwidth: in GB/s.
    public init(_ timing: KernelTiming, arithmeticPeak: Double, bandwidth: Double) {
        let kernel = timing.kernel
        (name, family, label, shape) = (kernel.name, kernel.family, kernel.label, kernel.shape)
        (precision, flops, bytes) = (kernel.precision, kernel.flops, kernel.bytes)
        intensity = kernel.intensity
        (seconds, medianSeconds, calls) = (timing.best, timing.median, timing.calls)
        gigaFLOPs = Double(flops) / timing.best * 1e-9
        gigabytes = Double(bytes) / timing.best * 1e-9
        isInPlace = kernel.isInPlace
        roof = intensity * bandwidth < arithmeticPeak ? .memory : .arithmetic
        roofGigaFLOPs = min(arithmeticPeak, intensity * bandwidth)
        percentOfRoof = 100 * gigaFLOPs / roofGigaFLOPs
    }

    /// What keeps the kernel from being faster, in words.
    ///
    /// A loop of loads and stores alone comes to about 70 % of the triad where it has another mix of the two, and a
    /// product that is packed first to about 80 % of the multiply-adds: beyond these the roof is the limit.
    public var limit: String {
        switch (roof, percentOfRoof) {
        case (.memory, 110...): "caches (beyond memory)"
        case (.memory, 70...): "memory"
        case (.memory, 45...): "memory, instructions"
        case (.memory, _): "instructions"
        case (.arithmetic, 80...): "arithmetic"
        case (.arithmetic, 55...): "arithmetic, data movement"
        case (.arithmetic, _): "data movement, overhead"
        }
    }
}
