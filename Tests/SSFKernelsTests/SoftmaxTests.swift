import Foundation
import SSFKernels
import Testing

@Suite struct SoftmaxTests {
    static let shapes: [[Int]] = edgeCounts.filter { $0 > 0 }.map { [3, $0] } + [[0, 5], [400, 197]]

    @Test(arguments: KernelCase.all(shapes))
    func forwardAgreesWithTheReference(_ test: KernelCase<[Int]>) {
        let (rows, columns) = (test.size[0], test.size[1])
        for shift in [0, 1, 3] {
            let x = TestFloats(numbers(rows * columns, seed: 1, from: -5, to: 5), misalignedBy: shift)
            let y = TestFloats(numbers(rows * columns, seed: 2), misalignedBy: shift)
            Softmax.forward(rows: rows, columns: columns, x: x.pointer, y: y.pointer, table: test.table)
            let expected = Reference.softmax(rows: rows, columns: columns, x: x.values)
            let worst = zip(y.values, expected).map { ulps(Float($0), $1) }.max() ?? 0
            #expect(worst <= (test.table.isFused ? 2 : 3) && y.isIntact, "\(shift) \(worst)")
        }
    }

    /// Logits of every size and spread: far from zero the difference from the greatest is rounded, and over long rows so is
    /// the sum; neither shows.
    @Test(arguments: KernelTable.available)
    func forwardStaysWithinItsBoundForEverySpread(_ table: KernelTable) {
        for (seed, (center, spread)) in [(0, 1), (0, 30), (0, 200), (100, 20), (-1000, 3), (3e5, 10), (0, 1e-3)]
            .enumerated()
        {
            for columns in [17, 197, 3001] {
                let x = TestFloats(
                    numbers(40 * columns, seed: UInt64(seed), from: center - spread, to: center + spread))
                let y = TestFloats(x.values)
                Softmax.forward(rows: 40, columns: columns, x: x.pointer, y: y.pointer, table: table)
                let expected = Reference.softmax(rows: 40, columns: columns, x: x.values)
                let worst = zip(y.values, expected).map { ulps(Float($0), $1) }.max() ?? 0
                #expect(worst <= (table.isFused ? 2 : 3), "\(center) \(spread) \(columns): \(worst)")
            }
        }
    }

    @Test(arguments: KernelCase.all(shapes))
    func backwardAgreesWithTheReference(_ test: KernelCase<[Int]>) {
        let (rows, columns) = (test.size[0], test.size[1])
        for (shift, inPlace) in [(0, false), (1, true)] {
            let y = TestFloats(
                Reference.softmax(rows: rows, columns: columns, x: numbers(rows * columns, seed: 1)),
                misalignedBy: shift)
            let dy = TestFloats(numbers(rows * columns, seed: 2), misalignedBy: shift)
            let dx = inPlace ? dy : TestFloats(numbers(rows * columns, seed: 3), misalignedBy: shift)
            let expected = Reference.softmaxBackward(rows: rows, columns: columns, dy: dy.values, y: y.values)
            Softmax.backward(
                rows: rows, columns: columns, dy: dy.pointer, y: y.pointer, dx: dx.pointer, table: test.table)
            #expect(
                worstError(dx.values, expected, magnitudes: y.values.map { 2 * $0 }) < Double(columns) / 8 + 6
                    && dx.isIntact, "\(shift)")
        }
    }

    @Test(arguments: KernelTable.available)
    func hugeLogitsDoNotOverflowAndMaskedOnesVanish(_ table: KernelTable) {
        let x: [Float] = [3e38, -.infinity, 3e38, -3e38, 0, 1000]
        var y = [Float](repeating: -1, count: 6)
        y.withUnsafeMutableBufferPointer { y in
            x.withUnsafeBufferPointer { x in
                Softmax.forward(rows: 1, columns: 6, x: x.baseAddress!, y: y.baseAddress!, table: table)
            }
        }
        #expect(y == [0.5, 0, 0.5, 0, 0, 0])
    }

    @Test(arguments: KernelTable.available)
    func oneNaNMakesTheRowNaNAndNoOther(_ table: KernelTable) {
        var x = [Float](repeating: 1, count: 2 * 37)
        x[36] = .nan
        var y = x
        y.withUnsafeMutableBufferPointer { y in
            x.withUnsafeBufferPointer { x in
                Softmax.forward(rows: 2, columns: 37, x: x.baseAddress!, y: y.baseAddress!, table: table)
            }
        }
        #expect(y[..<37].allSatisfy { $0.isNaN })
        #expect(y[37...].allSatisfy { abs($0 - 1.0 / 37) < 1e-8 })
    }

    @Test func gradientOfTheReferenceIsItsSlope() {
        let x = numbers(10, seed: 1)
        let dy = numbers(10, seed: 2)
        let y = Reference.softmax(rows: 2, columns: 5, x: x)
        let gradient = Reference.softmaxBackward(rows: 2, columns: 5, dy: dy, y: y)
        let slope = finiteDifferences(at: x) { dot(Reference.softmax(rows: 2, columns: 5, x: $0), dy) }
        #expect(worstError(gradient, slope, magnitude: 1) < 1e-9 / roundoff)
    }
}
