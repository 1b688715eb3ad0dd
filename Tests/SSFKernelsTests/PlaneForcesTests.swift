import SSFKernels
import Testing

@Suite("Forces between points of the plane")
struct PlaneForcesTests {
    @Test(
        "Repulsion agrees with double precision", arguments: KernelCase.all([[16, 0], [16, 1], [32, 7], [48, 300]]))
    func repulsion(_ test: KernelCase<[Int]>) {
        let (targets, sources) = (test.size[0], test.size[1])
        for shift in [0, 1] {
            let x = TestFloats(numbers(targets, seed: 1, from: -5, to: 5), misalignedBy: shift)
            let y = TestFloats(numbers(targets, seed: 2, from: -5, to: 5), misalignedBy: shift)
            let sourceX = TestFloats(numbers(sources, seed: 3, from: -9, to: 9), misalignedBy: shift)
            let sourceY = TestFloats(numbers(sources, seed: 4, from: -9, to: 9), misalignedBy: shift)
            let mass = TestFloats(numbers(sources, seed: 5, from: 1, to: 20), misalignedBy: shift)
            // The first source lies on the first target.
            if sources > 0 {
                sourceX.pointer[0] = x.pointer[0]
                sourceY.pointer[0] = y.pointer[0]
            }
            let zeros = [Double](repeating: 0, count: targets)
            let (fx, fy, z) = (TestFloats(zeros), TestFloats(zeros), TestFloats(zeros))
            PlaneForces.repel(
                targets: targets, x: x.pointer, y: y.pointer, sources: sources, sourceX: sourceX.pointer,
                sourceY: sourceY.pointer, mass: mass.pointer, forceX: fx.pointer, forceY: fy.pointer,
                weight: z.pointer, table: test.table)
            let expected = Reference.repel(
                x: x.values, y: y.values, sourceX: sourceX.values, sourceY: sourceY.values, mass: mass.values)
            // Every term has some ten roundings, the sum one for each; |force| terms are below their weights.
            let tolerance = 10 + Double(sources) / 4
            let magnitudes = expected.weight.map { max($0, 1) }
            #expect(worstError(z.values, expected.weight, magnitudes: magnitudes) <= tolerance)
            #expect(worstError(fx.values, expected.forceX, magnitudes: magnitudes) <= tolerance)
            #expect(worstError(fy.values, expected.forceY, magnitudes: magnitudes) <= tolerance)
            #expect(fx.isIntact && fy.isIntact && z.isIntact)
        }
    }

    @Test("Attraction agrees with double precision", arguments: KernelCase.all([1, 2, 15, 16, 17, 100]))
    func attraction(_ test: KernelCase<Int>) {
        let count = 120
        let points = TestFloats(numbers(2 * count, seed: 1, from: -4, to: 4), misalignedBy: 1)
        // The middle rows of the points; every third has no edge at all.
        let first = 3
        let edges = (0..<30).map { row in
            row % 3 == 0
                ? []
                : zip(
                    numbers(test.size + row % 5, seed: UInt64(row), from: 0, to: Double(count)),
                    numbers(test.size + row % 5, seed: UInt64(90 + row), from: 0, to: 1)
                ).map { (index: Int($0), value: $1) }
        }
        var blocks: [Int32] = [0]
        var indices: [Int32] = []
        var values: [Float] = []
        for row in edges {
            let size = PlaneForces.edgeBlock
            let filling = (row.count + size - 1) / size * size - row.count
            indices += row.map { Int32($0.index) } + [Int32](repeating: 5, count: filling)
            values += row.map { Float($0.value) } + [Float](repeating: 0, count: filling)
            blocks.append(Int32(values.count / size))
        }
        let force = TestFloats([Double](repeating: 7, count: 2 * edges.count), misalignedBy: 1)
        PlaneForces.attract(
            rows: edges.count, firstRow: first, blocks: blocks, indices: indices, values: values,
            points: points.pointer, force: force.pointer, table: test.table)
        let all = [[(index: Int, value: Double)]](repeating: [], count: first) + edges
        let expected = Reference.attract(
            rows: all + [[(index: Int, value: Double)]](repeating: [], count: count - all.count), points: points.values)
        let part = Array(expected[2 * first..<2 * (first + edges.count)])
        // A term is at most 1 / 2; each has some eight roundings.
        #expect(worstError(force.values, part, magnitude: Double(test.size + 5) / 2) <= 8 + Double(test.size) / 16)
        #expect(force.isIntact)
    }
}
