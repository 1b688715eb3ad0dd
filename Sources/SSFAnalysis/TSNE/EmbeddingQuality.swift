import SSFKernels
import SSFParallel
import SSFTensors

/// What of the neighbourhoods of the samples an embedding keeps.
public struct EmbeddingQuality: Codable, Sendable, Equatable {
    /// k: the size of a neighbourhood.
    public var neighbors: Int
    /// Samples whose neighbourhoods were looked at: all, or that many that were drawn.
    public var samples: Int
    /// The part of a sample's k nearest that are among the k nearest in the embedding, on average.
    public var recall: Double
    /// 1 less a penalty for each neighbour in the embedding that is none among the samples, by how far it is from being
    /// one (Venna and Kaski 2001): 1 is the best, about 0.5 that of places at random.
    public var trustworthiness: Double

    /// The largest k that trustworthiness has for so many samples.
    public static func largestNeighborhood(samples: Int) -> Int { max(1, (samples - 1) / 2) }

    /// Measures an embedding. Both measures agree with scikit-learn's of all samples, when all are looked at.
    ///
    /// - Parameters:
    ///   - points: [rows, 2].
    ///   - neighbors: k, less than half of the rows.
    ///   - limit: samples to look at; of more, so many are drawn from `seed`.
    /// - Accuracy: distances in double precision; of equal ones the lower number is nearer.
    /// - Threading: over samples; the same for every thread count.
    public init(of points: [Float], features: SampleMatrix, neighbors: Int = 10, limit: Int = 2000, seed: UInt64 = 0) {
        let count = features.rows
        precondition(points.count == 2 * count, "\(points.count / 2) points for \(count) samples")
        precondition(neighbors >= 1 && 2 * neighbors < count, "neighbourhoods of \(neighbors) among \(count)")
        var chosen = Array(0..<count)
        if count > limit {
            var generator = RandomGenerator(seed: seed, stream: "embedding-quality")
            chosen = Array(generator.permutation(count).prefix(max(limit, 1))).sorted()
        }
        var hits = [Int](repeating: 0, count: chosen.count)
        var penalties = [Int](repeating: 0, count: chosen.count)
        let team = Parallel.threads
        let scratch = UnsafeMutablePointer<Double>.allocate(capacity: 2 * count * team)
        defer { scratch.deallocate() }
        features.values.withUnsafeBufferPointer { values in
            points.withUnsafeBufferPointer { points in
                chosen.withUnsafeBufferPointer { chosen in
                    hits.withUnsafeMutableBufferPointer { hits in
                        penalties.withUnsafeMutableBufferPointer { penalties in
                            let job = Job(
                                count: count, columns: features.columns, k: neighbors, values: values.baseAddress!,
                                points: points.baseAddress!, chosen: chosen.baseAddress!, hits: hits.baseAddress!,
                                penalties: penalties.baseAddress!, scratch: scratch)
                            Parallel.run(chunks: chosen.count, team: team, context: job) { context, chunk, slot in
                                context.assumingMemoryBound(to: Job.self).pointee.run(chunk, slot)
                            }
                        }
                    }
                }
            }
        }
        let (m, n, k) = (Double(chosen.count), Double(count), Double(neighbors))
        self.neighbors = neighbors
        samples = chosen.count
        recall = Double(hits.reduce(0, +)) / (m * k)
        trustworthiness = 1 - 2 * Double(penalties.reduce(0, +)) / (m * k * (2 * n - 3 * k - 1))
    }

    private struct Job {
        let count, columns, k: Int
        let values, points: UnsafePointer<Float>
        let chosen: UnsafePointer<Int>
        let hits, penalties: UnsafeMutablePointer<Int>
        /// For each thread the distances from a sample, among the samples and in the embedding.
        let scratch: UnsafeMutablePointer<Double>

        func run(_ number: Int, _ slot: Int) {
            let row = chosen[number]
            let among = scratch + 2 * count * slot
            let embedded = among + count
            let (x, y) = (Double(points[2 * row]), Double(points[2 * row + 1]))
            for other in 0..<count {
                among[other] = Candidates.squaredDistance(
                    count: columns, x: values + row * columns, y: values + other * columns)
                let (dx, dy) = (x - Double(points[2 * other]), y - Double(points[2 * other + 1]))
                embedded[other] = dx * dx + dy * dy
            }
            var hit = 0
            var penalty = 0
            for neighbor in nearest(embedded, row) {
                // How many others are nearer among the samples.
                let distance = among[neighbor]
                var rank = 1
                for other in 0..<count where other != row {
                    if among[other] < distance || among[other] == distance && other < neighbor { rank += 1 }
                }
                if rank <= k { hit += 1 } else { penalty += rank - k }
            }
            hits[number] = hit
            penalties[number] = penalty
        }

        /// The k nearest but the sample itself, by insertion.
        private func nearest(_ distances: UnsafePointer<Double>, _ row: Int) -> [Int] {
            var found: [Int] = []
            found.reserveCapacity(k + 1)
            for other in 0..<count where other != row {
                if found.count == k, distances[other] >= distances[found[k - 1]] { continue }
                var place = found.count
                while place > 0, distances[found[place - 1]] > distances[other] { place -= 1 }
                found.insert(other, at: place)
                if found.count > k { found.removeLast() }
            }
            return found
        }
    }
}
