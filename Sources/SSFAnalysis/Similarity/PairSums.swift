import SSFKernels
import SSFParallel
import SSFTensors

/// Sums `Σ a_i[e] a_j[e]` over elements that come in parts, for each layer with itself and for pairs of layers, in double
/// precision above 512 terms.
///
/// Elements are shared out among the threads in segments of fixed size, whose sums are added in their order: the same
/// bits for every thread count.
struct PairSums {
    private let layers: Int
    private let blocks: [GramProducts.Block]
    /// Of each layer with itself, then of each block, row by row.
    private var sums: [Double]

    init(layers: Int, blocks: [GramProducts.Block]) {
        self.layers = layers
        self.blocks = blocks
        sums = [Double](repeating: 0, count: layers + blocks.reduce(0) { $0 + $1.rows.count * $1.columns.count })
    }

    var table: GramProducts.Table {
        var table = GramProducts.Table(count: layers)
        for layer in 0..<layers { table[layer, layer] = sums[layer] }
        var next = layers
        for block in blocks {
            for i in block.rows {
                for j in block.columns {
                    table[i, j] = sums[next]
                    next += 1
                }
            }
        }
        return table
    }

    /// Terms that are summed in single precision.
    private static let termsOfPart = 512
    /// Elements that a thread takes at a time.
    private static let segment = 16 * termsOfPart

    private struct Job {
        let base: UnsafePointer<Float>
        let stride: Int
        let elements: Range<Int>
        let layers: Int
        let blocks: [GramProducts.Block]
        let width: Int
        let results: UnsafeMutablePointer<Double>
        let products: UnsafeMutablePointer<Float>
        let productCount: Int
        let workspaces: [Workspace]

        func run(_ chunk: Int, _ slot: Int) {
            let first = elements.lowerBound + chunk * PairSums.segment
            let end = min(first + PairSums.segment, elements.upperBound)
            let result = results + chunk * width
            for layer in 0..<layers {
                result[layer] = SumOfProducts.ofSquares(base + layer * stride + first, count: end - first)
            }
            let part = products + slot * productCount
            for begin in Swift.stride(from: first, to: end, by: PairSums.termsOfPart) {
                let terms = min(PairSums.termsOfPart, end - begin)
                var target = result + layers
                for block in blocks {
                    GEMM.multiply(
                        m: block.rows.count, n: block.columns.count, k: terms,
                        a: base + block.rows.lowerBound * stride + begin, aRowStride: stride, aColumnStride: 1,
                        b: base + block.columns.lowerBound * stride + begin, bRowStride: 1, bColumnStride: stride,
                        c: part, cRowStride: block.columns.count, workspace: workspaces[slot])
                    let size = block.rows.count * block.columns.count
                    for e in 0..<size { target[e] += Double(part[e]) }
                    target += size
                }
            }
        }
    }

    /// Adds `weight` times the sums over some elements; element e of layer i is `base[i * stride + e]`.
    mutating func add(_ base: UnsafePointer<Float>, stride: Int, elements: Range<Int>, weight: Double) {
        guard !elements.isEmpty else { return }
        let team = Parallel.threads
        let chunks = (elements.count + Self.segment - 1) / Self.segment
        let productCount = max(blocks.map { $0.rows.count * $0.columns.count }.max() ?? 0, 1)
        let results = UnsafeMutablePointer<Double>.allocate(capacity: chunks * sums.count)
        results.initialize(repeating: 0, count: chunks * sums.count)
        let products = UnsafeMutablePointer<Float>.allocate(capacity: team * productCount)
        products.initialize(repeating: 0, count: team * productCount)
        defer {
            results.deallocate()
            products.deallocate()
        }
        let job = Job(
            base: base, stride: stride, elements: elements, layers: layers, blocks: blocks, width: sums.count,
            results: results, products: products, productCount: productCount,
            workspaces: (0..<team).map { _ in Workspace() })
        // A matrix multiplication inside a region runs on the thread that calls it.
        Parallel.run(chunks: chunks, team: team, context: job) { context, chunk, slot in
            context.assumingMemoryBound(to: Job.self).pointee.run(chunk, slot)
        }
        for chunk in 0..<chunks {
            for index in sums.indices { sums[index] += weight * results[chunk * sums.count + index] }
        }
    }
}
