import SSFKernels
import SSFParallel
import Testing

/// Activations and the gradient of a normalisation behind a product. (What stays in registers, from bias to residual, is
/// in `GEMMTests`.)
@Suite struct GEMMEpilogueTests {
    static let shapes: [[Int]] = [
        [1, 5, 7], [3, 48, 16], [7, 50, 17], [8, 16, 33], [9, 97, 100], [29, 33, 15], [70, 192, 40], [13, 20, 3100],
    ]

    private struct Operands {
        let (m, n, k): (Int, Int, Int)
        let a, b, bias, scale, shift, rowScale, residual, geluScale, geluShift, h: TestFloats
        let packed: PackedMatrix

        init(_ shape: [Int], _ table: KernelTable, misalignment: Int) {
            (m, n, k) = (shape[0], shape[1], shape[2])
            func floats(_ count: Int, _ seed: UInt64) -> TestFloats {
                TestFloats(numbers(count, seed: seed), misalignedBy: misalignment)
            }
            // Sums of size about 1, where GELU bends.
            let bound = (3 / Double(k)).squareRoot()
            a = floats(m * k, 1)
            b = TestFloats(numbers(k * n, seed: 2, from: -bound, to: bound), misalignedBy: misalignment)
            (bias, scale, shift) = (floats(n, 3), floats(n, 4), floats(n, 5))
            (rowScale, residual) = (floats(m, 6), floats(m * n, 7))
            (geluScale, geluShift) = (floats(n, 8), floats(n, 9))
            h = TestFloats(numbers(m * n, seed: 10, from: -4, to: 4), misalignedBy: misalignment)
            packed = GEMM.pack(k: k, n: n, b: b.pointer, rowStride: n, columnStride: 1, table: table)
        }

        func product(_ epilogue: GEMMEpilogue, before: [Double]? = nil, _ table: KernelTable) -> TestFloats {
            let c = TestFloats(before ?? [Double](repeating: 9, count: m * n))
            GEMM.multiply(
                m: m, n: n, k: k, a: a.pointer, aRowStride: k, aColumnStride: 1, packed: packed, c: c.pointer,
                cRowStride: n, accumulate: before != nil, epilogue: epilogue, workspace: Workspace(), table: table)
            #expect(c.isIntact)
            return c
        }

        var affine: GEMMEpilogue {
            GEMMEpilogue(
                bias: UnsafePointer(bias.pointer), scale: UnsafePointer(scale.pointer),
                shift: UnsafePointer(shift.pointer))
        }

        var reference: Reference.GEMMOperands {
            var operands = Reference.GEMMOperands()
            (operands.bias, operands.scale, operands.shift) = (bias.values, scale.values, shift.values)
            return operands
        }

        /// The error of scale (A B + bias) + shift, in roundoffs.
        func affineErrors(_ table: KernelTable) -> [Double] {
            var operands = reference
            operands.bias = operands.bias.map(abs)
            operands.scale = operands.scale.map(abs)
            operands.shift = operands.shift.map(abs)
            let steps = Double((table.isFused ? 1 : 2) * k + 3)
            return Reference.multiply(m: m, n: n, k: k, a: a.values.map(abs), b: b.values.map(abs), operands: operands)
                .c.map { $0 * steps }
        }
    }

    @Test(arguments: KernelCase.all(shapes))
    func geluIsThatOfTheKernel(_ test: KernelCase<[Int]>) {
        for shift in [0, 1, 3] {
            let o = Operands(test.size, test.table, misalignment: shift)
            let kept = TestFloats([Double](repeating: 0, count: o.m * o.n))
            var epilogue = o.affine
            epilogue.kept = .init(kept.pointer)
            epilogue.keptRowStride = o.n
            let plain = o.product(epilogue, test.table)
            let h = kept.bits
            epilogue.activation = .gelu
            let active = o.product(epilogue, test.table)
            GELU.forward(count: o.m * o.n, x: plain.pointer, y: plain.pointer, table: test.table)
            #expect(active.bits == plain.bits && kept.bits == h && kept.isIntact)

            // With what comes behind: a slope of at most 1.13, 6 ulp, and a rounding for each of three operations.
            let before = numbers(o.m * o.n, seed: 11)
            epilogue.rowScale = UnsafePointer(o.rowScale.pointer)
            epilogue.residual = .init(o.residual.pointer)
            epilogue.residualRowStride = o.n
            var operands = o.reference
            operands.activation = Reference.gelu
            (operands.rowScale, operands.residual) = (o.rowScale.values, o.residual.values)
            operands.previous = before
            let expected = Reference.multiply(
                m: o.m, n: o.n, k: o.k, a: o.a.values, b: o.b.values, operands: operands)
            let plainExpected = Reference.multiply(
                m: o.m, n: o.n, k: o.k, a: o.a.values, b: o.b.values, operands: o.reference
            ).c
            let errors = o.affineErrors(test.table)
            let tolerances = errors.indices.map { 1.13 * errors[$0] + 15 * abs(Reference.gelu(plainExpected[$0])) + 4 }
            let seen = o.product(epilogue, before: before, test.table)
            #expect(worstError(seen.values, expected.c, magnitudes: tolerances) < 1)
        }
    }

    @Test(arguments: KernelCase.all(shapes))
    func theGradientOfGELUIsThatOfTheKernel(_ test: KernelCase<[Int]>) {
        for (shift, hasScale, hasShift) in [(0, true, true), (1, false, false), (3, true, false)] {
            let o = Operands(test.size, test.table, misalignment: shift)
            let z = TestFloats(o.h.values)
            let (scale, shift) = (
                hasScale ? UnsafePointer(o.geluScale.pointer) : nil, hasShift ? UnsafePointer(o.geluShift.pointer) : nil
            )
            ScaleShift.forward(
                rows: o.m, channels: o.n, x: o.h.pointer, scale: scale, shift: shift, y: z.pointer, table: test.table)
            let plain = o.product(GEMMEpilogue(), test.table)
            GELU.backward(count: o.m * o.n, dy: plain.pointer, x: z.pointer, dx: plain.pointer, table: test.table)
            let fused = o.product(
                GEMMEpilogue(
                    activation: .geluGradient(
                        .init(h: .init(o.h.pointer), rowStride: o.n, scale: scale, shift: shift))), test.table)
            #expect(fused.bits == plain.bits)

            var operands = Reference.GEMMOperands()
            let (values, scales, shifts) = (o.h.values, o.geluScale.values, o.geluShift.values)
            operands.geluInput = values.indices.map {
                values[$0] * (hasScale ? scales[$0 % o.n] : 1) + (hasShift ? shifts[$0 % o.n] : 0)
            }
            let expected = Reference.multiply(
                m: o.m, n: o.n, k: o.k, a: o.a.values, b: o.b.values, operands: operands)
            let sums = Reference.multiply(
                m: o.m, n: o.n, k: o.k, a: o.a.values.map(abs), b: o.b.values.map(abs)
            ).c
            // The sum with a slope of at most 1.13; the slope with 11 roundoffs (6e-7) and two roundings of an argument of
            // size 5 at most, by a second derivative of at most 0.8; a rounding of their product.
            let steps = Double((test.table.isFused ? 1 : 2) * o.k)
            let tolerances = sums.map { (steps * 1.13 + 11 + 2 * 5 * 0.8 + 2) * $0 + 0.01 }
            #expect(worstError(fused.values, expected.c, magnitudes: tolerances) < 1)
        }
    }

    @Test(arguments: KernelCase.all(shapes))
    func theGradientOfANormIsThatOfTheKernel(_ test: KernelCase<[Int]>) {
        for (shift, hasWeight, hasSums, accumulate) in [
            (0, true, true, false), (1, true, true, true), (3, false, true, false), (2, true, false, true),
        ] {
            let o = Operands(test.size, test.table, misalignment: shift)
            let statistics = Reference.layerNorm(
                rows: o.m, channels: o.n, x: o.h.values, weight: nil, bias: nil, epsilon: 0.1)
            let mean = TestFloats(statistics.mean)
            let reciprocal = TestFloats(statistics.reciprocalDeviation)
            let weight = hasWeight ? UnsafePointer(o.geluScale.pointer) : nil
            let before = numbers(o.m * o.n, seed: 11)
            let g = o.product(o.affine, test.table)
            let dx = TestFloats(before)
            LayerNorm.backward(
                rows: o.m, channels: o.n, dy: g.pointer, x: o.h.pointer, mean: mean.pointer,
                reciprocalDeviation: reciprocal.pointer, weight: weight, dx: dx.pointer, accumulate: accumulate,
                dWeight: nil, dBias: nil, workspace: Workspace(), table: test.table)

            let sums = TestFloats(numbers(2 * o.n, seed: 12))
            let sumsBefore = sums.values
            var epilogue = o.affine
            epilogue.normGradient = GEMMEpilogue.NormGradient(
                x: .init(o.h.pointer), xRowStride: o.n, mean: mean.pointer, reciprocalDeviation: reciprocal.pointer,
                weight: weight, dWeight: hasSums ? sums.pointer : nil, dBias: hasSums ? sums.pointer + o.n : nil)
            let fused = o.product(epilogue, before: accumulate ? before : nil, test.table)
            #expect(fused.bits == dx.bits)

            let expected = Reference.layerNormBackward(
                rows: o.m, channels: o.n, dy: g.values, x: o.h.values, mean: mean.values,
                reciprocalDeviation: reciprocal.values, weight: nil)
            let expectedSums =
                hasSums ? zip(sumsBefore, expected.dWeight + expected.dBias).map(+) : sumsBefore
            // A rounding for each row, and for each block of rows, of which there are fewer; two in a normalised number,
            // which is at most sqrt(n).
            let largest = g.values.map(abs).max()! * max(1, Double(o.n).squareRoot())
            let magnitude = (Double(o.m) * largest + 1) * Double(2 * o.m + 4)
            #expect(worstError(sums.values, expectedSums, magnitude: magnitude) < 1)
            #expect(sums.isIntact)
        }
    }

    @Test(arguments: KernelTable.available)
    func theBitsDoNotDependOnTheThreads(_ table: KernelTable) {
        for shape in [[300, 200, 96], [30, 1500, 200], [37, 100, 3200]] {
            let o = Operands(shape, table, misalignment: 0)
            func outputs() -> [UInt32] {
                let sums = TestFloats([Double](repeating: 0, count: 2 * o.n))
                var gelu = o.affine
                gelu.activation = .gelu
                let gradient = GEMMEpilogue(
                    activation: .geluGradient(.init(h: .init(o.h.pointer), rowStride: o.n)),
                    normGradient: .init(
                        x: .init(o.h.pointer), xRowStride: o.n, mean: o.rowScale.pointer,
                        reciprocalDeviation: o.rowScale.pointer, dWeight: sums.pointer, dBias: sums.pointer + o.n))
                return o.product(gelu, table).bits + o.product(gradient, table).bits + sums.bits
            }
            let serial = Parallel.withThreads(1, outputs)
            for threads in [2, 3, 5] {
                let bits = Parallel.withThreads(threads, outputs)
                #expect(bits == serial, "\(threads)")
            }
        }
    }
}
