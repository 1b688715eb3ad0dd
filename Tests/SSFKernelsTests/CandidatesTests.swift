import SSFKernels
import Testing

@Suite("Inner loops of a search for neighbours")
struct CandidatesTests {
    @Test("Values below a threshold, in order, and none behind the end", arguments: KernelCase.all(edgeCounts))
    func below(_ test: KernelCase<Int>) {
        let count = test.size
        for (shift, threshold) in [(0, Float(0.3)), (1, -2), (3, 2), (0, .infinity)] {
            let values = TestFloats(numbers(count, seed: 1), misalignedBy: shift)
            if count > 2 {
                values.pointer[1] = 0.3
                values.pointer[2] = .nan
            }
            let kept = TestFloats([Double](repeating: 0, count: count))
            var places = [Int32](repeating: -1, count: count)
            let found = Candidates.appendBelow(
                count: count, values: values.pointer, threshold: threshold, firstIndex: 1000, kept: kept.pointer,
                keptIndices: &places, table: test.table)
            let expected = (0..<count).filter { values.pointer[$0] < threshold }
            #expect(found == expected.count)
            #expect(places.prefix(found).elementsEqual(expected.map { Int32(1000 + $0) }))
            #expect((0..<found).allSatisfy { kept.pointer[$0] == values.pointer[expected[$0]] } && kept.isIntact)
        }
    }

    @Test("Squared distances in double precision", arguments: KernelCase.all(edgeCounts))
    func distance(_ test: KernelCase<Int>) {
        for shift in [0, 1] {
            // Far from 0 and near each other: single precision would lose everything.
            let x = TestFloats(numbers(test.size, seed: 1, from: 1000, to: 1001), misalignedBy: shift)
            let y = TestFloats(numbers(test.size, seed: 2, from: 1000, to: 1001), misalignedBy: shift)
            let seen = Candidates.squaredDistance(count: test.size, x: x.pointer, y: y.pointer, table: test.table)
            let expected = zip(x.values, y.values).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            #expect(abs(seen - expected) <= 1e-14 * expected)
        }
    }
}
