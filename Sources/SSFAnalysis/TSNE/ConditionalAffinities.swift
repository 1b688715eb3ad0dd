import Foundation
import SSFParallel

/// How near its neighbours are to each row, as a probability distribution: Gaussians whose widths give every row the same
/// perplexity (van der Maaten and Hinton 2008).
///
///     p_{j|i} = exp(-b_i d_ij²) / sum_j exp(-b_i d_ij²),     perplexity = exp(entropy of p_{.|i})
public struct ConditionalAffinities: Sendable {
    /// [count, k], in the order of the graph's neighbours; each row sums to 1.
    public let probabilities: [Float]
    /// [count]: b_i.
    public let precisions: [Double]
    /// Rows that have another perplexity, because too many of their neighbours are equally near.
    public let missed: Int

    /// The largest perplexity for so many samples: a third of the neighbours that there are, as in openTSNE.
    public static func largestPerplexity(samples: Int) -> Double { Double(samples - 1) / 3 }

    /// Neighbours that a perplexity takes: three times as many.
    public static func neighbors(perplexity: Double) -> Int { max(1, Int(3 * perplexity)) }

    /// Searches every row's width: Newton's steps for the logarithm of the precision within a bracket that each step
    /// narrows, halved where a step would leave it.
    ///
    /// - Accuracy: the entropy within 1e-6 of the perplexity's logarithm, in double precision.
    /// - Precondition: 1 <= perplexity <= neighbours of a row.
    public init(_ graph: NeighborGraph, perplexity: Double) {
        precondition(perplexity >= 1 && perplexity <= Double(graph.k), "perplexity \(perplexity) of \(graph.k)")
        var probabilities = [Float](repeating: 0, count: graph.count * graph.k)
        var precisions = [Double](repeating: 0, count: graph.count)
        let chunk = 128
        let chunks = (graph.count + chunk - 1) / chunk
        var missed = [Int](repeating: 0, count: chunks)
        graph.squaredDistances.withUnsafeBufferPointer { distances in
            probabilities.withUnsafeMutableBufferPointer { probabilities in
                precisions.withUnsafeMutableBufferPointer { precisions in
                    missed.withUnsafeMutableBufferPointer { missed in
                        let job = Job(
                            count: graph.count, k: graph.k, chunk: chunk, entropy: log(perplexity),
                            distances: distances.baseAddress!, probabilities: probabilities.baseAddress!,
                            precisions: precisions.baseAddress!, missed: missed.baseAddress!)
                        Parallel.run(chunks: chunks, context: job) { context, chunk, _ in
                            context.assumingMemoryBound(to: Job.self).pointee.run(chunk)
                        }
                    }
                }
            }
        }
        self.probabilities = probabilities
        self.precisions = precisions
        self.missed = missed.reduce(0, +)
    }

    private struct Job {
        let count, k, chunk: Int
        let entropy: Double
        let distances: UnsafePointer<Double>
        let probabilities: UnsafeMutablePointer<Float>
        let precisions: UnsafeMutablePointer<Double>
        let missed: UnsafeMutablePointer<Int>

        func run(_ number: Int) {
            withUnsafeTemporaryAllocation(of: Double.self, capacity: k) { weights in
                for row in number * chunk..<min((number + 1) * chunk, count) {
                    if !search(row, weights.baseAddress!) { missed[number] += 1 }
                }
            }
        }

        /// - Returns: whether the perplexity was reached.
        private func search(_ row: Int, _ weights: UnsafeMutablePointer<Double>) -> Bool {
            let distances = distances + row * k
            let nearest = distances[0]
            // In units of the mean distance beyond the nearest, the precision is near 1.
            var mean = 0.0
            for j in 0..<k { mean += distances[j] - nearest }
            mean /= Double(k)
            let unit = mean > 0 ? 1 / mean : 1
            var t = 0.0
            var (low, high) = (-60.0, 60.0)
            var sum = 0.0
            var hasReached = false
            for _ in 0..<200 {
                let precision = exp(t) * unit
                var first = 0.0
                var second = 0.0
                sum = 0
                for j in 0..<k {
                    let x = precision * (distances[j] - nearest)
                    let weight = exp(-x)
                    weights[j] = weight
                    sum += weight
                    first += weight * x
                    second += weight * x * x
                }
                first /= sum
                let excess = log(sum) + first - entropy
                hasReached = abs(excess) < 1e-6
                if hasReached { break }
                if excess > 0 { low = t } else { high = t }
                // The slope of the entropy over t is minus the variance of x.
                let variance = second / sum - first * first
                let step = variance > 0 ? t + excess / variance : .infinity
                t = step > low && step < high ? step : (low + high) / 2
                if high - low < 1e-12 { break }
            }
            precisions[row] = exp(t) * unit
            let probabilities = probabilities + row * k
            for j in 0..<k { probabilities[j] = Float(weights[j] / sum) }
            return hasReached
        }
    }
}
