import SSFKernels
import SSFTensors

/// What the similarity of the last layers would be with other images: the spread from which intervals come.
///
/// - Cosine: the bootstrap; images drawn with replacement.
/// - CKA over all images: the half-sample bootstrap; half of the images, drawn without replacement. The spread among such
///   halves is that of the whole among populations (the correction for a finite population cancels the smaller sample),
///   and no image is drawn twice: two copies would be each other's neighbours, which CKA takes for structure.
/// - Minibatch CKA: the bootstrap over batches.
///
/// - Source: Efron, Annals of Statistics 7 (1979); McCarthy, "Pseudo-replication: half samples", Review of the
///   International Statistical Institute 37 (1969).
extension SimilarityCollector {
    /// Images that CKA's replicates are made of, at most: the Gram matrices of the last layers are kept for them.
    package static let mostImagesOfReplicates = 4096

    /// Of each replicate the similarity of each other model's last layer with the reference's.
    func lastLayerReplicates(_ measure: SimilarityMeasure, count replicates: Int, seed: UInt64) -> [[Double]] {
        var random = RandomGenerator(seed: seed, stream: "replicates." + measure.rawValue)
        switch measure {
        case .cosine: return cosineReplicates(replicates, &random)
        case .biasedCKA: return halfSamples(replicates, .biased, &random)
        case .unbiasedCKA: return halfSamples(replicates, .unbiased, &random)
        case .minibatchCKA: return batchReplicates(replicates, &random)
        }
    }

    /// A whole number in `0..<bound`.
    private static func draw(_ bound: Int, _ random: inout RandomGenerator) -> Int {
        min(bound - 1, Int(random.uniform() * Double(bound)))
    }

    private func cosineReplicates(_ replicates: Int, _ random: inout RandomGenerator) -> [[Double]] {
        let last = cosines.map(\.last)
        return (0..<replicates).map { _ in
            var sums = [Double](repeating: 0, count: last.count)
            for _ in 0..<count {
                let image = Self.draw(count, &random)
                for (model, values) in last.enumerated() { sums[model] += values?[image] ?? .nan }
            }
            return sums.map { $0 / Double(count) }
        }
    }

    private func batchReplicates(_ replicates: Int, _ random: inout RandomGenerator) -> [[Double]] {
        guard batches.count > 1 else { return [] }
        return (0..<replicates).map { _ in
            var sum = HSIC(pairs)
            for _ in batches.indices {
                let batch = batches[Self.draw(batches.count, &random)]
                sum.add(batch.hsic, weight: Double(batch.images))
            }
            return pairs.others.map { sum.cka(pairs.depths[0] - 1, $0, pairs.depths[$0] - 1) }
        }
    }

    private func halfSamples(
        _ replicates: Int, _ estimator: HSIC.Estimator, _ random: inout RandomGenerator
    ) -> [[Double]] {
        let drawn = min(count, Self.mostImagesOfReplicates)
        guard drawn / 2 >= 4, replicates > 0 else { return [] }
        let images = drawn == count ? Array(0..<count) : Array(random.permutation(count)[..<drawn])
        let halves = (0..<replicates).map { _ in Array(random.permutation(drawn)[..<(drawn / 2)]) }
        return SampledCKA(features.map { $0.last!.rows(images) }, estimator, workspace).similarities(halves)
    }
}
