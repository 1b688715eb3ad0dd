import Foundation
import SSFKernels
import SSFParallel

/// The symmetric affinities of t-SNE, p_ij = (p_{j|i} + p_{i|j}) / 2N, as sparse rows that sum to 1 over all.
public struct JointAffinities: Sendable {
    /// Samples.
    public let count: Int
    /// [count + 1]: where each row begins, in blocks of `PlaneForces.edgeBlock` entries.
    let blocks: [Int32]
    /// Columns; what a row leaves of its last block names the row itself.
    let indices: [Int32]
    /// Affinities; 0 where a row does not fill its last block.
    let values: [Float]

    /// Joins what each sample has for another with what that has for it.
    public init(_ affinities: ConditionalAffinities, of graph: NeighborGraph) {
        let count = graph.count
        let k = graph.k
        let block = PlaneForces.edgeBlock
        self.count = count
        // Rows in the order of their columns, and the same by columns.
        var own = [Entry](repeating: Entry(index: 0, value: 0), count: count * k)
        var reverse = own
        var starts = [Int](repeating: 0, count: count + 1)
        for index in graph.indices { starts[Int(index) + 1] += 1 }
        for row in 0..<count { starts[row + 1] += starts[row] }
        var next = starts
        graph.indices.withUnsafeBufferPointer { indices in
            affinities.probabilities.withUnsafeBufferPointer { probabilities in
                reverse.withUnsafeMutableBufferPointer { reverse in
                    next.withUnsafeMutableBufferPointer { next in
                        for row in 0..<count {
                            for place in row * k..<(row + 1) * k {
                                let column = Int(indices[place])
                                reverse[next[column]] = Entry(index: Int32(row), value: probabilities[place])
                                next[column] += 1
                            }
                        }
                    }
                }
                own.withUnsafeMutableBufferPointer { own in
                    for place in 0..<count * k {
                        own[place] = Entry(index: indices[place], value: probabilities[place])
                    }
                }
            }
        }
        var lengths = [Int32](repeating: 0, count: count)
        let scale = 1 / (2 * Double(count))
        var blocks = [Int32](repeating: 0, count: count + 1)
        let merge = own.withUnsafeMutableBufferPointer { own in
            reverse.withUnsafeBufferPointer { reverse in
                starts.withUnsafeBufferPointer { starts in
                    lengths.withUnsafeMutableBufferPointer { lengths in
                        let job = Merge(
                            count: count, k: k, scale: scale, own: own.baseAddress!, reverse: reverse.baseAddress!,
                            starts: starts.baseAddress!, lengths: lengths.baseAddress!)
                        job.run(.count)
                        return job
                    }
                }
            }
        }
        for row in 0..<count { blocks[row + 1] = blocks[row] + (lengths[row] + Int32(block) - 1) / Int32(block) }
        let total = Int(blocks[count]) * block
        var indices = [Int32](repeating: 0, count: total)
        var values = [Float](repeating: 0, count: total)
        own.withUnsafeMutableBufferPointer { own in
            reverse.withUnsafeBufferPointer { reverse in
                starts.withUnsafeBufferPointer { starts in
                    blocks.withUnsafeBufferPointer { blocks in
                        indices.withUnsafeMutableBufferPointer { indices in
                            values.withUnsafeMutableBufferPointer { values in
                                var job = merge
                                job.own = own.baseAddress!
                                job.reverse = reverse.baseAddress!
                                job.starts = starts.baseAddress!
                                job.blocks = blocks.baseAddress!
                                job.indices = indices.baseAddress!
                                job.values = values.baseAddress!
                                job.run(.fill)
                            }
                        }
                    }
                }
            }
        }
        self.blocks = blocks
        self.indices = indices
        self.values = values
    }

    /// Entries that are not filling, as (row, column, affinity): for those who compare.
    public func entries() -> [(row: Int, column: Int, value: Float)] {
        var result: [(row: Int, column: Int, value: Float)] = []
        for row in 0..<count {
            let places = Int(blocks[row]) * PlaneForces.edgeBlock..<Int(blocks[row + 1]) * PlaneForces.edgeBlock
            for place in places where values[place] > 0 { result.append((row, Int(indices[place]), values[place])) }
        }
        return result
    }

    private struct Entry {
        var index: Int32
        var value: Float
    }

    /// Merges, for each row, its own entries with those of the others.
    private struct Merge {
        enum Part { case count, fill }

        static let chunk = 256
        let count, k: Int
        let scale: Double
        var own: UnsafeMutablePointer<Entry>
        var reverse: UnsafePointer<Entry>
        var starts: UnsafePointer<Int>
        var lengths: UnsafeMutablePointer<Int32>
        var blocks: UnsafePointer<Int32>?
        var indices: UnsafeMutablePointer<Int32>?
        var values: UnsafeMutablePointer<Float>?
        var part = Part.count

        func run(_ part: Part) {
            var job = self
            job.part = part
            Parallel.run(chunks: (count + Self.chunk - 1) / Self.chunk, context: job) { context, chunk, _ in
                let job = context.assumingMemoryBound(to: Merge.self).pointee
                for row in chunk * Merge.chunk..<min((chunk + 1) * Merge.chunk, job.count) {
                    switch job.part {
                    case .count: job.count(row)
                    case .fill: job.fill(row)
                    }
                }
            }
        }

        private func count(_ row: Int) {
            var mine = UnsafeMutableBufferPointer(start: own + row * k, count: k)
            mine.sort { $0.index < $1.index }
            var length = 0
            walk(row) { _, _ in length += 1 }
            lengths[row] = Int32(length)
        }

        private func fill(_ row: Int) {
            guard let blocks, let indices, let values else { return }
            var place = Int(blocks[row]) * PlaneForces.edgeBlock
            walk(row) { index, value in
                indices[place] = index
                values[place] = Float(value * scale)
                place += 1
            }
            while place < Int(blocks[row + 1]) * PlaneForces.edgeBlock {
                indices[place] = Int32(row)
                place += 1
            }
        }

        /// Both lists in the order of their columns, equal columns added.
        @inline(__always)
        private func walk(_ row: Int, _ body: (Int32, Double) -> Void) {
            var i = row * k
            var j = starts[row]
            let (iEnd, jEnd) = ((row + 1) * k, starts[row + 1])
            while i < iEnd || j < jEnd {
                if j == jEnd || i < iEnd && own[i].index < reverse[j].index {
                    body(own[i].index, Double(own[i].value))
                    i += 1
                } else if i == iEnd || reverse[j].index < own[i].index {
                    body(reverse[j].index, Double(reverse[j].value))
                    j += 1
                } else {
                    body(own[i].index, Double(own[i].value) + Double(reverse[j].value))
                    i += 1
                    j += 1
                }
            }
        }
    }
}
