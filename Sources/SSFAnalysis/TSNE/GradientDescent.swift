import Foundation
import SSFKernels
import SSFParallel

/// Points on their way down the gradient of t-SNE's divergence, a quarter of which is
///
///     g_i = e sum_j p_ij q_ij (y_i - y_j) - 1/Z sum_j q_ij² (y_i - y_j)
///
/// with exaggeration e: the gradient that openTSNE takes, whose learning rates are meant for it.
///
/// - Threading: over points; the same bits for every thread count.
final class GradientDescent {
    private static let chunk = 512

    private let affinities: JointAffinities
    private let minimumGain: Float
    private let maximumStep: Float
    private let count: Int
    /// [count, 2] each.
    private(set) var points: [Float]
    private var moved: [Float]
    private var updates: [Float]
    private var gains: [Float]
    private var repulsive: [Float]
    /// [chunks, 2]: sums of the moved points.
    private var sums: [Double]
    /// sum p log p.
    private lazy var negativeEntropy: Double = affinities.values.reduce(0) {
        $0 + ($1 > 0 ? Double($1) * log(Double($1)) : 0)
    }
    /// Z of the points before the last step.
    private(set) var normalization = 0.0

    init(_ affinities: JointAffinities, points: [Float], settings: TSNESettings) {
        precondition(points.count == 2 * affinities.count, "\(points.count / 2) points for \(affinities.count) samples")
        self.affinities = affinities
        self.points = points
        count = affinities.count
        minimumGain = Float(settings.minimumGain)
        maximumStep = Float(settings.maximumStep)
        moved = points
        updates = [Float](repeating: 0, count: 2 * count)
        gains = [Float](repeating: 1, count: 2 * count)
        repulsive = [Float](repeating: 0, count: 2 * count)
        sums = [Double](repeating: 0, count: 2 * ((count + Self.chunk - 1) / Self.chunk))
    }

    private var chunks: Int { (count + Self.chunk - 1) / Self.chunk }

    // MARK: - Steps

    private struct Job {
        let count: Int
        let blocks, indices: UnsafePointer<Int32>
        let values: UnsafePointer<Float>
        let points, repulsive: UnsafePointer<Float>
        let moved, updates, gains: UnsafeMutablePointer<Float>
        let sums: UnsafeMutablePointer<Double>
        let exaggeration, repulsion, learningRate, momentum, minimumGain, maximumStep: Float

        func run(_ chunk: Int) {
            let first = chunk * GradientDescent.chunk
            let rows = min(GradientDescent.chunk, count - first)
            var sum = SIMD2<Double>.zero
            withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * rows) { attractive in
                PlaneForces.attract(
                    rows: rows, firstRow: first, blocks: blocks + first, indices: indices, values: values,
                    points: points, force: attractive.baseAddress!)
                for row in 0..<rows {
                    let i = 2 * (first + row)
                    let gradient =
                        exaggeration * SIMD2(attractive[2 * row], attractive[2 * row + 1])
                        - repulsion * SIMD2(repulsive[i], repulsive[i + 1])
                    var update = SIMD2(updates[i], updates[i + 1])
                    var gain = SIMD2(gains[i], gains[i + 1])
                    // openTSNE compares signs, of which 0 has its own.
                    let isSame = Self.sign(update) .== Self.sign(gradient)
                    gain.replace(with: gain * 0.8 + minimumGain, where: isSame)
                    gain.replace(with: gain + 0.2, where: .!isSame)
                    update = momentum * update - learningRate * gain * gradient
                    let length = (update * update).sum().squareRoot()
                    if length > maximumStep { update *= maximumStep / length }
                    let point = SIMD2(points[i], points[i + 1]) + update
                    (updates[i], updates[i + 1]) = (update.x, update.y)
                    (gains[i], gains[i + 1]) = (gain.x, gain.y)
                    (moved[i], moved[i + 1]) = (point.x, point.y)
                    sum += SIMD2(Double(point.x), Double(point.y))
                }
            }
            sums[2 * chunk] = sum.x
            sums[2 * chunk + 1] = sum.y
        }

        private static func sign(_ x: SIMD2<Float>) -> SIMD2<Float> {
            SIMD2<Float>.zero.replacing(with: 1, where: x .> 0).replacing(with: -1, where: x .< 0)
        }
    }

    /// One step.
    func step(repulsion: any Repulsion, exaggeration: Double, learningRate: Double, momentum: Double) {
        normalization = evaluateNormalization(repulsion)
        affinities.blocks.withUnsafeBufferPointer { blocks in
            affinities.indices.withUnsafeBufferPointer { indices in
                affinities.values.withUnsafeBufferPointer { values in
                    points.withUnsafeBufferPointer { points in
                        repulsive.withUnsafeBufferPointer { repulsive in
                            moved.withUnsafeMutableBufferPointer { moved in
                                updates.withUnsafeMutableBufferPointer { updates in
                                    gains.withUnsafeMutableBufferPointer { gains in
                                        sums.withUnsafeMutableBufferPointer { sums in
                                            let job = Job(
                                                count: count, blocks: blocks.baseAddress!,
                                                indices: indices.baseAddress!, values: values.baseAddress!,
                                                points: points.baseAddress!, repulsive: repulsive.baseAddress!,
                                                moved: moved.baseAddress!, updates: updates.baseAddress!,
                                                gains: gains.baseAddress!, sums: sums.baseAddress!,
                                                exaggeration: Float(exaggeration),
                                                repulsion: Float(1 / max(normalization, .leastNormalMagnitude)),
                                                learningRate: Float(learningRate), momentum: Float(momentum),
                                                minimumGain: minimumGain, maximumStep: maximumStep)
                                            Parallel.run(chunks: chunks, context: job) { context, chunk, _ in
                                                context.assumingMemoryBound(to: Job.self).pointee.run(chunk)
                                            }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        swap(&points, &moved)
        center()
    }

    /// Moves the mean to the origin.
    private func center() {
        var mean = SIMD2<Double>.zero
        for chunk in 0..<chunks { mean += SIMD2(sums[2 * chunk], sums[2 * chunk + 1]) }
        mean /= Double(count)
        let shift = SIMD2(Float(mean.x), Float(mean.y))
        points.withUnsafeMutableBufferPointer { points in
            for i in 0..<count {
                points[2 * i] -= shift.x
                points[2 * i + 1] -= shift.y
            }
        }
    }

    /// Forms the repulsive forces at the points; returns Z.
    func evaluateNormalization(_ repulsion: any Repulsion) -> Double {
        points.withUnsafeBufferPointer { points in
            repulsive.withUnsafeMutableBufferPointer { forces in
                repulsion.evaluate(count: count, points: points.baseAddress!, forces: forces.baseAddress!)
            }
        }
    }

    // MARK: - Divergence

    /// sum_ij p_ij log(p_ij / q_ij), q_ij = 1 / (1 + d_ij²) / Z, in double precision.
    func divergence(normalization: Double) -> Double {
        struct Job {
            let count: Int
            let blocks, indices: UnsafePointer<Int32>
            let values, points: UnsafePointer<Float>
            let sums: UnsafeMutablePointer<Double>

            func run(_ chunk: Int) {
                var sum = 0.0
                var mass = 0.0
                for row in chunk * GradientDescent.chunk..<min((chunk + 1) * GradientDescent.chunk, count) {
                    let (x, y) = (Double(points[2 * row]), Double(points[2 * row + 1]))
                    let block = PlaneForces.edgeBlock
                    for place in Int(blocks[row]) * block..<Int(blocks[row + 1]) * block where values[place] > 0 {
                        let other = Int(indices[place])
                        let (dx, dy) = (x - Double(points[2 * other]), y - Double(points[2 * other + 1]))
                        let p = Double(values[place])
                        sum += p * log(1 + dx * dx + dy * dy)
                        mass += p
                    }
                }
                sums[2 * chunk] = sum
                sums[2 * chunk + 1] = mass
            }
        }
        affinities.blocks.withUnsafeBufferPointer { blocks in
            affinities.indices.withUnsafeBufferPointer { indices in
                affinities.values.withUnsafeBufferPointer { values in
                    points.withUnsafeBufferPointer { points in
                        sums.withUnsafeMutableBufferPointer { sums in
                            let job = Job(
                                count: count, blocks: blocks.baseAddress!, indices: indices.baseAddress!,
                                values: values.baseAddress!, points: points.baseAddress!, sums: sums.baseAddress!)
                            Parallel.run(chunks: chunks, context: job) { context, chunk, _ in
                                context.assumingMemoryBound(to: Job.self).pointee.run(chunk)
                            }
                        }
                    }
                }
            }
        }
        var (sum, mass) = (0.0, 0.0)
        for chunk in 0..<chunks {
            sum += sums[2 * chunk]
            mass += sums[2 * chunk + 1]
        }
        return negativeEntropy + sum + mass * log(normalization)
    }
}
