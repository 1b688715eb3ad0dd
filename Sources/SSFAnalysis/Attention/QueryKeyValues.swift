import SSFKernels

/// What the attention of a block reads for one image, and the probabilities that follow from it.
///
/// A model computes attention without ever storing the probabilities; they are computed anew here, for the queries that
/// are asked for.
///
/// - Source: arXiv 1706.03762, equation 1; the layout of timm's `Attention`. With `qk_norm` the queries and keys are
///   those behind their norms.
public struct QueryKeyValues: Sendable {
    public let tokens: Int
    public let heads: Int
    /// [N, 3 H D]: rows q | k | v, each head-major.
    private let values: [Float]

    private var channels: Int { values.count / tokens / 3 }

    /// - Parameter values: [N, 3 H D], rows q | k | v, each head-major.
    /// - Precondition: the count fits.
    public init(_ values: [Float], tokens: Int, heads: Int) {
        precondition(
            tokens > 0 && heads > 0 && values.count.isMultiple(of: 3 * heads * tokens) && !values.isEmpty,
            "\(values.count) numbers are no queries, keys and values of \(tokens) tokens and \(heads) heads")
        (self.values, self.tokens, self.heads) = (values, tokens, heads)
    }

    /// `softmax(q k^T / sqrt D)` of some queries of a head: [queries, N], rows that sum to 1.
    ///
    /// - Accuracy: single precision throughout, as in the model.
    public func probabilities(of queries: Range<Int>, head: Int, workspace: Workspace = Workspace()) -> [Float] {
        precondition(queries.lowerBound >= 0 && queries.upperBound <= tokens && (0..<heads).contains(head))
        let width = channels / heads
        let stride = 3 * channels
        let scale = Float(1 / Double(width).squareRoot())
        // The queries are scaled, not the scores: as timm does it, and there are fewer of them.
        var scaled = [Float](repeating: 0, count: queries.count * width)
        for (row, query) in queries.enumerated() {
            for c in 0..<width { scaled[row * width + c] = scale * values[query * stride + head * width + c] }
        }
        return [Float](unsafeUninitializedCapacity: queries.count * tokens) { scores, count in
            values.withUnsafeBufferPointer { values in
                GEMM.multiply(
                    m: queries.count, n: tokens, k: width, a: scaled, aRowStride: width, aColumnStride: 1,
                    b: values.baseAddress! + (channels + head * width), bRowStride: 1, bColumnStride: stride,
                    c: scores.baseAddress!, cRowStride: tokens, workspace: workspace)
            }
            Softmax.forward(
                rows: queries.count, columns: tokens, x: scores.baseAddress!, y: scores.baseAddress!)
            count = queries.count * tokens
        }
    }
}
