import SSFKernels
import Testing

@Suite struct LayerNormTests {
    static let shapes: [[Int]] =
        [
            [0, 8], [1, 1], [3, 7], [2, 8], [5, 15], [3, 16], [2, 17], [4, 31], [3, 33], [130, 65], [9, 192],
            [70, 768],
        ]
        + [[3, 1000], [1, 3072]]

    /// Sums of n numbers in lanes of at least 4, four at a time, then pairwise: at most n / 16 + 8 roundings in a row.
    private func tolerance(_ channels: Int) -> Double { Double(channels) / 16 + 12 }

    @Test(arguments: KernelCase.all(shapes))
    func forwardAgreesWithTheReference(_ test: KernelCase<[Int]>) {
        let (rows, channels) = (test.size[0], test.size[1])
        for (shift, hasWeight, hasBias) in [(0, true, true), (1, true, false), (3, false, true), (2, false, false)] {
            let x = TestFloats(numbers(rows * channels, seed: 1, from: -1, to: 3), misalignedBy: shift)
            let weight = TestFloats(numbers(channels, seed: 2), misalignedBy: shift)
            let bias = TestFloats(numbers(channels, seed: 3), misalignedBy: shift)
            let y = TestFloats(numbers(rows * channels, seed: 4), misalignedBy: shift)
            let mean = TestFloats(numbers(rows, seed: 5))
            let reciprocal = TestFloats(numbers(rows, seed: 6))
            LayerNorm.forward(
                rows: rows, channels: channels, x: x.pointer, weight: hasWeight ? UnsafePointer(weight.pointer) : nil,
                bias: hasBias ? UnsafePointer(bias.pointer) : nil, epsilon: 1e-3, y: y.pointer, mean: mean.pointer,
                reciprocalDeviation: reciprocal.pointer, table: test.table)
            let expected = Reference.layerNorm(
                rows: rows, channels: channels, x: x.values, weight: hasWeight ? weight.values : nil,
                bias: hasBias ? bias.values : nil, epsilon: Double(Float(1e-3)))
            // A mean that is wrong by one rounding of a number of size 3 moves a whole row by that, times 1 / deviation.
            let values = x.values
            let magnitudes = (0..<rows * channels).map { i in
                (3 + abs(values[i])) * expected.reciprocalDeviation[i / channels] + 1
            }
            #expect(
                worstError(y.values, expected.y, magnitudes: magnitudes) < tolerance(channels), "\(shift)")
            #expect(worstError(mean.values, expected.mean, magnitude: 3) < tolerance(channels))
            #expect(
                worstError(
                    reciprocal.values, expected.reciprocalDeviation,
                    magnitudes: expected.reciprocalDeviation.map { $0 * (1 + 3 * $0) }) < tolerance(channels))
            #expect(y.isIntact && mean.isIntact && reciprocal.isIntact)
        }
    }

    @Test(arguments: KernelCase.all(shapes))
    func backwardAgreesWithTheReference(_ test: KernelCase<[Int]>) {
        let (rows, channels) = (test.size[0], test.size[1])
        for (shift, hasWeight, accumulate) in [(0, true, false), (1, true, true), (3, false, false)] {
            let x = TestFloats(numbers(rows * channels, seed: 1, from: -1, to: 3), misalignedBy: shift)
            let dy = TestFloats(numbers(rows * channels, seed: 2), misalignedBy: shift)
            let weight = TestFloats(numbers(channels, seed: 3), misalignedBy: shift)
            let forward = Reference.layerNorm(
                rows: rows, channels: channels, x: x.values, weight: nil, bias: nil, epsilon: 0.1)
            let mean = TestFloats(forward.mean)
            let reciprocal = TestFloats(forward.reciprocalDeviation)
            let dx = TestFloats(numbers(rows * channels, seed: 4), misalignedBy: shift)
            let dWeight = TestFloats(numbers(channels, seed: 5), misalignedBy: shift)
            let dBias = TestFloats(numbers(channels, seed: 6), misalignedBy: shift)
            var expected = Reference.layerNormBackward(
                rows: rows, channels: channels, dy: dy.values, x: x.values, mean: mean.values,
                reciprocalDeviation: reciprocal.values, weight: hasWeight ? weight.values : nil)
            if accumulate { expected.dx = zip(expected.dx, dx.values).map(+) }
            expected.dWeight = zip(expected.dWeight, dWeight.values).map(+)
            expected.dBias = zip(expected.dBias, dBias.values).map(+)
            LayerNorm.backward(
                rows: rows, channels: channels, dy: dy.pointer, x: x.pointer, mean: mean.pointer,
                reciprocalDeviation: reciprocal.pointer, weight: hasWeight ? UnsafePointer(weight.pointer) : nil,
                dx: dx.pointer, accumulate: accumulate, dWeight: dWeight.pointer, dBias: dBias.pointer,
                workspace: Workspace(), table: test.table)
            // Three terms of size reciprocal, the last with a normalised number of size sqrt(channels) at most.
            let magnitudes = (0..<rows * channels).map { 4 * (1 + forward.reciprocalDeviation[$0 / channels]) }
            #expect(worstError(dx.values, expected.dx, magnitudes: magnitudes) < tolerance(channels), "\(shift)")
            #expect(worstError(dWeight.values, expected.dWeight, magnitude: Double(rows + 1)) < 64)
            #expect(worstError(dBias.values, expected.dBias, magnitude: Double(rows + 1)) < 64)
            #expect(dx.isIntact && dWeight.isIntact && dBias.isIntact)
        }
    }

    @Test(arguments: KernelTable.available)
    func gradientsThatNobodyWantsAreLeftOut(_ table: KernelTable) {
        let (rows, channels) = (5, 33)
        let x = TestFloats(numbers(rows * channels, seed: 1))
        let dy = TestFloats(numbers(rows * channels, seed: 2))
        let mean = TestFloats(numbers(rows, seed: 3))
        let reciprocal = TestFloats(numbers(rows, seed: 4, from: 1, to: 2))
        let whole = TestFloats(dy.values)
        let alone = TestFloats(dy.values)
        let sums = TestFloats(Array(repeating: 0, count: 2 * channels))
        func run(_ dx: TestFloats?, _ dWeight: UnsafeMutablePointer<Float>?, _ dBias: UnsafeMutablePointer<Float>?) {
            LayerNorm.backward(
                rows: rows, channels: channels, dy: dy.pointer, x: x.pointer, mean: mean.pointer,
                reciprocalDeviation: reciprocal.pointer, weight: nil, dx: dx?.pointer, accumulate: false,
                dWeight: dWeight, dBias: dBias, workspace: Workspace(), table: table)
        }
        run(whole, sums.pointer, sums.pointer + channels)
        run(alone, nil, nil)
        #expect(whole.bits == alone.bits)
        let bias = TestFloats(Array(repeating: 0, count: channels))
        run(nil, nil, bias.pointer)
        #expect(bias.values == Array(sums.values[channels...]))
    }

    @Test func gradientOfTheReferenceIsItsSlope() {
        let (rows, channels) = (2, 5)
        let x = numbers(rows * channels, seed: 1)
        let weight = numbers(channels, seed: 2)
        let dy = numbers(rows * channels, seed: 3)
        func loss(_ x: [Double], _ weight: [Double]) -> Double {
            dot(
                Reference.layerNorm(
                    rows: rows, channels: channels, x: x, weight: weight, bias: nil, epsilon: 0.01
                ).y, dy)
        }
        let forward = Reference.layerNorm(
            rows: rows, channels: channels, x: x, weight: weight, bias: nil, epsilon: 0.01)
        let gradient = Reference.layerNormBackward(
            rows: rows, channels: channels, dy: dy, x: x, mean: forward.mean,
            reciprocalDeviation: forward.reciprocalDeviation, weight: weight)
        // Central differences with a step of 1e-5 are off by about its square and by 1e-16 / 1e-5.
        let units = 1e-8 / roundoff
        #expect(
            worstError(gradient.dx, finiteDifferences(at: x) { loss($0, weight) }, magnitude: 10) < units)
        #expect(worstError(gradient.dWeight, finiteDifferences(at: weight) { loss(x, $0) }, magnitude: 10) < units)
    }
}
