import SSFKernels
import Testing

@Suite struct ScaleShiftTests {
    static let shapes: [[Int]] = [
        [0, 8], [1, 1], [3, 7], [2, 8], [5, 15], [3, 16], [2, 17], [4, 31], [300, 33], [9, 192], [70, 768], [5, 65],
    ]

    @Test(arguments: KernelCase.all(shapes))
    func forwardAgreesWithTheReference(_ test: KernelCase<[Int]>) {
        let (rows, channels) = (test.size[0], test.size[1])
        for (shift, hasScale, hasShift) in [(0, true, true), (1, true, false), (3, false, true), (2, false, false)] {
            let x = TestFloats(numbers(rows * channels, seed: 1), misalignedBy: shift)
            let scale = TestFloats(numbers(channels, seed: 2), misalignedBy: shift)
            let offset = TestFloats(numbers(channels, seed: 3), misalignedBy: shift)
            let y = TestFloats(numbers(rows * channels, seed: 4), misalignedBy: shift)
            ScaleShift.forward(
                rows: rows, channels: channels, x: x.pointer, scale: hasScale ? UnsafePointer(scale.pointer) : nil,
                shift: hasShift ? UnsafePointer(offset.pointer) : nil, y: y.pointer, table: test.table)
            let expected = Reference.scaleShift(
                rows: rows, channels: channels, x: x.values, scale: hasScale ? scale.values : nil,
                shift: hasShift ? offset.values : nil)
            // A product below 1 and a sum below 2: half a unit of the one and of the other.
            #expect(worstError(y.values, expected, magnitude: 1) <= 3 && y.isIntact, "\(shift)")
        }
    }

    @Test(arguments: KernelCase.all(shapes))
    func backwardAgreesWithTheReference(_ test: KernelCase<[Int]>) {
        let (rows, channels) = (test.size[0], test.size[1])
        for (shift, accumulate, inPlace) in [(0, false, false), (1, true, false), (3, false, true)] {
            let x = TestFloats(numbers(rows * channels, seed: 1), misalignedBy: shift)
            let dy = TestFloats(numbers(rows * channels, seed: 2), misalignedBy: shift)
            let scale = TestFloats(numbers(channels, seed: 3), misalignedBy: shift)
            let dx = inPlace ? dy : TestFloats(numbers(rows * channels, seed: 4), misalignedBy: shift)
            let dScale = TestFloats(numbers(channels, seed: 5), misalignedBy: shift)
            let dShift = TestFloats(numbers(channels, seed: 6), misalignedBy: shift)
            var expected = Reference.scaleShiftBackward(
                rows: rows, channels: channels, dy: dy.values, x: x.values, scale: scale.values)
            if accumulate { expected.dx = zip(expected.dx, dx.values).map(+) }
            expected.dScale = zip(expected.dScale, dScale.values).map(+)
            expected.dShift = zip(expected.dShift, dShift.values).map(+)
            ScaleShift.backward(
                rows: rows, channels: channels, dy: dy.pointer, x: x.pointer, scale: scale.pointer, dx: dx.pointer,
                accumulate: accumulate, dScale: dScale.pointer, dShift: dShift.pointer, workspace: Workspace(),
                table: test.table)
            #expect(worstError(dx.values, expected.dx, magnitude: 1) <= 3 && dx.isIntact, "\(shift)")
            // At most 64 rows in a row, then the partial sums: each addition rounds a number below the row count.
            let magnitude = Double(rows + 1)
            #expect(worstError(dScale.values, expected.dScale, magnitude: magnitude) < 64 && dScale.isIntact)
            #expect(worstError(dShift.values, expected.dShift, magnitude: magnitude) < 64 && dShift.isIntact)
        }
    }

    @Test(arguments: KernelCase.all(shapes))
    func columnSumsAreAdded(_ test: KernelCase<[Int]>) {
        let (rows, channels) = (test.size[0], test.size[1])
        let stride = channels + 3
        let x = TestFloats(numbers(rows * stride, seed: 1), misalignedBy: 1)
        let sums = TestFloats(numbers(channels, seed: 2), misalignedBy: 3)
        let values = x.values
        let inner = (0..<rows * channels).map { values[$0 / channels * stride + $0 % channels] }
        let expected = zip(Reference.columnSum(rows: rows, channels: channels, x: inner), sums.values).map(+)
        ColumnSum.add(
            rows: rows, channels: channels, x: x.pointer, rowStride: stride, into: sums.pointer,
            workspace: Workspace(), table: test.table)
        #expect(worstError(sums.values, expected, magnitude: Double(rows + 1)) < 64 && sums.isIntact)
    }

    @Test func gradientOfTheReferenceIsItsSlope() {
        let (rows, channels) = (3, 4)
        let x = numbers(rows * channels, seed: 1)
        let scale = numbers(channels, seed: 2)
        let shift = numbers(channels, seed: 3)
        let dy = numbers(rows * channels, seed: 4)
        func loss(_ x: [Double], _ scale: [Double], _ shift: [Double]) -> Double {
            dot(Reference.scaleShift(rows: rows, channels: channels, x: x, scale: scale, shift: shift), dy)
        }
        let gradient = Reference.scaleShiftBackward(rows: rows, channels: channels, dy: dy, x: x, scale: scale)
        let units = 1e-9 / roundoff
        #expect(worstError(gradient.dx, finiteDifferences(at: x) { loss($0, scale, shift) }, magnitude: 1) < units)
        #expect(worstError(gradient.dScale, finiteDifferences(at: scale) { loss(x, $0, shift) }, magnitude: 1) < units)
        #expect(worstError(gradient.dShift, finiteDifferences(at: shift) { loss(x, scale, $0) }, magnitude: 1) < units)
    }
}
