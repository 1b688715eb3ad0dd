import SSFKernels
import SSFParallel
import Testing

/// What packing does to A on the way. Layer normalisation, GELU and a factor are the same operations on an element
/// wherever they are done, so that a product with a prologue has the bits of the pass over memory and the product that
/// it replaces; those have their own tests against the reference. Here the whole is also held against it.
@Suite struct GEMMPrologueTests {
    /// Around the tiles of every table: 6 and 8 rows; widths of a k block: 16 steps, one block, two blocks.
    static let shapes: [[Int]] = [
        [1, 5, 1], [3, 48, 16], [7, 50, 17], [8, 16, 33], [9, 97, 100], [29, 33, 15], [70, 192, 192], [13, 20, 3100],
    ]

    private struct Operands {
        let (m, n, k): (Int, Int, Int)
        let gap: Int
        let x, b, first, second, rowScale, h: TestFloats
        let packed: PackedMatrix

        var xRowStride: Int { k + gap }

        init(_ shape: [Int], _ table: KernelTable, misalignment: Int) {
            (m, n, k) = (shape[0], shape[1], shape[2])
            gap = misalignment
            x = TestFloats(numbers(m * (k + gap), seed: 1, from: -2, to: 3), misalignedBy: misalignment)
            b = TestFloats(numbers(k * n, seed: 2), misalignedBy: misalignment)
            first = TestFloats(numbers(k, seed: 3), misalignedBy: misalignment)
            second = TestFloats(numbers(k, seed: 4), misalignedBy: misalignment)
            rowScale = TestFloats(numbers(m, seed: 5), misalignedBy: misalignment)
            h = TestFloats(numbers(m * (k + gap), seed: 6), misalignedBy: misalignment)
            packed = GEMM.pack(k: k, n: n, b: b.pointer, rowStride: n, columnStride: 1, table: table)
        }

        /// Without the gaps between rows.
        func dense(_ matrix: TestFloats) -> [Double] {
            let values = matrix.values
            return (0..<m).flatMap { i in values[i * (k + gap)..<i * (k + gap) + k] }
        }

        func product(
            _ a: TestFloats, rowStride: Int, _ prologue: GEMMPrologue, _ table: KernelTable
        ) -> TestFloats {
            let c = TestFloats([Double](repeating: 9, count: m * n))
            GEMM.multiply(
                m: m, n: n, k: k, a: a.pointer, aRowStride: rowStride, aColumnStride: 1, packed: packed,
                c: c.pointer, cRowStride: n, prologue: prologue, workspace: Workspace(), table: table)
            #expect(c.isIntact)
            return c
        }

        /// The error that C may have, in roundoffs: that of a sum of k products of A, and that of A itself.
        func tolerances(_ a: [Double], errors: [Double], _ table: KernelTable) -> [Double] {
            let b = b.values.map(abs)
            let sums = Reference.multiply(m: m, n: n, k: k, a: a.map(abs), b: b).c
            let carried = Reference.multiply(m: m, n: n, k: k, a: errors, b: b).c
            let steps = Double((table.isFused ? 1 : 2) * k + 1)
            return zip(sums, carried).map { (steps * $0 + $1) * 1.01 }
        }
    }

    @Test(arguments: KernelCase.all(shapes))
    func layerNormIsThatOfTheKernel(_ test: KernelCase<[Int]>) {
        for (shift, hasWeight, hasBias) in [(0, true, true), (1, true, false), (3, false, true), (2, false, false)] {
            let o = Operands(test.size, test.table, misalignment: shift)
            let dense = TestFloats(o.dense(o.x))
            let normal = TestFloats(dense.values)
            let statistics = TestFloats(numbers(2 * o.m, seed: 7))
            let seen = TestFloats(numbers(2 * o.m, seed: 7))
            let weight = hasWeight ? UnsafePointer(o.first.pointer) : nil
            let bias = hasBias ? UnsafePointer(o.second.pointer) : nil
            LayerNorm.forward(
                rows: o.m, channels: o.k, x: dense.pointer, weight: weight, bias: bias, epsilon: 1e-3,
                y: normal.pointer, mean: statistics.pointer, reciprocalDeviation: statistics.pointer + o.m,
                table: test.table)
            let fused = o.product(
                o.x, rowStride: o.xRowStride,
                .layerNorm(
                    .init(
                        weight: weight, bias: bias, epsilon: 1e-3, mean: seen.pointer,
                        reciprocalDeviation: seen.pointer + o.m)), test.table)
            #expect(fused.bits == o.product(normal, rowStride: o.k, .identity, test.table).bits)
            #expect(seen.bits == statistics.bits && seen.isIntact)

            let expected = Reference.layerNorm(
                rows: o.m, channels: o.k, x: dense.values, weight: weight == nil ? nil : o.first.values,
                bias: bias == nil ? nil : o.second.values, epsilon: Double(Float(1e-3)))
            // As in the tests of the normalisation.
            let x = dense.values
            let errors = x.indices.map {
                ((3 + abs(x[$0])) * expected.reciprocalDeviation[$0 / o.k] + 1) * (Double(o.k) / 16 + 12)
            }
            let c = Reference.multiply(m: o.m, n: o.n, k: o.k, a: expected.y, b: o.b.values).c
            let tolerances = o.tolerances(expected.y, errors: errors, test.table)
            #expect(worstError(fused.values, c, magnitudes: tolerances) < 1)
        }
    }

    @Test(arguments: KernelCase.all(shapes))
    func geluIsThatOfTheKernel(_ test: KernelCase<[Int]>) {
        for (shift, hasScale, hasShift) in [(0, true, true), (1, true, false), (3, false, true), (2, false, false)] {
            let o = Operands(test.size, test.table, misalignment: shift)
            let scale = hasScale ? UnsafePointer(o.first.pointer) : nil
            let shift = hasShift ? UnsafePointer(o.second.pointer) : nil
            let dense = TestFloats(o.dense(o.x))
            let active = TestFloats(dense.values)
            ScaleShift.forward(
                rows: o.m, channels: o.k, x: dense.pointer, scale: scale, shift: shift, y: active.pointer,
                table: test.table)
            GELU.forward(count: o.m * o.k, x: active.pointer, y: active.pointer, table: test.table)
            let fused = o.product(o.x, rowStride: o.xRowStride, .gelu(scale: scale, shift: shift), test.table)
            #expect(fused.bits == o.product(active, rowStride: o.k, .identity, test.table).bits)

            let (x, s, t) = (dense.values, o.first.values, o.second.values)
            let z = x.indices.map { x[$0] * (hasScale ? s[$0 % o.k] : 1) + (hasShift ? t[$0 % o.k] : 0) }
            let a = z.map(Reference.gelu)
            // 6 ulp, and at most two roundings of the argument, of size 4 at most, by a slope of at most 1.13.
            let errors = a.map { 12 * abs($0) + 2 * 4 * 1.13 }
            let c = Reference.multiply(m: o.m, n: o.n, k: o.k, a: a, b: o.b.values).c
            let tolerances = o.tolerances(a, errors: errors, test.table)
            #expect(worstError(fused.values, c, magnitudes: tolerances) < 1)
        }
    }

    @Test(arguments: KernelCase.all(shapes))
    func theGradientAndItsSumsAgreeWithTheReference(_ test: KernelCase<[Int]>) {
        for (shift, hasRowScale, hasScale, hasSums, hasSubtrahend) in [
            (0, true, true, true, false), (1, false, true, true, true), (3, true, false, true, false),
            (2, true, true, false, false), (5, true, true, true, true),
        ] {
            let o = Operands(test.size, test.table, misalignment: shift)
            let dScale = TestFloats(numbers(o.k, seed: 7))
            let dShift = TestFloats(numbers(o.k, seed: 8))
            let (scaleBefore, shiftBefore) = (dScale.values, dShift.values)
            let fused = o.product(
                o.x, rowStride: o.xRowStride,
                .gradient(
                    .init(
                        rowScale: hasRowScale ? UnsafePointer(o.rowScale.pointer) : nil,
                        scale: hasScale ? UnsafePointer(o.first.pointer) : nil,
                        h: hasSums ? .init(o.h.pointer) : nil,
                        subtrahend: hasSubtrahend ? .init(o.x.pointer) : nil, hRowStride: o.xRowStride,
                        dScale: hasSums ? dScale.pointer : nil, dShift: hasSums ? dShift.pointer : nil)), test.table)

            let (x, h, rowScale, scale) = (o.dense(o.x), o.dense(o.h), o.rowScale.values, o.first.values)
            let g = x.indices.map { x[$0] * (hasRowScale ? rowScale[$0 / o.k] : 1) }
            let a = g.indices.map { g[$0] * (hasScale ? scale[$0 % o.k] : 1) }
            let c = Reference.multiply(m: o.m, n: o.n, k: o.k, a: a, b: o.b.values).c
            let tolerances = o.tolerances(a, errors: a.map { 2 * abs($0) }, test.table)
            #expect(worstError(fused.values, c, magnitudes: tolerances) < 1)

            guard hasSums else {
                #expect(dScale.values == scaleBefore && dShift.values == shiftBefore)
                continue
            }
            var (scaleSums, shiftSums) = (scaleBefore, shiftBefore)
            for i in g.indices {
                scaleSums[i % o.k] += hasSubtrahend ? x[i] * (h[i] - x[i]) : g[i] * h[i]
                shiftSums[i % o.k] += g[i]
            }
            // Sums of m numbers of size 3, rounded once each, the factor, the product, and the sums of blocks.
            let magnitude = Double(3 * o.m + 1) * Double(2 * o.m + 40)
            #expect(worstError(dScale.values, scaleSums, magnitude: magnitude) < 1)
            #expect(worstError(dShift.values, shiftSums, magnitude: magnitude) < 1)
            #expect(dScale.isIntact && dShift.isIntact)
        }
    }

    /// The gradient of a weight: A is the transposed gradient of the output, its factors as for the gradient itself.
    @Test(arguments: KernelCase.all(shapes))
    func theTransposedGradientIsScaledTheSameWay(_ test: KernelCase<[Int]>) {
        let (samples, outputs, inputs) = (test.size[2], test.size[0], test.size[1])
        let dy = TestFloats(numbers(samples * outputs, seed: 1))
        let x = TestFloats(numbers(samples * inputs, seed: 2))
        let rowScale = TestFloats(numbers(samples, seed: 3))
        let scale = TestFloats(numbers(outputs, seed: 4))
        let scaled = TestFloats(dy.values)
        for i in 0..<samples * outputs {
            scaled.pointer[i] = scale.pointer[i % outputs] * (rowScale.pointer[i / outputs] * dy.pointer[i])
        }
        // Strides of 2 as well, which go element by element.
        for spread in [1, 2] {
            func gradient(_ source: TestFloats, _ prologue: GEMMPrologue) -> [UInt32] {
                let spaced = TestFloats([Double](repeating: 0, count: samples * outputs * spread))
                for i in 0..<samples * outputs { spaced.pointer[i * spread] = source.pointer[i] }
                let dW = TestFloats([Double](repeating: 0, count: outputs * inputs))
                GEMM.multiply(
                    m: outputs, n: inputs, k: samples, a: spaced.pointer, aRowStride: spread,
                    aColumnStride: outputs * spread, b: x.pointer, bRowStride: inputs, bColumnStride: 1,
                    c: dW.pointer, cRowStride: inputs, prologue: prologue, workspace: Workspace(), table: test.table)
                return dW.bits
            }
            let fused = gradient(
                dy,
                .gradient(.init(rowScale: UnsafePointer(rowScale.pointer), scale: UnsafePointer(scale.pointer))))
            #expect(fused == gradient(scaled, .identity), "\(spread)")
        }
    }

    @Test(arguments: KernelTable.available)
    func theBitsDoNotDependOnTheThreads(_ table: KernelTable) {
        for shape in [[200, 800, 96], [30, 3000, 200], [37, 500, 3200]] {
            let o = Operands(shape, table, misalignment: 0)
            func outputs() -> [UInt32] {
                let statistics = TestFloats([Double](repeating: 0, count: 2 * o.m))
                let sums = TestFloats([Double](repeating: 0, count: 2 * o.k))
                let norm = GEMMPrologue.layerNorm(
                    .init(
                        weight: UnsafePointer(o.first.pointer), epsilon: 1e-5, mean: statistics.pointer,
                        reciprocalDeviation: statistics.pointer + o.m))
                let gradient = GEMMPrologue.gradient(
                    .init(
                        scale: UnsafePointer(o.first.pointer), h: .init(o.h.pointer),
                        hRowStride: o.xRowStride, dScale: sums.pointer, dShift: sums.pointer + o.k))
                let products = [norm, gradient, .gelu(scale: nil, shift: nil)].flatMap {
                    o.product(o.x, rowStride: o.xRowStride, $0, table).bits
                }
                return products + statistics.bits + sums.bits
            }
            let serial = Parallel.withThreads(1, outputs)
            for threads in [2, 3, 5] {
                let bits = Parallel.withThreads(threads, outputs)
                #expect(bits == serial, "\(threads)")
            }
        }
    }

    /// What is not a number in a row of A is none in that row of C, and in no other.
    @Test(arguments: KernelTable.available)
    func whatIsNoNumberStaysInItsRow(_ table: KernelTable) {
        let o = Operands([13, 21, 40], table, misalignment: 1)
        let clean = TestFloats(o.x.values, misalignedBy: 1)
        o.x.pointer[5 * o.xRowStride + 33] = .nan
        o.x.pointer[11 * o.xRowStride + 2] = .infinity
        for prologue in [GEMMPrologue.identity, .layerNorm(.init(epsilon: 1e-5)), .gelu(scale: nil, shift: nil)] {
            let c = o.product(o.x, rowStride: o.xRowStride, prologue, table).values
            let expected = o.product(clean, rowStride: o.xRowStride, prologue, table).values
            for i in 0..<o.m {
                let row = c[i * o.n..<(i + 1) * o.n]
                switch i {
                case 5: #expect(row.allSatisfy { $0.isNaN })
                case 11: #expect(row.allSatisfy { !$0.isFinite })
                default: #expect(row == expected[i * o.n..<(i + 1) * o.n], "row \(i)")
                }
            }
        }
    }
}
