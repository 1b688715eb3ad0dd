import SSFKernels
import SSFParallel

/// Every pair of points: N² kernels, vectorised. What the other methods approximate, and the fastest for few points.
///
/// - Accuracy: single precision within blocks of 1,024 sources, double precision beyond.
public final class ExactRepulsion: Repulsion {
    private static let chunk = 64
    private static let block = 1024

    private var x: [Float] = []
    private var y: [Float] = []
    private var ones: [Float] = []
    private var sums: [Double] = []

    public init() {}

    private struct Job {
        let count: Int
        let x, y, ones: UnsafePointer<Float>
        let forces: UnsafeMutablePointer<Float>
        let sums: UnsafeMutablePointer<Double>

        func run(_ chunk: Int) {
            let first = chunk * ExactRepulsion.chunk
            let targets = ExactRepulsion.chunk
            withUnsafeTemporaryAllocation(of: Float.self, capacity: 3 * targets) { part in
                withUnsafeTemporaryAllocation(of: Double.self, capacity: 3 * targets) { total in
                    let (fx, fy, z) = (part.baseAddress!, part.baseAddress! + targets, part.baseAddress! + 2 * targets)
                    total.initialize(repeating: 0)
                    for source in stride(from: 0, to: count, by: ExactRepulsion.block) {
                        PlaneForces.repel(
                            targets: targets, x: x + first, y: y + first,
                            sources: min(ExactRepulsion.block, count - source), sourceX: x + source,
                            sourceY: y + source, mass: ones, forceX: fx, forceY: fy, weight: z)
                        for i in 0..<3 * targets { total[i] += Double(part[i]) }
                    }
                    var sum = 0.0
                    for i in 0..<min(targets, count - first) {
                        forces[2 * (first + i)] = Float(total[i])
                        forces[2 * (first + i) + 1] = Float(total[targets + i])
                        // A point's own kernel is 1.
                        sum += total[2 * targets + i] - 1
                    }
                    sums[chunk] = sum
                }
            }
        }
    }

    public func evaluate(count: Int, points: UnsafePointer<Float>, forces: UnsafeMutablePointer<Float>) -> Double {
        let chunks = (count + Self.chunk - 1) / Self.chunk
        let padded = chunks * Self.chunk
        if x.count != padded {
            x = [Float](repeating: 0, count: padded)
            y = x
            ones = [Float](repeating: 1, count: Self.block)
            sums = [Double](repeating: 0, count: chunks)
        }
        for i in 0..<count {
            x[i] = points[2 * i]
            y[i] = points[2 * i + 1]
        }
        x.withUnsafeBufferPointer { x in
            y.withUnsafeBufferPointer { y in
                ones.withUnsafeBufferPointer { ones in
                    sums.withUnsafeMutableBufferPointer { sums in
                        let job = Job(
                            count: count, x: x.baseAddress!, y: y.baseAddress!, ones: ones.baseAddress!, forces: forces,
                            sums: sums.baseAddress!)
                        Parallel.run(chunks: chunks, context: job) { context, chunk, _ in
                            context.assumingMemoryBound(to: Job.self).pointee.run(chunk)
                        }
                    }
                }
            }
        }
        return sums.reduce(0, +)
    }
}
