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
    /// Bandwidth as a part of the triad's, in percent.
    public var percentOfTriad: Double
    /// The most that arithmetic and memory allow at this intensity, in GFLOP/s.
    public var roofGigaFLOPs: Double
    public var percentOfRoof: Double

    enum CodingKeys: String, CodingKey {
        case name, family, label, shape, flops, bytes, intensity, seconds, calls, roof
        case precision = "dtype"
        case medianSeconds = "median_seconds"
        case gigaFLOPs = "gflops_per_second"
        case gigabytes = "gigabytes_per_second"
        case roofGigaFLOPs = "roof_gflops_per_second"
        case percentOfRoof = "percent_of_roof"
        case percentOfTriad = "percent_of_triad"
    }

    /// - Parameters:
    ///   - arithmeticPeak: in GFLOP/s.
    ///   - bandwidth: of the memory at best, in GB/s.
    ///   - triad: of the triad, in GB/s.
    public init(_ timing: KernelTiming, arithmeticPeak: Double, bandwidth: Double, triad: Double) {
        let kernel = timing.kernel
        (name, family, label, shape) = (kernel.name, kernel.family, kernel.label, kernel.shape)
        (precision, flops, bytes) = (kernel.precision, kernel.flops, kernel.bytes)
        intensity = kernel.intensity
        (seconds, medianSeconds, calls) = (timing.best, timing.median, timing.calls)
        gigaFLOPs = Double(flops) / timing.best * 1e-9
        gigabytes = Double(bytes) / timing.best * 1e-9
        roof = intensity * bandwidth < arithmeticPeak ? .memory : .arithmetic
        roofGigaFLOPs = min(arithmeticPeak, intensity * bandwidth)
        percentOfRoof = 100 * gigaFLOPs / roofGigaFLOPs
        percentOfTriad = 100 * gigabytes / triad
    }

    /// What keeps the kernel from being faster, in words.
    ///
    /// Memory is the limit of what comes near the roof, or near the triad, beyond which a kernel gets only if it works in
    /// place or writes past the caches. A product that is packed first comes to some 80 % of the multiply-adds or more.
    public var limit: String {
        switch roof {
        case .memory:
            let nearness = max(percentOfRoof, percentOfTriad)
            return nearness >= 75 ? "memory" : nearness >= 45 ? "memory, instructions" : "instructions"
        case .arithmetic:
            return percentOfRoof >= 80
                ? "arithmetic" : percentOfRoof >= 55 ? "arithmetic, data movement" : "data movement, overhead"
        }
    }
}
