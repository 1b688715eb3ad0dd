import SSFKernels
import Testing

/// What a product in bfloat16 does beside multiplying, and matrices beside it that are stored in bfloat16.
///
/// Prologue and epilogue calculate in single precision whatever is multiplied, so that the bits are known from products
/// without them: those of A made beforehand, or of C treated afterwards; and a matrix stored in bfloat16 gives the bits
/// of the floats that it is rounded from.
@Suite struct GEMMBFloat16FusionTests {
    /// Around tiles and pairs: 6 and 8 rows; odd sums, blocks of 16 and 32 steps, several blocks of k.
    static let shapes: [[Int]] = [
        [1, 5, 1], [3, 48, 16], [7, 50, 17], [8, 16, 33], [9, 97, 101], [29, 33, 47], [70, 192, 64], [13, 20, 6201],
    ]

    private struct Operands {
        let (m, n, k): (Int, Int, Int)
        let table: KernelTable
        let a, perStep, perStepToo, perRow, perColumn, perColumnToo: TestFloats
        let packed: PackedMatrix

        init(_ test: KernelCase<[Int]>) {
            (m, n, k) = (test.size[0], test.size[1], test.size[2])
            table = test.table
            a = TestFloats(numbers(m * k, seed: 1, from: -2, to: 3), misalignedBy: 1)
            (perStep, perStepToo) = (TestFloats(numbers(k, seed: 2)), TestFloats(numbers(k, seed: 3)))
            perRow = TestFloats(numbers(m, seed: 4))
            (perColumn, perColumnToo) = (TestFloats(numbers(n, seed: 5)), TestFloats(numbers(n, seed: 6)))
            let b = TestFloats(numbers(k * n, seed: 7))
            packed = GEMM.pack(
                k: k, n: n, b: b.pointer, rowStride: n, columnStride: 1, precision: .bfloat16, table: table)
        }

        func product<A: TestElement>(
            _ a: TestNumbers<A>, _ prologue: GEMMPrologue = .identity, _ epilogue: GEMMEpilogue = GEMMEpilogue()
        ) -> TestFloats {
            let c = TestFloats([Double](repeating: 9, count: m * n))
            GEMM.multiply(
                m: m, n: n, k: k, a: a.pointer, aRowStride: k, aColumnStride: 1, packed: packed, c: c.pointer,
                cRowStride: n, prologue: prologue, epilogue: epilogue, workspace: Workspace(), table: table)
            #expect(c.isIntact)
            return c
        }
    }

    @Test(arguments: KernelCase.all(shapes))
    func layerNormIsThatOfTheKernel(_ test: KernelCase<[Int]>) {
        let o = Operands(test)
        let normal = TestFloats(o.a.values)
        let statistics = TestFloats(numbers(2 * o.m, seed: 8))
        let seen = TestFloats(numbers(2 * o.m, seed: 8))
        LayerNorm.forward(
            rows: o.m, channels: o.k, x: o.a.pointer, weight: o.perStep.pointer, bias: o.perStepToo.pointer,
            epsilon: 1e-3, y: normal.pointer, mean: statistics.pointer,
            reciprocalDeviation: statistics.pointer + o.m, table: o.table)
        let fused = o.product(
            o.a,
            .layerNorm(
                .init(
                    weight: o.perStep.pointer, bias: o.perStepToo.pointer, epsilon: 1e-3, mean: seen.pointer,
                    reciprocalDeviation: seen.pointer + o.m)))
        #expect(fused.bits == o.product(normal).bits)
        #expect(seen.bits == statistics.bits && seen.isIntact)
    }

    @Test(arguments: KernelCase.all(shapes))
    func geluIsThatOfTheKernel(_ test: KernelCase<[Int]>) {
        let o = Operands(test)
        func active(_ x: TestFloats) -> TestFloats {
            let y = TestFloats(x.values)
            ScaleShift.forward(
                rows: o.m, channels: o.k, x: x.pointer, scale: o.perStep.pointer, shift: o.perStepToo.pointer,
                y: y.pointer, table: o.table)
            GELU.forward(count: o.m * o.k, x: y.pointer, y: y.pointer, table: o.table)
            return y
        }
        let prologue = GEMMPrologue.gelu(scale: o.perStep.pointer, shift: o.perStepToo.pointer)
        #expect(o.product(o.a, prologue).bits == o.product(active(o.a)).bits)
        let halves = TestHalves(o.a.values, misalignedBy: 1)
        #expect(o.product(halves, prologue).bits == o.product(active(TestFloats(halves.values))).bits)
    }

    @Test(arguments: KernelCase.all(shapes))
    func theGradientAndItsSumsAreThoseOfFloats(_ test: KernelCase<[Int]>) {
        let o = Operands(test)
        let h = TestHalves(numbers(o.m * o.k, seed: 9), misalignedBy: 1)
        let subtrahend = TestHalves(numbers(o.m * o.k, seed: 10), misalignedBy: 1)
        let halves = TestHalves(o.a.values)
        let (wideH, wideSubtrahend) = (TestFloats(h.values), TestFloats(subtrahend.values))
        let wide = TestFloats(halves.values)

        /// C and both sums.
        func outcome<A: TestElement>(
            _ a: TestNumbers<A>, _ h: MatrixPointer, _ subtrahend: MatrixPointer?
        ) -> [[UInt32]] {
            let sums = TestFloats(numbers(2 * o.k, seed: 11))
            let c = o.product(
                a,
                .gradient(
                    .init(
                        rowScale: o.perRow.pointer, scale: o.perStep.pointer, h: h, subtrahend: subtrahend,
                        hRowStride: o.k, dScale: sums.pointer, dShift: sums.pointer + o.k)))
            #expect(sums.isIntact)
            return [c.bits, sums.bits]
        }
        let expected = outcome(wide, wideH.matrix, nil)
        #expect(outcome(halves, h.matrix, nil) == expected)
        #expect(outcome(wide, h.matrix, nil) == expected)
        #expect(
            outcome(halves, wideH.matrix, subtrahend.matrix) == outcome(wide, h.matrix, wideSubtrahend.matrix))

        // The product is that of the gradient made beforehand.
        let made = TestFloats(
            (0..<o.m * o.k).map {
                let g = wide.pointer[$0] * o.perRow.pointer[$0 / o.k]
                return Double(g * o.perStep.pointer[$0 % o.k])
            })
        #expect(expected[0] == o.product(made).bits)
    }

    @Test(arguments: KernelCase.all(shapes))
    func activationsBehindAreThoseOfTheKernels(_ test: KernelCase<[Int]>) {
        let o = Operands(test)
        let plain = o.product(o.a)
        let active = TestFloats(plain.values)
        GELU.forward(count: o.m * o.n, x: plain.pointer, y: active.pointer, table: o.table)
        #expect(o.product(o.a, .identity, GEMMEpilogue(activation: .gelu)).bits == active.bits)

        let h = TestHalves(numbers(o.m * o.n, seed: 12, from: -4, to: 4), misalignedBy: 1)
        let z = TestFloats(h.values)
        ScaleShift.forward(
            rows: o.m, channels: o.n, x: z.pointer, scale: o.perColumn.pointer, shift: o.perColumnToo.pointer,
            y: z.pointer, table: o.table)
        GELU.backward(count: o.m * o.n, dy: plain.pointer, x: z.pointer, dx: plain.pointer, table: o.table)
        let gradient = o.product(
            o.a, .identity,
            GEMMEpilogue(
                activation: .geluGradient(
                    .init(
                        h: h.matrix, rowStride: o.n, scale: o.perColumn.pointer, shift: o.perColumnToo.pointer))))
        #expect(gradient.bits == plain.bits)
    }

    @Test(arguments: KernelCase.all(shapes))
    func theGradientOfANormReadsEitherType(_ test: KernelCase<[Int]>) {
        let o = Operands(test)
        let x = TestHalves(numbers(o.m * o.n, seed: 13), misalignedBy: 1)
        let wide = TestFloats(x.values)
        let statistics = TestFloats(numbers(2 * o.m, seed: 14, from: 0.5, to: 1))
        /// C and both sums.
        func outcome(_ x: MatrixPointer) -> [[UInt32]] {
            let sums = TestFloats(numbers(2 * o.n, seed: 15))
            let c = o.product(
                o.a, .identity,
                GEMMEpilogue(
                    normGradient: .init(
                        x: x, xRowStride: o.n, mean: statistics.pointer,
                        reciprocalDeviation: statistics.pointer + o.m, weight: o.perColumn.pointer,
                        dWeight: sums.pointer, dBias: sums.pointer + o.n)))
            #expect(sums.isIntact)
            return [c.bits, sums.bits]
        }
        #expect(outcome(x.matrix) == outcome(wide.matrix))
    }
}
