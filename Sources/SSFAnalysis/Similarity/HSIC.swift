/// Estimates of the Hilbert-Schmidt independence criterion of layers, linear kernel, from what `GramProducts` computes.
///
/// With centred features the sums that the unbiased estimator takes of `K̃` (K with a zero diagonal) are those of K's
/// diagonal alone, for a row of K sums to zero; and the estimator does not change when features are shifted:
///
///     HSIC₁ = [⟨K, L⟩ - Σ k l + Σ k Σ l / ((n-1)(n-2)) - 2 Σ k l / (n-2)] / (n (n-3))      k, l: the diagonals
///
/// - Source: Song et al., "Feature selection via dependence maximization", JMLR 13 (2012), equation 5.
package struct HSIC: Sendable {
    package enum Estimator: Sendable, Equatable {
        /// `⟨K, L⟩ / (n-1)²`
        case biased
        /// Needs four samples.
        case unbiased
    }

    private let pairs: LayerPairs
    /// Of each layer with itself.
    private var own: [Double]
    /// [reference's layers, other's layers] of each other model.
    private var cross: [[Double]]

    /// No samples yet; `add` sums up.
    package init(_ pairs: LayerPairs) {
        self.pairs = pairs
        own = [Double](repeating: 0, count: pairs.layerCount)
        cross = pairs.others.map { [Double](repeating: 0, count: pairs.depths[0] * pairs.depths[$0]) }
    }

    /// The estimate for some samples.
    ///
    /// - Parameters:
    ///   - features: of the layers in the order of `pairs`, centred.
    ///   - norms: the squared lengths of their rows.
    package init(
        _ pairs: LayerPairs, _ products: GramProducts.Table, norms: [[Double]], estimator: Estimator
    ) {
        self.init(pairs)
        let n = Double(norms[0].count)
        precondition(n >= (estimator == .biased ? 2 : 4), "too few samples for HSIC")
        let sums = norms.map { $0.reduce(0, +) }
        func value(_ i: Int, _ j: Int) -> Double {
            guard estimator == .unbiased else { return products[i, j] / ((n - 1) * (n - 1)) }
            var diagonal = 0.0
            for (k, l) in zip(norms[i], norms[j]) { diagonal += k * l }
            let inner = products[i, j] - diagonal
            return (inner + sums[i] * sums[j] / ((n - 1) * (n - 2)) - 2 * diagonal / (n - 2)) / (n * (n - 3))
        }
        for layer in own.indices { own[layer] = value(layer, layer) }
        for (index, model) in pairs.others.enumerated() {
            let layers = pairs.layers(of: model)
            for i in 0..<pairs.depths[0] {
                for j in layers { cross[index][i * layers.count + j - layers.lowerBound] = value(i, j) }
            }
        }
    }

    /// Adds `weight` times another estimate.
    package mutating func add(_ other: HSIC, weight: Double = 1) {
        precondition(pairs == other.pairs)
        for i in own.indices { own[i] += weight * other.own[i] }
        for (m, values) in other.cross.enumerated() {
            for i in values.indices { cross[m][i] += weight * values[i] }
        }
    }

    /// CKA of layer `i` of the reference with layer `j` of model `model`; the unbiased one may leave 0...1, and is NaN
    /// where the features of a layer do not vary.
    package func cka(_ i: Int, _ model: Int, _ j: Int) -> Double {
        let other = pairs.layers(of: model).lowerBound + j
        let scale = own[i] * own[other]
        let value = model == 0 ? (i == j ? own[i] : .nan) : cross[model - 1][i * pairs.depths[model] + j]
        return scale > 0 ? value / scale.squareRoot() : .nan
    }
}
