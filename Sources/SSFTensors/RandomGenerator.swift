#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A seeded generator whose stream is the same on every machine (SplitMix64, Steele et al. 2014).
///
/// Streams for different purposes come from `init(seed:stream:)`: the same seed with another stream name is
/// independent of the first, so that drawing one more number in one place moves nothing elsewhere.
public struct RandomGenerator: RandomNumberGenerator, Sendable, Codable {
    private var state: UInt64

    public init(seed: UInt64) {
        state = seed
    }

    /// The generator of one named purpose, such as `"init"` or `"order"`, and of one item of it.
    public init(seed: UInt64, stream: String, index: UInt64 = 0) {
        // FNV-1a over the name, then two rounds of mixing, so that neighbouring seeds and items share nothing.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in stream.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        var mixer = RandomGenerator(seed: seed ^ hash)
        let first = mixer.next()
        mixer = RandomGenerator(seed: first ^ (index &* 0x9E37_79B9_7F4A_7C15))
        state = mixer.next()
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// A number in `0..<1`, with 53 random bits.
    public mutating func uniform() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// A number in `range`, uniformly.
    public mutating func uniform(_ range: Range<Double>) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
    }

    /// A number of the standard normal distribution (Box and Muller 1958; the second number of the pair is dropped so
    /// that every call takes two draws).
    public mutating func normal() -> Double {
        let radius = (-2 * log(1 - uniform())).squareRoot()
        return radius * cos(2 * .pi * uniform())
    }

    /// A normal number around `mean` with standard deviation `deviation`, drawn anew while it is outside `-2...2`, as
    /// timm's `trunc_normal_` bounds it: the bounds are values, not deviations.
    public mutating func truncatedNormal(mean: Double = 0, deviation: Double) -> Double {
        while true {
            let value = mean + deviation * normal()
            if abs(value) <= 2 { return value }
        }
    }

    /// A permutation of `0..<count`, uniformly (Fisher and Yates).
    public mutating func permutation(_ count: Int) -> [Int] {
        var order = Array(0..<count)
        guard count > 1 else { return order }
        for i in stride(from: count - 1, to: 0, by: -1) {
            order.swapAt(i, Int(next() % UInt64(i + 1)))
        }
        return order
    }
}
