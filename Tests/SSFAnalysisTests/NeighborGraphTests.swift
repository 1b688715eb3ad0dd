import Foundation
import SSFAnalysis
import SSFParallel
import SSFTensors
import SSFTestSupport
import Testing

@Suite("Nearest neighbours")
struct NeighborGraphTests {
    /// The same by sorting all distances in double precision.
    static func sorted(_ features: SampleMatrix, k: Int) -> [Int32] {
        let (n, d) = (features.rows, features.columns)
        return (0..<n).flatMap { row in
            let distances = (0..<n).map { other in
                (0..<d).reduce(0.0) {
                    let difference =
                        Double(features.values[row * d + $1]) - Double(features.values[other * d + $1])
                    return $0 + difference * difference
                }
            }
            return (0..<n).filter { $0 != row }
                .sorted { distances[$0] < distances[$1] || distances[$0] == distances[$1] && $0 < $1 }
                .prefix(k).map(Int32.init)
        }
    }

    static func normal(rows: Int, columns: Int, seed: UInt64, offset: Double = 0, scale: Double = 1) throws
        -> SampleMatrix
    {
        var generator = RandomGenerator(seed: seed)
        return try SampleMatrix(
            rows: rows, columns: columns,
            values: (0..<rows * columns).map { _ in Float(offset + scale * generator.normal()) })
    }

    @Test(
        "Exactly those that double precision finds",
        arguments: [(2, 1, 1), (5, 3, 4), (64, 2, 10), (65, 7, 64), (300, 50, 90), (1100, 5, 20)])
    func exact(_ size: (Int, Int, Int)) throws {
        let features = try Self.normal(rows: size.0, columns: size.1, seed: 1)
        let graph = NeighborGraph(nearestNeighborsIn: features, k: size.2)
        #expect(graph.indices.elementsEqual(Self.sorted(features, k: size.2)))
    }

    @Test("Far from the origin, at any scale, with a row far from all others", arguments: [1e-30, 1, 1e15])
    func cancellation(_ scale: Double) throws {
        // 12 bits are left of the differences; products of such numbers have none.
        var features = try Self.normal(rows: 200, columns: 6, seed: 2, offset: 4000 * scale, scale: scale)
        var values = features.values
        for column in 0..<6 { values[column] = Float(1e4 * scale) }
        features = try SampleMatrix(rows: 200, columns: 6, values: values)
        let graph = NeighborGraph(nearestNeighborsIn: features, k: 30)
        #expect(graph.indices.elementsEqual(Self.sorted(features, k: 30)))
    }

    @Test("Rows that are the same, and tight groups far apart: ties in the order of their numbers")
    func duplicates() throws {
        var generator = RandomGenerator(seed: 3)
        // 700 rows at 3 places, which is more than lists begin with; half of them moved by very little.
        var values: [Float] = []
        for row in 0..<700 {
            for column in 0..<4 {
                let place = Float(1000 * (row % 3) + column)
                values.append(row % 2 == 0 ? place + Float(1e-3 * generator.normal()) : place)
            }
        }
        let features = try SampleMatrix(rows: 700, columns: 4, values: values)
        let graph = NeighborGraph(nearestNeighborsIn: features, k: 20)
        #expect(graph.indices.elementsEqual(Self.sorted(features, k: 20)))
        let constant = try SampleMatrix(rows: 600, columns: 2, values: [Float](repeating: 3, count: 1200))
        let same = NeighborGraph(nearestNeighborsIn: constant, k: 5)
        #expect(same.indices.elementsEqual(Self.sorted(constant, k: 5)))
        #expect(same.squaredDistances.allSatisfy { $0 == 0 })
    }

    @Test("Those of scikit-learn", arguments: ["clusters", "curve"])
    func golden(_ name: String) throws {
        let golden = try Goldens.tensors("tsne/\(name).safetensors")
        let features = try TSNETests.features(golden)
        let graph = NeighborGraph(nearestNeighborsIn: features, k: 10)
        let expected = try #require(golden["neighbors"])
        #expect(graph.indices.elementsEqual(TSNETests.integers(expected)))
    }

    @Test("The same for every thread count")
    func threads() throws {
        let features = try Self.normal(rows: 500, columns: 9, seed: 4)
        let graphs = [1, 3].map { threads in
            Parallel.withThreads(threads) { NeighborGraph(nearestNeighborsIn: features, k: 15) }
        }
        #expect(graphs[0].indices.elementsEqual(graphs[1].indices))
    }

    @Test("What cannot be embedded is named with its place")
    func mistakes() throws {
        func refusal(_ rows: Int, _ columns: Int, _ values: [Float]) -> UserError? {
            do {
                _ = try SampleMatrix(rows: rows, columns: columns, values: values, name: "x.npy")
                return nil
            } catch { return error as? UserError }
        }
        #expect(refusal(2, 2, [1, 2, 3, .nan])?.what == "x.npy: row 1, column 1 is not a finite number")
        #expect(refusal(2, 2, [1, -.infinity, 3, 4])?.what == "x.npy: row 0, column 1 is not a finite number")
        #expect(refusal(3, 0, [])?.found == "3 x 0")
        #expect(refusal(0, 3, [])?.found == "0 x 3")
        let doubles: [Double] = [1e300, 1e300, -1e300, 0]
        #expect(throws: UserError.self) {
            try doubles.withUnsafeBufferPointer { try SampleMatrix(rows: 2, columns: 2, doubles: $0) }
        }
        // Differences that single precision would round away.
        let near: [Double] = [1e9, 0, 1e9 + 1e-3, 0]
        let centered = try near.withUnsafeBufferPointer { try SampleMatrix(rows: 2, columns: 2, doubles: $0) }
        #expect(abs(centered.values[2] - centered.values[0] - 1e-3) < 1e-6)
    }
}
