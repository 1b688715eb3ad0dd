import SSFKernels
import SSFTensors

/// CKA of one layer of a reference with one of each other model, over many samples of the same images at once.
///
/// With w the indicator of a sample of N images, the sums that HSIC takes over the sample are products with the Gram
/// matrices of all images, so that all samples together are matrix multiplications:
///
///     biased:    wᵀ(K∘L)w - 2/N Σ w (Kw)(Lw) + (wᵀKw)(wᵀLw) / N²
///     unbiased:  wᵀ(K∘L)w - 2/(N-2) Σ w (Kw)(Lw) + (wᵀKw)(wᵀLw) / ((N-1)(N-2)), K and L with zero diagonals
///
/// which is HSIC but for a factor that CKA does not see.
///
/// - Accuracy: single precision; meant for the spread among samples.
package struct SampledCKA {
    private let count: Int
    private let estimator: HSIC.Estimator
    private let grams: [Tensor]
    private let workspace: Workspace

    /// - Parameter layers: of the same images, the reference's first; centred.
    package init(_ layers: [FeatureMatrix], _ estimator: HSIC.Estimator, _ workspace: Workspace) {
        count = layers[0].count
        self.estimator = estimator
        self.workspace = workspace
        grams = layers.map { Self.gram(of: $0, zeroDiagonal: estimator == .unbiased, workspace) }
    }

    /// K, [n, n].
    private static func gram(of layer: FeatureMatrix, zeroDiagonal: Bool, _ workspace: Workspace) -> Tensor {
        let (n, width) = (layer.count, layer.width)
        let result = Tensor(zeros: [n, n])
        let x = UnsafePointer(layer.base)
        GEMM.multiply(
            m: n, n: n, k: width, a: x, aRowStride: width, aColumnStride: 1, b: x, bRowStride: 1, bColumnStride: width,
            c: result.floats.baseAddress!, cRowStride: n, workspace: workspace)
        withExtendedLifetime(layer) {}
        if zeroDiagonal { for i in 0..<n { result.floats[i * n + i] = 0 } }
        return result
    }

    /// Of each sample the similarity of each other model.
    ///
    /// - Parameter samples: images, none twice in a sample; all of the same size, 4 or more.
    package func similarities(_ samples: [[Int]]) -> [[Double]] {
        guard let size = samples.first?.count else { return [] }
        precondition(size >= 4 && samples.allSatisfy { $0.count == size }, "samples of different size, or too small")
        // 1 for the images of a sample, [n, samples].
        let indicators = Tensor(zeros: [count, samples.count])
        for (sample, images) in samples.enumerated() {
            for image in images { indicators.floats[image * samples.count + sample] = 1 }
        }
        let sums = grams.map { product($0, indicators) }
        let own = grams.indices.map { hsic($0, $0, sums, indicators, size) }
        let cross = grams.indices.dropFirst().map { hsic(0, $0, sums, indicators, size) }
        return samples.indices.map { sample in
            cross.enumerated().map { place, values in
                let scale = own[0][sample] * own[place + 1][sample]
                return scale > 0 ? values[sample] / scale.squareRoot() : .nan
            }
        }
    }

    /// A matrix times the indicators: [n, samples].
    private func product(_ matrix: Tensor, _ indicators: Tensor) -> Tensor {
        let columns = indicators.shape[1]
        let result = Tensor(zeros: indicators.shape)
        GEMM.multiply(
            m: count, n: columns, k: count, a: UnsafePointer(matrix.floats.baseAddress!), aRowStride: count,
            aColumnStride: 1, b: UnsafePointer(indicators.floats.baseAddress!), bRowStride: columns, bColumnStride: 1,
            c: result.floats.baseAddress!, cRowStride: columns, workspace: workspace)
        withExtendedLifetime((matrix, indicators)) {}
        return result
    }

    /// HSIC of two layers over each sample.
    private func hsic(_ i: Int, _ j: Int, _ sums: [Tensor], _ indicators: Tensor, _ size: Int) -> [Double] {
        let elementwise = Tensor(zeros: grams[i].shape)
        let (k, l, kl) = (grams[i].floats, grams[j].floats, elementwise.floats)
        for e in kl.indices { kl[e] = k[e] * l[e] }
        let products = product(elementwise, indicators)
        let samples = indicators.shape[1]
        var inner = [Double](repeating: 0, count: samples)
        var mixed = inner
        var kTotal = inner
        var lTotal = inner
        let (w, p, kw, lw) = (indicators.floats, products.floats, sums[i].floats, sums[j].floats)
        for image in 0..<count {
            for sample in 0..<samples where w[image * samples + sample] != 0 {
                let e = image * samples + sample
                inner[sample] += Double(p[e])
                mixed[sample] += Double(kw[e]) * Double(lw[e])
                kTotal[sample] += Double(kw[e])
                lTotal[sample] += Double(lw[e])
            }
        }
        withExtendedLifetime((grams, sums, indicators, elementwise, products)) {}
        let n = Double(size)
        return (0..<samples).map { s in
            switch estimator {
            case .biased: inner[s] - 2 / n * mixed[s] + kTotal[s] * lTotal[s] / (n * n)
            case .unbiased: inner[s] - 2 / (n - 2) * mixed[s] + kTotal[s] * lTotal[s] / ((n - 1) * (n - 2))
            }
        }
    }
}
