import SSFParallel

/// Cosines between the features that a reference and other models give the same images.
package enum CosineSimilarity {
    private struct Job {
        let x: FeatureMatrix
        let y: FeatureMatrix
        let tokens: Int
        let result: UnsafeMutablePointer<Double>

        func run(_ sample: Int) {
            let width = x.width / tokens
            var sum = 0.0
            for token in 0..<tokens {
                let (a, b) = (x.row(sample) + token * width, y.row(sample) + token * width)
                let scale =
                    SumOfProducts.ofSquares(a, count: width).squareRoot()
                    * SumOfProducts.ofSquares(b, count: width).squareRoot()
                sum += SumOfProducts.of(a, b, count: width) / scale
            }
            result[sample] = sum / Double(tokens)
        }
    }

    /// The cosine for each image: of one token, or the mean over `tokens` of those that a row holds.
    ///
    /// - Parameters:
    ///   - x, y: not centred, of the same images.
    ///   - tokens: in a row.
    /// - Returns: NaN where a token is all zeros.
    /// - Precondition: x and y have the same form.
    package static func cosines(_ x: FeatureMatrix, _ y: FeatureMatrix, tokens: Int) -> [Double] {
        precondition(x.count == y.count && x.width == y.width && x.width.isMultiple(of: tokens))
        return [Double](unsafeUninitializedCapacity: x.count) { buffer, filled in
            Parallel.run(
                chunks: x.count, context: Job(x: x, y: y, tokens: tokens, result: buffer.baseAddress!)
            ) { context, sample, _ in
                context.assumingMemoryBound(to: Job.self).pointee.run(sample)
            }
            filled = x.count
        }
    }
}
