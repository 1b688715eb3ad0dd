import SSFTensors

/// Bootstrap over the images of a test set, paired: every resample takes the same images for every method, so that what
/// makes an image hard for all of them falls out of their differences (Efron and Tibshirani 1993, percentile interval).
///
/// Deterministic: the resamples come from a seed.
public struct PairedBootstrap: Sendable {
    /// The mean score of each method in each resample.
    public let means: [[Double]]

    public static let standardResamples = 10_000

    /// - Parameters:
    ///   - scores: for each method the score of each image, in the same order: the part of the seeds that have it right.
    ///   - stream: names the set of images, so that the resamples of two sets are independent.
    /// - Precondition: all methods have scores of the same images, at least one.
    public init(
        scores: [[Double]], resamples: Int = PairedBootstrap.standardResamples, seed: UInt64 = 0, stream: String = ""
    ) {
        let images = scores.first?.count ?? 0
        precondition(images > 0 && scores.allSatisfy { $0.count == images }, "scores of the same images")
        var means = [[Double]](repeating: [], count: scores.count)
        for index in means.indices { means[index].reserveCapacity(resamples) }
        var counts = [Double](repeating: 0, count: images)
        for resample in 0..<resamples {
            var random = RandomGenerator(seed: seed, stream: "bootstrap." + stream, index: UInt64(resample))
            for image in counts.indices { counts[image] = 0 }
            for _ in 0..<images {
                // The upper bits of a product: without the division of a remainder.
                counts[Int(random.next().multipliedFullWidth(by: UInt64(images)).high)] += 1
            }
            for (index, score) in scores.enumerated() {
                var sum = 0.0
                for image in counts.indices { sum += counts[image] * score[image] }
                means[index].append(sum / Double(images))
            }
        }
        self.means = means
    }

    /// The bootstrap of the mean over sets of images, each resampled by itself.
    ///
    /// - Precondition: all have the same methods and resamples.
    public init(meanOf parts: [PairedBootstrap]) {
        precondition(!parts.isEmpty)
        means = parts[0].means.indices.map { method in
            parts[0].means[method].indices.map { resample in
                parts.reduce(0) { $0 + $1.means[method][resample] } / Double(parts.count)
            }
        }
    }

    /// The interval of the difference of two methods, first minus second, that holds `level` of the resamples.
    public func interval(_ first: Int, _ second: Int, level: Double = 0.95) -> ClosedRange<Double> {
        let differences = zip(means[first], means[second]).map { $0 - $1 }.sorted()
        return Self.quantile((1 - level) / 2, of: differences)...Self.quantile((1 + level) / 2, of: differences)
    }

    /// A quantile of sorted numbers, between neighbours by a line: numpy's default.
    package static func quantile(_ part: Double, of sorted: [Double]) -> Double {
        let place = part * Double(sorted.count - 1)
        let low = Int(place)
        let high = min(low + 1, sorted.count - 1)
        return sorted[low] + (place - Double(low)) * (sorted[high] - sorted[low])
    }
}
