import SSFKernels
import Testing

@Suite struct ElementwiseTests {
    @Test(arguments: KernelCase.all(edgeCounts + [100_000]))
    func sumsAndProductsAgreeWithDoubles(_ test: KernelCase<Int>) {
        let count = test.size
        for shift in [0, 1, 3] {
            let (a, b, c) = (numbers(count, seed: 1), numbers(count, seed: 2), numbers(count, seed: 3))
            let x = TestFloats(a, misalignedBy: shift)
            let y = TestFloats(b, misalignedBy: shift)
            let z = TestFloats(c, misalignedBy: shift)
            let out = TestFloats(numbers(count, seed: 4), misalignedBy: shift)
            Elementwise.add(count: count, a: x.pointer, b: y.pointer, out: out.pointer, table: test.table)
            #expect(out.values == zip(a, b).map { Double(Float($0 + $1)) } && out.isIntact)

            Elementwise.multiplyAdd(
                count: count, a: x.pointer, b: y.pointer, c: z.pointer, out: out.pointer, table: test.table)
            let expected = (0..<count).map { a[$0] * b[$0] + c[$0] }
            #expect(worstError(out.values, expected, magnitude: 1) <= (test.table.isFused ? 1 : 2) && out.isIntact)

            Elementwise.multiplyAdd(
                count: count, a: x.pointer, b: y.pointer, c: nil, out: out.pointer, table: test.table)
            #expect(out.values == zip(a, b).map { Double(Float($0 * $1)) } && out.isIntact)

            Elementwise.addInPlace(count: count, x: x.pointer, into: y.pointer, table: test.table)
            #expect(y.values == zip(a, b).map { Double(Float($0 + $1)) } && y.isIntact)

            Elementwise.fill(count: count, value: 2.5, y: out.pointer, table: test.table)
            #expect(out.values.allSatisfy { $0 == 2.5 } && out.isIntact)
        }
    }

    @Test(arguments: KernelCase.all([[0, 3], [1, 1], [3, 7], [5, 16], [4, 17], [2000, 33]]))
    func rowsAreScaledAndCopied(_ test: KernelCase<[Int]>) {
        let (rows, channels) = (test.size[0], test.size[1])
        for (shift, accumulate) in [(0, false), (1, true)] {
            let a = numbers(rows * channels, seed: 1)
            let start = numbers(rows * channels, seed: 2)
            let x = TestFloats(a, misalignedBy: shift)
            let scale = TestFloats(numbers(rows, seed: 3))
            let y = TestFloats(start, misalignedBy: shift)
            Elementwise.scaleRows(
                rows: rows, channels: channels, x: x.pointer, rowScale: scale.pointer, y: y.pointer,
                accumulate: accumulate, table: test.table)
            let scales = scale.values
            let expected = (0..<rows * channels).map { (accumulate ? start[$0] : 0) + scales[$0 / channels] * a[$0] }
            #expect(worstError(y.values, expected, magnitude: 1) <= 2 && y.isIntact)

            // Into rows that are three elements longer; those stay as they are.
            let wide = TestFloats(numbers(rows * (channels + 3), seed: 4), misalignedBy: shift)
            let before = wide.values
            Elementwise.copyRows(
                rows: rows, channels: channels, x: x.pointer, xRowStride: channels, y: wide.pointer,
                yRowStride: channels + 3, accumulate: accumulate, table: test.table)
            let copied = (0..<before.count).map { i in
                let (row, channel) = (i / (channels + 3), i % (channels + 3))
                guard channel < channels else { return before[i] }
                return Double(Float((accumulate ? before[i] : 0) + a[row * channels + channel]))
            }
            #expect(wide.values == copied && wide.isIntact)
        }
    }

    @Test(arguments: KernelCase.all(edgeCounts))
    func sumOfSquaresIsADoubleSum(_ test: KernelCase<Int>) {
        let values = numbers(test.size, seed: 1, from: -100, to: 100)
        let x = TestFloats(values, misalignedBy: 1)
        let sum = Elementwise.sumOfSquares(count: test.size, x: x.pointer, table: test.table)
        let expected = values.reduce(0) { $0 + $1 * $1 }
        #expect(abs(sum - expected) <= 1e-13 * expected)
    }

    @Test(arguments: KernelTable.available)
    func oneNumberThatIsNotFiniteIsFoundWhereverItIs(_ table: KernelTable) {
        for bad in [Float.nan, .infinity, -.infinity] {
            for position in 0..<37 {
                let x = TestFloats(numbers(37, seed: 1, from: -1e38, to: 1e38), misalignedBy: 1)
                #expect(Elementwise.isFinite(count: 37, x: x.pointer, table: table))
                x.pointer[position] = bad
                #expect(!Elementwise.isFinite(count: 37, x: x.pointer, table: table))
            }
        }
        #expect(Elementwise.isFinite(count: 0, x: [1], table: table))
    }
}
