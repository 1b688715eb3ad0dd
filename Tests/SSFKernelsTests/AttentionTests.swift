import SSFKernels
import Testing

@Suite struct AttentionTests {
    /// Batch, tokens, heads, head width: around lanes, tiles of 6 rows, blocks of 24 queries, and beyond one block of the
    /// backward pass.
    static let shapes: [[Int]] = [
        [1, 1, 1, 1], [1, 2, 3, 5], [2, 5, 2, 16], [1, 6, 1, 24], [1, 7, 2, 32], [2, 17, 3, 64], [1, 24, 1, 48],
        [1, 25, 2, 80], [1, 31, 1, 17], [1, 33, 1, 64], [1, 65, 2, 64], [2, 0, 2, 8], [0, 5, 2, 8], [1, 197, 1, 64],
        [1, 600, 1, 7],
    ]

    private struct Case {
        let batch, tokens, heads, headWidth: Int
        let scale: Float
        let width, rowStride: Int
        let qkv, dOut: TestFloats

        init(_ shape: [Int], shift: Int) {
            (batch, tokens, heads, headWidth) = (shape[0], shape[1], shape[2], shape[3])
            width = heads * headWidth
            rowStride = 3 * width + 5
            scale = 1 / Float(headWidth).squareRoot()
            qkv = TestFloats(numbers(batch * tokens * rowStride, seed: 1, from: -2, to: 2), misalignedBy: shift)
            dOut = TestFloats(numbers(batch * tokens * width, seed: 2), misalignedBy: shift)
        }

        /// The queries, keys or values as a contiguous array.
        func part(_ index: Int, of values: [Double]) -> [Double] {
            (0..<batch * tokens * width).map { values[$0 / width * rowStride + index * width + $0 % width] }
        }

        func forward(table: KernelTable) -> (out: TestFloats, logSumExp: TestFloats) {
            let out = TestFloats(numbers(batch * tokens * width, seed: 3), misalignedBy: 1)
            let logSumExp = TestFloats(numbers(batch * heads * tokens, seed: 4))
            Attention.forward(
                batch: batch, tokens: tokens, heads: heads, headWidth: headWidth, scale: scale, q: qkv.pointer,
                k: qkv.pointer + width, v: qkv.pointer + 2 * width, rowStride: rowStride, out: out.pointer,
                logSumExp: logSumExp.pointer, workspace: Workspace(), table: table)
            return (out, logSumExp)
        }

        func backward(_ forward: (out: TestFloats, logSumExp: TestFloats), table: KernelTable) -> TestFloats {
            let gradient = TestFloats(numbers(batch * tokens * rowStride, seed: 5), misalignedBy: 3)
            Attention.backward(
                batch: batch, tokens: tokens, heads: heads, headWidth: headWidth, scale: scale, q: qkv.pointer,
                k: qkv.pointer + width, v: qkv.pointer + 2 * width, rowStride: rowStride,
                logSumExp: forward.logSumExp.pointer, dOut: dOut.pointer, dq: gradient.pointer,
                dk: gradient.pointer + width, dv: gradient.pointer + 2 * width, gradientRowStride: rowStride,
                workspace: Workspace(), table: table)
            return gradient
        }
    }

    @Test(arguments: KernelCase.all(shapes))
    func forwardAgreesWithTheReference(_ test: KernelCase<[Int]>) {
        let sizes = Case(test.size, shift: 1)
        let seen = sizes.forward(table: test.table)
        let values = sizes.qkv.values
        let expected = Reference.attention(
            batch: sizes.batch, tokens: sizes.tokens, heads: sizes.heads, headWidth: sizes.headWidth,
            scale: Double(sizes.scale), q: sizes.part(0, of: values), k: sizes.part(1, of: values),
            v: sizes.part(2, of: values))
        // A score is a sum of D products below 4, scaled by 1 / sqrt(D), and its error goes into the exponent: up to
        // 4 sqrt(D) units times half the chain. The result is a mean of values below 2. Rounding errors of random sign
        // stay far below their sum; a tenth of the bound still finds any wrong element.
        let width = Double(sizes.headWidth)
        let tolerance = 16 + 4 * width.squareRoot() * width / 10 + Double(sizes.tokens) / 16
        #expect(worstError(seen.out.values, expected.out, magnitude: 2) < tolerance && seen.out.isIntact)
        #expect(
            worstError(seen.logSumExp.values, expected.logSumExp, magnitude: 4) < tolerance
                && seen.logSumExp.isIntact)
    }

    @Test(arguments: KernelCase.all(shapes))
    func backwardAgreesWithTheReference(_ test: KernelCase<[Int]>) {
        let sizes = Case(test.size, shift: 3)
        let seen = sizes.backward(sizes.forward(table: test.table), table: test.table)
        let values = sizes.qkv.values
        let expected = Reference.attentionBackward(
            batch: sizes.batch, tokens: sizes.tokens, heads: sizes.heads, headWidth: sizes.headWidth,
            scale: Double(sizes.scale), q: sizes.part(0, of: values), k: sizes.part(1, of: values),
            v: sizes.part(2, of: values), dOut: sizes.dOut.values)
        let gradient = seen.values
        let width = Double(sizes.headWidth)
        let tolerance = 32 + 8 * width.squareRoot() * width / 10 + Double(sizes.tokens) / 8
        let parts = zip(0..<3, [expected.dq, expected.dk, expected.dv])
        for (index, expected) in parts {
            // Relative to the greatest gradient: each is a sum over all tokens of terms of that order.
            let magnitude = max(expected.reduce(0) { max($0, abs($1)) }, 0.01)
            #expect(
                worstError(sizes.part(index, of: gradient), expected, magnitude: magnitude) < tolerance, "\(index)")
        }
        let untouched = TestFloats(numbers(gradient.count, seed: 5)).values
        #expect(gradient.indices.allSatisfy { $0 % sizes.rowStride < 3 * sizes.width || gradient[$0] == untouched[$0] })
        #expect(seen.isIntact)
    }

    @Test func gradientOfTheReferenceIsItsSlope() {
        let (batch, tokens, heads, headWidth) = (1, 3, 2, 2)
        let count = batch * tokens * heads * headWidth
        let (q, k, v) = (numbers(count, seed: 1), numbers(count, seed: 2), numbers(count, seed: 3))
        let dOut = numbers(count, seed: 4)
        func loss(_ q: [Double], _ k: [Double], _ v: [Double]) -> Double {
            dot(
                Reference.attention(
                    batch: batch, tokens: tokens, heads: heads, headWidth: headWidth, scale: 0.7, q: q, k: k, v: v
                ).out, dOut)
        }
        let gradient = Reference.attentionBackward(
            batch: batch, tokens: tokens, heads: heads, headWidth: headWidth, scale: 0.7, q: q, k: k, v: v, dOut: dOut)
        let units = 1e-9 / roundoff
        #expect(worstError(gradient.dq, finiteDifferences(at: q) { loss($0, k, v) }, magnitude: 1) < units)
        #expect(worstError(gradient.dk, finiteDifferences(at: k) { loss(q, $0, v) }, magnitude: 1) < units)
        #expect(worstError(gradient.dv, finiteDifferences(at: v) { loss(q, k, $0) }, magnitude: 1) < units)
    }

    @Test(arguments: KernelTable.available)
    func scoresOfHundredsDoNotOverflow(_ table: KernelTable) {
        let sizes = Case([1, 5, 1, 8], shift: 0)
        for i in 0..<sizes.qkv.count { sizes.qkv.pointer[i] *= 60 }
        let forward = sizes.forward(table: table)
        let gradient = sizes.backward(forward, table: table)
        #expect(forward.out.values.allSatisfy { $0.isFinite })
        #expect(gradient.values.allSatisfy { $0.isFinite })
    }

    /// Scales and shifts that are applied while a head is read, against a pass of their own: the same operations, so the
    /// same bits, in whatever q, k and v are stored and multiplied.
    @Test(
        arguments: KernelCase.all([[1, 1, 1, 1], [2, 5, 2, 16], [1, 33, 2, 24], [2, 65, 3, 64], [1, 197, 1, 5]]))
    func scalesAndShiftsOnTheWay(_ test: KernelCase<[Int]>) {
        expectSameBits(test, stored: Float.self, precision: .float32)
        expectSameBits(test, stored: BFloat16.self, precision: .float32)
        expectSameBits(test, stored: Float.self, precision: .bfloat16)
        expectSameBits(test, stored: BFloat16.self, precision: .bfloat16)
    }

    private func expectSameBits<Element: TestElement>(
        _ test: KernelCase<[Int]>, stored type: Element.Type, precision: Precision
    ) {
        let (batch, tokens, heads, headWidth) = (test.size[0], test.size[1], test.size[2], test.size[3])
        let width = heads * headWidth
        let rows = batch * tokens
        let stored = TestNumbers<Element>(numbers(rows * 3 * width, seed: 1), misalignedBy: 1)
        let widened = TestFloats(stored.values)
        let scale = TestFloats(numbers(3 * width, seed: 2, from: 0.5, to: 1.5))
        let shift = TestFloats(numbers(3 * width, seed: 3), misalignedBy: 2)
        let dOut = TestFloats(numbers(rows * width, seed: 4))
        let applied = TestFloats(numbers(rows * 3 * width, seed: 5))
        ScaleShift.forward(
            rows: rows, channels: 3 * width, x: widened.pointer, scale: scale.pointer, shift: shift.pointer,
            y: applied.pointer, table: test.table)
        func run<Input: TestElement>(_ qkv: TestNumbers<Input>, _ affine: Attention.Affine?) -> [[UInt32]] {
            let out = TestFloats(numbers(rows * width, seed: 6))
            let logSumExp = TestFloats(numbers(batch * heads * tokens, seed: 7))
            let gradient = TestFloats(numbers(rows * 3 * width, seed: 8))
            let workspace = Workspace()
            Attention.forward(
                batch: batch, tokens: tokens, heads: heads, headWidth: headWidth, scale: 0.3, q: qkv.pointer,
                k: qkv.pointer + width, v: qkv.pointer + 2 * width, rowStride: 3 * width, affine: affine,
                out: out.pointer, logSumExp: logSumExp.pointer, precision: precision, workspace: workspace,
                table: test.table)
            Attention.backward(
                batch: batch, tokens: tokens, heads: heads, headWidth: headWidth, scale: 0.3, q: qkv.pointer,
                k: qkv.pointer + width, v: qkv.pointer + 2 * width, rowStride: 3 * width, affine: affine,
                logSumExp: logSumExp.pointer, dOut: dOut.pointer, dq: gradient.pointer,
                dk: gradient.pointer + width, dv: gradient.pointer + 2 * width, gradientRowStride: 3 * width,
                precision: precision, workspace: workspace, table: test.table)
            #expect(out.isIntact && logSumExp.isIntact && gradient.isIntact)
            return [out.bits, logSumExp.bits, gradient.bits]
        }
        let expected = run(applied, nil)
        let seen = run(stored, Attention.Affine(scale: scale.pointer, shift: shift.pointer))
        for (seen, expected) in zip(seen, expected) {
            #expect(seen.elementsEqual(expected), "\(type) multiplied in \(precision.rawValue)")
        }
        #expect(seen[2].contains { $0 != 0 } || tokens == 1)
    }
}
