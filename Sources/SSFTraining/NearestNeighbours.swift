import SSFKernels
import SSFTensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Exact search for the nearest vectors by cosine, as products of matrices.
///
/// - Complexity: 2 Q N C floating-point operations for Q queries among N vectors of C numbers; memory for the vectors
///   twice (as they come and normalised) and for a block of similarities.
public final class NearestNeighbours {
    public struct Neighbour: Sendable, Equatable {
        /// Row of the vectors that were searched.
        public var index: Int
        /// Cosine, -1...1 within rounding.
        public var similarity: Float

        public init(index: Int, similarity: Float) {
            self.index = index
            self.similarity = similarity
        }
    }

    /// [N, C], each row of length 1; a row of zeros stays as it is and is like nothing.
    private let unit: Tensor
    public var count: Int { unit.shape[0] }
    private var width: Int { unit.shape[1] }

    private static let queryBlock = 256
    private static let vectorBlock = 4096

    /// - Precondition: `vectors` is f32 [N, C].
    public init(_ vectors: Tensor) {
        precondition(vectors.shape.rank == 2)
        unit = vectors.copied()
        let floats = unit.floats
        let width = vectors.shape[1]
        for row in 0..<vectors.shape[0] {
            var sum = 0.0
            for c in row * width..<(row + 1) * width { sum += Double(floats[c]) * Double(floats[c]) }
            let factor = sum > 0 ? Float(1 / sum.squareRoot()) : 0
            for c in row * width..<(row + 1) * width { floats[c] *= factor }
        }
    }

    /// The `k` nearest of these vectors to each of `queries`, the nearest first; of equal ones the first.
    ///
    /// - Parameters:
    ///   - rows: of the queries that are asked for; all where none are given.
    ///   - excludesSelf: leaves out the vector at the query's own row, for queries that are these vectors.
    public func search(
        _ queries: NearestNeighbours, rows: [Int]? = nil, k: Int, excludesSelf: Bool = false
    ) -> [[Neighbour]] {
        precondition(queries.width == width && k > 0)
        let rows = rows ?? Array(0..<queries.count)
        var found = [[Neighbour]](repeating: [], count: rows.count)
        forEachBlock(of: queries, rows: rows) { first, start, similarities, count in
            for i in 0..<similarities.count / count {
                for j in 0..<count {
                    let similarity = similarities[i * count + j]
                    if found[first + i].count == k, similarity <= found[first + i][k - 1].similarity { continue }
                    if excludesSelf, start + j == rows[first + i] { continue }
                    if found[first + i].count == k { found[first + i].removeLast() }
                    // Rows come in ascending order: an equal one stays behind those that are there.
                    let place = found[first + i].firstIndex { $0.similarity < similarity } ?? found[first + i].count
                    found[first + i].insert(Neighbour(index: start + j, similarity: similarity), at: place)
                }
            }
        }
        return found
    }

    /// Every pair of a query and one of these vectors whose cosine is greater than `threshold`, by query.
    public func pairs(_ queries: NearestNeighbours, above threshold: Float) -> [(query: Int, neighbour: Neighbour)] {
        var found: [(query: Int, neighbour: Neighbour)] = []
        forEachBlock(of: queries, rows: Array(0..<queries.count)) { first, start, similarities, count in
            for i in 0..<similarities.count / count {
                for j in 0..<count where similarities[i * count + j] > threshold {
                    found.append((first + i, Neighbour(index: start + j, similarity: similarities[i * count + j])))
                }
            }
        }
        return found.sorted { ($0.query, $0.neighbour.index) < ($1.query, $1.neighbour.index) }
    }

    /// Hands blocks of similarities to `body`: the position in `rows` of their first query, the row of their first
    /// vector, [queries, vectors], and how many vectors.
    private func forEachBlock(
        of queries: NearestNeighbours, rows: [Int],
        _ body: (Int, Int, UnsafeMutableBufferPointer<Float>, Int) -> Void
    ) {
        guard count > 0, !rows.isEmpty, width > 0 else { return }
        let workspace = Workspace()
        let gathered = Tensor(zeros: [Self.queryBlock, width])
        let similarities = Tensor(zeros: [Self.queryBlock, min(Self.vectorBlock, count)])
        let vectors = unit.floats.baseAddress!
        let source = queries.unit.floats.baseAddress!
        for start in stride(from: 0, to: count, by: Self.vectorBlock) {
            let n = min(Self.vectorBlock, count - start)
            let packed = GEMM.pack(k: width, n: n, b: vectors + start * width, rowStride: 1, columnStride: width)
            for first in stride(from: 0, to: rows.count, by: Self.queryBlock) {
                let m = min(Self.queryBlock, rows.count - first)
                let a = gathered.floats.baseAddress!
                for i in 0..<m { (a + i * width).update(from: source + rows[first + i] * width, count: width) }
                GEMM.multiply(
                    m: m, n: n, k: width, a: a, aRowStride: width, aColumnStride: 1, packed: packed,
                    c: similarities.floats.baseAddress!, cRowStride: n, workspace: workspace)
                body(first, start, UnsafeMutableBufferPointer(rebasing: similarities.floats[..<(m * n)]), n)
            }
        }
    }

    /// The class that neighbours vote for, each with the weight exp(similarity / 0.07); of equal ones the first.
    ///
    /// - Source: Wu et al. 2018 (arXiv 1805.01978); Caron et al. 2021 (arXiv 2104.14294).
    public static func vote(_ neighbours: [Neighbour], labels: [Int32], classes: Int) -> Int {
        var votes = [Double](repeating: 0, count: classes)
        for neighbour in neighbours {
            votes[Int(labels[neighbour.index])] += exp(Double(neighbour.similarity) / 0.07)
        }
        return votes.indices.max { (votes[$0], $1) < (votes[$1], $0) } ?? 0
    }
}
