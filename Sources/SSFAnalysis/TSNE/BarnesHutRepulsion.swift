import SSFKernels
import SSFParallel

/// Repulsion by Barnes and Hut (1986; for t-SNE van der Maaten 2014): points far away act as one at their centre of mass.
///
/// Sixteen points that are neighbours in Morton's order walk the tree together: a square counts as far for all of them
/// where its side is below theta times its distance from the rectangle around them, which is nearer than any of them.
/// What they gather is one list for the vectorised kernel.
///
/// - Accuracy: at theta 0.5 better than one walk for each point, whose distances are larger; at theta 0 every pair is
///   computed.
public final class BarnesHutRepulsion: Repulsion {
    private static let group = PlaneForces.targetGroup
    /// Groups of a chunk.
    private static let groups = 4

    private let theta: Float
    private var tree = QuadTree()
    private var lists: [SourceList] = []
    private var sums: [Double] = []

    /// - Parameter theta: at least 0.
    public init(theta: Float = 0.5) {
        precondition(theta >= 0, "theta \(theta)")
        self.theta = theta
    }

    /// What acts on a group of points.
    private final class SourceList {
        let x, y, mass: UnsafeMutablePointer<Float>

        init(capacity: Int) {
            (x, y, mass) = (.allocate(capacity: capacity), .allocate(capacity: capacity), .allocate(capacity: capacity))
        }

        deinit {
            x.deallocate()
            y.deallocate()
            mass.deallocate()
        }
    }

    private struct Job {
        let count: Int
        let squaredTheta: Float
        let nodes: UnsafeBufferPointer<QuadTree.Node>
        let order: UnsafePointer<Int32>
        let x, y: UnsafePointer<Float>
        let lists: [SourceList]
        let forces: UnsafeMutablePointer<Float>
        let sums: UnsafeMutablePointer<Double>

        func run(_ chunk: Int, _ slot: Int) {
            let list = lists[slot]
            let group = BarnesHutRepulsion.group
            var sum = 0.0
            withUnsafeTemporaryAllocation(of: Float.self, capacity: 3 * group) { results in
                let results = results.baseAddress!
                for number in chunk * BarnesHutRepulsion.groups..<(chunk + 1) * BarnesHutRepulsion.groups {
                    let start = number * group
                    guard start < count else { break }
                    let sources = gather(start, list)
                    PlaneForces.repel(
                        targets: group, x: x + start, y: y + start, sources: sources, sourceX: list.x,
                        sourceY: list.y, mass: list.mass, forceX: results, forceY: results + group,
                        weight: results + 2 * group)
                    for i in 0..<min(group, count - start) {
                        let point = Int(order[start + i])
                        forces[2 * point] = results[i]
                        forces[2 * point + 1] = results[group + i]
                        // A point's own kernel, 1, is in its weight.
                        sum += Double(results[2 * group + i]) - 1
                    }
                }
            }
            sums[chunk] = sum
        }

        /// Walks the tree for a group of places; returns how many sources act on it.
        private func gather(_ start: Int, _ list: SourceList) -> Int {
            var (left, right) = (x[start], x[start])
            var (bottom, top) = (y[start], y[start])
            for place in start + 1..<start + BarnesHutRepulsion.group {
                (left, right) = (min(left, x[place]), max(right, x[place]))
                (bottom, top) = (min(bottom, y[place]), max(top, y[place]))
            }
            let (listX, listY, listMass) = (list.x, list.y, list.mass)
            var n = 0
            var number = 0
            while number < nodes.count {
                let node = nodes[number]
                let dx = max(left - node.centerX, 0, node.centerX - right)
                let dy = max(bottom - node.centerY, 0, node.centerY - top)
                if node.squaredSide < squaredTheta * (dx * dx + dy * dy) {
                    listX[n] = node.centerX
                    listY[n] = node.centerY
                    listMass[n] = node.mass
                    n += 1
                    number = Int(node.next)
                } else {
                    let from = Int(node.first)
                    for place in from..<from + Int(node.leafCount) {
                        listX[n] = x[place]
                        listY[n] = y[place]
                        listMass[n] = 1
                        n += 1
                    }
                    number += 1
                }
            }
            return n
        }
    }

    public func evaluate(count: Int, points: UnsafePointer<Float>, forces: UnsafeMutablePointer<Float>) -> Double {
        tree.build(count: count, points: points, padding: Self.group)
        let chunks = (count + Self.group * Self.groups - 1) / (Self.group * Self.groups)
        let team = Parallel.threads
        if sums.count != chunks || lists.count < team {
            sums = [Double](repeating: 0, count: chunks)
            // A list has every point at most once, alone or within a node.
            lists = (0..<team).map { _ in SourceList(capacity: count) }
        }
        tree.nodes.withUnsafeBufferPointer { nodes in
            tree.order.withUnsafeBufferPointer { order in
                tree.x.withUnsafeBufferPointer { x in
                    tree.y.withUnsafeBufferPointer { y in
                        sums.withUnsafeMutableBufferPointer { sums in
                            let job = Job(
                                count: count, squaredTheta: theta * theta, nodes: nodes, order: order.baseAddress!,
                                x: x.baseAddress!, y: y.baseAddress!, lists: lists, forces: forces,
                                sums: sums.baseAddress!)
                            Parallel.run(chunks: chunks, team: team, context: job) { context, chunk, slot in
                                context.assumingMemoryBound(to: Job.self).pointee.run(chunk, slot)
                            }
                        }
                    }
                }
            }
        }
        return sums.reduce(0, +)
    }
}
