/// What similarity is. The SSF paper (arXiv 2210.08823, Figure 5) draws a "feature similarity" that it does not define.
package enum SimilarityMeasure: String, CaseIterable, Sendable, Codable {
    /// The mean over images of the cosine between the features that two models give the same image; of all tokens, the
    /// mean of their cosines.
    case cosine
    /// Linear CKA over all images, `⟨K, L⟩ / (‖K‖ ‖L‖)` of the centred Gram matrices (Kornblith et al., arXiv
    /// 1905.00414). Too large where there are not many more images than channels.
    case biasedCKA = "cka-biased"
    /// The same with the unbiased estimator of HSIC (Song et al. 2012) over all images.
    case unbiasedCKA = "cka-unbiased"
    /// The same with the unbiased estimator averaged over batches (Nguyen et al., arXiv 2010.15327): needs the memory of
    /// one batch.
    case minibatchCKA = "cka-minibatch"

    package var isCKA: Bool { self != .cosine }

    /// On axes and in titles.
    package var title: String {
        switch self {
        case .cosine: "mean cosine"
        case .biasedCKA: "linear CKA (biased)"
        case .unbiasedCKA: "linear CKA (unbiased)"
        case .minibatchCKA: "linear CKA (unbiased, minibatches)"
        }
    }

    /// The fewest images that it is defined for.
    package var leastImages: Int {
        switch self {
        case .cosine: 1
        case .biasedCKA: 2
        case .unbiasedCKA, .minibatchCKA: 4
        }
    }
}
