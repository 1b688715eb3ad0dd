import SSFKernels

/// Gathers the features of a reference and other models, batch by batch, and says how similar their layers are.
///
/// Of batches it keeps what the measures need: of cosines a number for each image and layer, of minibatch CKA the sums,
/// of CKA over all images the features themselves.
package struct SimilarityCollector {
    /// The layers of a model: how many tokens and channels an image has in each.
    package struct Form: Sendable, Equatable {
        package var tokens: Int
        package var width: Int
        package var depth: Int

        package init(tokens: Int, width: Int, depth: Int) {
            (self.tokens, self.width, self.depth) = (tokens, width, depth)
        }

        var rowWidth: Int { tokens * width }
    }

    package let pairs: LayerPairs
    let forms: [Form]
    let measures: Set<SimilarityMeasure>
    let count: Int
    /// Of each other model and layer, a number for each image; empty where widths or depths differ.
    private(set) var cosines: [[[Double]]]
    /// Sums of HSIC over batches, and what the last layers contribute batch by batch.
    private(set) var batches: [(hsic: HSIC, images: Int)] = []
    /// Of each model and layer, all images.
    private(set) var features: [[FeatureMatrix]] = []
    let workspace = Workspace()

    /// - Parameters:
    ///   - forms: of the reference, then of the others.
    ///   - count: images that will come.
    package init(forms: [Form], count: Int, measures: Set<SimilarityMeasure>) {
        (self.forms, self.measures, self.count) = (forms, measures, count)
        pairs = LayerPairs(depths: forms.map(\.depth))
        cosines = pairs.others.map { other in
            let isComparable = measures.contains(.cosine) && forms[other] == forms[0]
            return isComparable
                ? (0..<forms[0].depth).map { _ in [Double](repeating: .nan, count: count) } : []
        }
        if Self.keepsFeatures(measures) {
            features = forms.map { form in
                (0..<form.depth).map { _ in FeatureMatrix(count: count, width: form.rowWidth) }
            }
        }
    }

    private static func keepsFeatures(_ measures: Set<SimilarityMeasure>) -> Bool {
        measures.contains(.biasedCKA) || measures.contains(.unbiasedCKA)
    }

    /// Bytes that will be kept.
    package static func byteCount(forms: [Form], count: Int, measures: Set<SimilarityMeasure>) -> Int {
        guard keepsFeatures(measures) else { return 0 }
        return forms.reduce(0) { $0 + $1.depth * FeatureMatrix.byteCount(count: count, width: $1.rowWidth) }
    }

    /// Takes a batch.
    ///
    /// - Parameters:
    ///   - batch: of each model the layers, for the same images; centred here where a measure needs it.
    ///   - indices: which images they are.
    package mutating func add(_ batch: [[FeatureMatrix]], at indices: [Int]) {
        for (place, other) in pairs.others.enumerated() {
            for layer in cosines[place].indices {
                let values = CosineSimilarity.cosines(batch[0][layer], batch[other][layer], tokens: forms[0].tokens)
                for (value, index) in zip(values, indices) { cosines[place][layer][index] = value }
            }
        }
        for (model, layers) in features.enumerated() {
            for (layer, matrix) in layers.enumerated() {
                for (row, index) in indices.enumerated() {
                    matrix.row(index).update(from: batch[model][layer].row(row), count: matrix.width)
                }
            }
        }
        // What remains at the end may be too few for an estimate of its own.
        if measures.contains(.minibatchCKA) && indices.count >= SimilarityMeasure.minibatchCKA.leastImages {
            let layers = batch.flatMap { $0 }
            FeatureMatrix.center(layers)
            batches.append((hsic(of: layers, .unbiased), indices.count))
        }
    }

    /// HSIC of centred features, with the reference.
    func hsic(of layers: [FeatureMatrix], _ estimator: HSIC.Estimator) -> HSIC {
        let products = GramProducts.products(layers, blocks: pairs.blocks, workspace: workspace)
        return HSIC(pairs, products, norms: layers.map { $0.squaredNorms() }, estimator: estimator)
    }

    /// The similarities.
    ///
    /// - Precondition: every image has come.
    package func finish(replicates: Int, seed: UInt64) -> SimilarityValues {
        let layers = features.flatMap { $0 }
        FeatureMatrix.center(layers)
        var values = SimilarityValues()
        if measures.contains(.cosine) {
            values.curves[.cosine] = cosines.map { layers in
                layers.isEmpty ? nil : layers.map { $0.reduce(0, +) / Double(count) }
            }
        }
        var estimates: [SimilarityMeasure: HSIC] = [:]
        if !layers.isEmpty {
            // Both estimators read the same products.
            let products = GramProducts.products(layers, blocks: pairs.blocks, workspace: workspace)
            let norms = layers.map { $0.squaredNorms() }
            for (measure, estimator) in [
                (SimilarityMeasure.biasedCKA, HSIC.Estimator.biased), (.unbiasedCKA, .unbiased),
            ]
            where measures.contains(measure) {
                estimates[measure] = HSIC(pairs, products, norms: norms, estimator: estimator)
            }
        }
        if measures.contains(.minibatchCKA), !batches.isEmpty {
            var sum = HSIC(pairs)
            for batch in batches { sum.add(batch.hsic, weight: Double(batch.images)) }
            estimates[.minibatchCKA] = sum
        }
        for (measure, hsic) in estimates {
            values.curves[measure] = pairs.others.map { other in
                guard pairs.depths[other] == pairs.depths[0] else { return nil }
                return (0..<pairs.depths[0]).map { hsic.cka($0, other, $0) }
            }
            values.maps[measure] = pairs.others.map { other in
                (0..<pairs.depths[0]).map { i in (0..<pairs.depths[other]).map { hsic.cka(i, other, $0) } }
            }
        }
        for measure in measures {
            values.replicates[measure] = lastLayerReplicates(measure, count: replicates, seed: seed)
        }
        return values
    }
}

/// How similar layers are, of each other model in its order.
package struct SimilarityValues: Sendable {
    /// Layer by layer; nil for a model that cannot be compared so.
    package var curves: [SimilarityMeasure: [[Double]?]] = [:]
    /// Rows: layers of the reference; columns: layers of the other.
    package var maps: [SimilarityMeasure: [[[Double]]]] = [:]
    /// The last layer over resampled images: of each replicate, of each other model; NaN for one that cannot be compared.
    package var replicates: [SimilarityMeasure: [[Double]]] = [:]
}
