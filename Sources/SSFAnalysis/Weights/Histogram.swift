import Foundation
import SSFTensors

/// Bins of equal width between two edges, and one beyond each edge for what lies outside.
public struct HistogramBins: Sendable, Hashable, Codable {
    public let lower: Double
    public let upper: Double
    /// Between the edges.
    public let count: Int

    /// - Precondition: `lower < upper`, `count` at least 1.
    public init(lower: Double, upper: Double, count: Int) {
        precondition(lower < upper && count > 0, "\(count) bins from \(lower) to \(upper)")
        (self.lower, self.upper, self.count) = (lower, upper, count)
    }

    /// The `count + 1` edges, as `numpy.linspace` gives them.
    public var edges: [Double] {
        let step = (upper - lower) / Double(count)
        return (0..<count).map { lower + Double($0) * step } + [upper]
    }
}

/// How many numbers lie in each bin.
///
/// - Source: agrees with `numpy.histogram` for the same edges: a bin holds its lower edge and not its upper one, the last
///   holds both.
public struct Histogram: Sendable, Hashable {
    public let bins: HistogramBins
    public private(set) var counts: [Int]
    /// Below the first edge and above the last.
    public private(set) var below = 0
    public private(set) var above = 0
    public private(set) var total = 0

    public init(_ bins: HistogramBins) {
        self.bins = bins
        counts = [Int](repeating: 0, count: bins.count)
    }

    public init(_ bins: HistogramBins, of tensors: [Tensor]) {
        self.init(bins)
        for tensor in tensors { withExtendedLifetime(tensor) { add(UnsafeBufferPointer(tensor.floats)) } }
    }

    public mutating func add(_ values: UnsafeBufferPointer<Float>) {
        let edges = bins.edges
        let perUnit = Double(bins.count) / (bins.upper - bins.lower)
        var (below, above) = (0, 0)
        counts.withUnsafeMutableBufferPointer { counts in
            for value in values {
                let value = Double(value)
                if value < bins.lower {
                    below += 1
                } else if value > bins.upper {
                    above += 1
                } else {
                    var index = min(Int((value - bins.lower) * perUnit), bins.count - 1)
                    // Rounding may have led to the neighbour; the edges decide.
                    if value < edges[index] {
                        index -= 1
                    } else if index + 1 < bins.count, value >= edges[index + 1] {
                        index += 1
                    }
                    counts[index] += 1
                }
            }
        }
        self.below += below
        self.above += above
        total += values.count
    }

    /// Parts of all numbers for a unit of the axis, so that the bars of the bins and what lies outside have an area of 1.
    public var density: [Double] {
        let width = (bins.upper - bins.lower) / Double(bins.count)
        return counts.map { Double($0) / Double(max(total, 1)) / width }
    }

    /// The Kullback-Leibler divergence of this histogram from another over the same bins and the two outside, in nats:
    ///
    ///     sum over bins of p ln (p / q),  p = (count + smoothing) / (total + smoothing * (bins + 2))
    ///
    /// - Parameter smoothing: what is added to every count, of both; more than 0, so that no empty bin makes it infinite.
    /// - Source: agrees with `scipy.stats.entropy(p, q)`.
    public func divergence(from other: Histogram, smoothing: Double) -> Double {
        precondition(bins == other.bins && smoothing > 0)
        func parts(_ histogram: Histogram) -> [Double] {
            let counts = [histogram.below] + histogram.counts + [histogram.above]
            let sum = Double(histogram.total) + smoothing * Double(counts.count)
            return counts.map { (Double($0) + smoothing) / sum }
        }
        return zip(parts(self), parts(other)).reduce(0) { $0 + $1.0 * log($1.0 / $1.1) }
    }
}
