import Foundation
import SSFAnalysis
import SSFKernels
import SSFParallel
import SSFTensors
import Testing

/// Every method against the sum over all pairs in double precision.
@Suite("Repulsion", .serialized)
struct RepulsionTests {
    /// Clouds of several sizes over a square, some points twice.
    static func points(_ count: Int, extent: Double) -> [Float] {
        var generator = RandomGenerator(seed: 5)
        var points: [Float] = []
        for i in 0..<count {
            let center = SIMD2(cos(Double(i % 5)), sin(Double(2 * (i % 5)))) * 0.4 * extent
            let width = extent * (0.02 + 0.03 * Double(i % 3))
            let x = center.x + width * generator.normal()
            let y = center.y + width * generator.normal()
            points += i % 50 == 49 ? [points[0], points[1]] : [Float(x), Float(y)]
        }
        return points
    }

    struct Error {
        /// Relative to Z and what is taken from it, the kernels of the points themselves.
        var normalization: Double
        /// Of the force, relative to its root mean square.
        var force: Double
        /// The same relative to that of the potential, a point's own kernel included. The forces of pairs are below their
        /// kernels, and cancel or vanish far away; the error of a grid is a part of the kernels.
        var potential: Double
    }

    static func error(_ method: any Repulsion, _ points: [Float]) -> Error {
        let count = points.count / 2
        let doubles = points.map(Double.init)
        var expected = [Double](repeating: 0, count: 2 * count)
        var z = 0.0
        var potentials = [Double](repeating: 1, count: count)
        for i in 0..<count {
            for j in 0..<count where j != i {
                let (dx, dy) = (doubles[2 * i] - doubles[2 * j], doubles[2 * i + 1] - doubles[2 * j + 1])
                let q = 1 / (1 + dx * dx + dy * dy)
                z += q
                potentials[i] += q
                expected[2 * i] += q * q * dx
                expected[2 * i + 1] += q * q * dy
            }
        }
        var forces = [Float](repeating: .nan, count: 2 * count)
        let seen = method.evaluate(count: count, points: points, forces: &forces)
        var (off, all) = (0.0, 0.0)
        for i in 0..<2 * count {
            off += (Double(forces[i]) - expected[i]) * (Double(forces[i]) - expected[i])
            all += expected[i] * expected[i]
        }
        return Error(
            normalization: abs(seen - z) / (z + Double(count)), force: (off / max(all, 1e-300)).squareRoot(),
            potential: (off / potentials.reduce(0) { $0 + $1 * $1 }).squareRoot())
    }

    /// From the beginning, where all points are within 5e-4, to the end.
    static let extents = [1e-4, 0.01, 1, 10, 60, 150]

    /// Kernels near 1 may all be rounded the same way: up to 32 in a sum, and up to 47 of such sums, half a unit each.
    @Test("Every pair", arguments: extents)
    func exact(_ extent: Double) {
        for count in [1, 2, 17, 900] where count > 1 || extent > 1 {
            let error = Self.error(ExactRepulsion(), Self.points(count, extent: extent))
            #expect(count == 1 || error.normalization < 3e-6 && error.force < 3e-6, "\(count) \(error)")
        }
    }

    @Test("Barnes-Hut at theta 0 is every pair, and near it at 0.5", arguments: extents)
    func barnesHut(_ extent: Double) {
        let points = Self.points(1500, extent: extent)
        let exact = Self.error(BarnesHutRepulsion(theta: 0), points)
        #expect(exact.normalization < 4e-6 && exact.force < 4e-6, "\(exact)")
        let near = Self.error(BarnesHutRepulsion(theta: 0.5), points)
        #expect(near.normalization < 5e-3 && near.force < 0.01, "\(near)")
        // Fewer points than a group, and all at one place.
        #expect(Self.error(BarnesHutRepulsion(), Self.points(3, extent: extent)).force < 0.01)
        let together = [Float](repeating: Float(extent), count: 200)
        #expect(Self.error(BarnesHutRepulsion(), together).normalization < 3e-6)
    }

    /// Half the spacing leaves a fourteenth of the error. A point with no other near it feels its own spline, with what
    /// the documentation states.
    @Test("The grid is near every pair, and nearer the finer it is", arguments: extents)
    func grid(_ extent: Double) {
        let points = Self.points(1500, extent: extent)
        let usual = Self.error(GridRepulsion(), points)
        #expect(usual.normalization < 2e-5 && usual.potential < 2e-3, "\(usual)")
        // Where points have many neighbours, as embeddings have.
        if extent <= 60 { #expect(usual.force < 5e-3, "\(usual)") }
        let fine = Self.error(GridRepulsion(spacing: 0.125), points)
        #expect(fine.normalization < 2e-6 && fine.potential < 1.5e-4, "\(fine)")
        let few = Self.error(GridRepulsion(), Self.points(3, extent: extent))
        #expect(few.normalization < 5e-4 && few.potential < 3e-3, "\(few)")
        let fineFew = Self.error(GridRepulsion(spacing: 0.125), Self.points(3, extent: extent))
        #expect(fineFew.normalization < 5e-5 && fineFew.potential < 3e-4, "\(fineFew)")
        let together = [Float](repeating: Float(extent), count: 200)
        #expect(Self.error(GridRepulsion(), together).normalization < 1e-5)
    }

    @Test("A grid serves clouds that grow and shrink")
    func reuse() {
        let grid = GridRepulsion()
        for extent in [1e-4, 3, 40, 90, 0.5, 40] {
            #expect(Self.error(grid, Self.points(700, extent: extent)).force < 5e-3)
        }
    }

    @Test("The same bits for every thread count", arguments: [0, 1, 2])
    func threads(_ number: Int) {
        let points = Self.points(5000, extent: 40)
        let results = [1, 3].map { threads in
            Parallel.withThreads(threads) {
                let method: any Repulsion = [ExactRepulsion(), BarnesHutRepulsion(), GridRepulsion()][number]
                var forces = [Float](repeating: 0, count: points.count)
                let z = method.evaluate(count: points.count / 2, points: points, forces: &forces)
                return (z, forces)
            }
        }
        #expect(results[0].0 == results[1].0 && results[0].1.elementsEqual(results[1].1))
    }
}
