import SSFKernels
import SSFParallel
import SSFTensors

/// The inner products `⟨K_i, K_j⟩` of Gram matrices `K = X Xᵀ` of centred features, all that CKA needs of two layers.
///
/// - Gram form: the matrices K, n x n, are made strip by strip (the lower half of them, for they are symmetric), and the
///   strips of all layers are multiplied with each other while they are in memory. Costs n² p for each layer.
/// - Covariance form: `⟨K_i, K_j⟩ = ‖X_iᵀ X_j‖²`, a p x q matrix for each pair. Costs 2 n p q for each pair.
///
/// The cheaper one is chosen. Products are summed in single precision over at most 512 terms at a time (over the width
/// of the features within one element of K), and from there on in double precision.
///
/// - Accuracy: CKA within 1e-6 of the same in double precision.
package enum GramProducts {
    package enum Form: String, Sendable, Codable {
        case gram, covariance
    }

    /// Layers `rows` against layers `columns`.
    package struct Block: Sendable {
        package var rows: Range<Int>
        package var columns: Range<Int>

        package init(rows: Range<Int>, columns: Range<Int>) { (self.rows, self.columns) = (rows, columns) }
    }

    /// Products by pairs of layers; of a pair that was not asked for, NaN.
    package struct Table: Sendable {
        private let count: Int
        private var values: [Double]

        init(count: Int) {
            self.count = count
            values = [Double](repeating: .nan, count: count * count)
        }

        package internal(set) subscript(i: Int, j: Int) -> Double {
            get { values[i * count + j] }
            set {
                values[i * count + j] = newValue
                values[j * count + i] = newValue
            }
        }
    }

    /// The products of every layer with itself and of the pairs in `blocks`.
    ///
    /// - Parameters:
    ///   - features: centred, all of the same samples.
    ///   - form: nil for the cheaper one.
    /// - Precondition: all have the same count.
    package static func products(
        _ features: [FeatureMatrix], blocks: [Block], form: Form? = nil, workspace: Workspace
    ) -> Table {
        guard let count = features.first?.count else { return Table(count: 0) }
        precondition(features.allSatisfy { $0.count == count }, "features of different samples")
        switch form ?? cheaperForm(count: count, widths: features.map(\.width), blocks: blocks) {
        case .gram: return gram(features, blocks, workspace)
        case .covariance: return covariance(features, blocks, workspace)
        }
    }

    /// The form that multiplies less.
    package static func cheaperForm(count: Int, widths: [Int], blocks: [Block]) -> Form {
        let gram = widths.reduce(0.0) {
            $0 + Double(count) * Double(count + stripWidth(count, widths.count)) * Double($1)
        }
        let selves = widths.reduce(0.0) { $0 + Double($1) * Double($1) }
        let pairs = blocks.reduce(0.0) { sum, block in
            sum + block.rows.reduce(0.0) { $0 + Double(widths[$1]) }
                * block.columns.reduce(0.0) { $0 + Double(widths[$1]) }
        }
        return gram <= 2 * Double(count) * (selves + pairs) ? .gram : .covariance
    }

    // MARK: Gram form

    /// Columns of K that are made at a time: few enough that the half which is not needed is small and that the strips
    /// of all layers stay within some 100 MB, enough to keep the matrix multiplication busy.
    private static func stripWidth(_ count: Int, _ layers: Int) -> Int {
        min(count, max(48, min(192, (100 << 20) / (4 * max(count, 1) * max(layers, 1)) / 48 * 48)))
    }

    private static func gram(_ features: [FeatureMatrix], _ blocks: [Block], _ workspace: Workspace) -> Table {
        let count = features[0].count
        let width = stripWidth(count, features.count)
        let stride = count * width
        let strips = Tensor(zeros: [features.count, stride])
        let base = strips.floats.baseAddress!
        var sums = PairSums(layers: features.count, blocks: blocks)
        for first in Swift.stride(from: 0, to: count, by: width) {
            let columns = min(width, count - first)
            let rows = count - first
            for (index, layer) in features.enumerated() {
                let own = layer.row(first)
                GEMM.multiply(
                    m: rows, n: columns, k: layer.width, a: UnsafePointer(own), aRowStride: layer.width,
                    aColumnStride: 1, b: UnsafePointer(own), bRowStride: 1, bColumnStride: layer.width,
                    c: base + index * stride, cRowStride: columns, workspace: workspace)
            }
            // The square on the diagonal is there as a whole; what is below it stands for what is above it too.
            sums.add(base, stride: stride, elements: 0..<columns * columns, weight: 1)
            sums.add(base, stride: stride, elements: columns * columns..<rows * columns, weight: 2)
        }
        withExtendedLifetime((strips, features)) {}
        return sums.table
    }

    // MARK: Covariance form

    private static func covariance(_ features: [FeatureMatrix], _ blocks: [Block], _ workspace: Workspace) -> Table {
        var table = Table(count: features.count)
        let widest = features.map(\.width).max()!
        let part = Tensor(zeros: [widest * widest])
        func product(_ i: Int, _ j: Int) -> Double {
            let (x, y) = (features[i], features[j])
            let size = x.width * y.width
            let c = part.floats.baseAddress!
            // Single precision for some thousand samples at a time.
            var sums = x.count > samplesOfPart ? [Double](repeating: 0, count: size) : []
            for first in Swift.stride(from: 0, to: x.count, by: samplesOfPart) {
                GEMM.multiply(
                    m: x.width, n: y.width, k: min(samplesOfPart, x.count - first), a: UnsafePointer(x.row(first)),
                    aRowStride: 1, aColumnStride: x.width, b: UnsafePointer(y.row(first)), bRowStride: y.width,
                    bColumnStride: 1, c: c, cRowStride: y.width, workspace: workspace)
                for e in sums.indices { sums[e] += Double(c[e]) }
            }
            return sums.isEmpty ? SumOfProducts.ofSquares(c, count: size) : sums.reduce(0) { $0 + $1 * $1 }
        }
        for i in features.indices { table[i, i] = product(i, i) }
        for block in blocks {
            for i in block.rows { for j in block.columns where i != j { table[i, j] = product(i, j) } }
        }
        withExtendedLifetime((part, features)) {}
        return table
    }

    private static let samplesOfPart = 2048
}
