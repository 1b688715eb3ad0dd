import SSFKernels
import SSFParallel
import Testing

/// One product with everything that can vary about it.
private struct Product: Sendable {
    var m: Int
    var n: Int
    var k: Int
    var transposedA = false
    var transposedB = false
    /// Operands of the epilogue by name: b bias, s scale, h shift, r rowScale, R residual, K kept, A accumulate.
    var epilogue = ""
    /// Floats by which every operand stands off an aligned address.
    var misalignment = 0
    /// Floats between the end of a row and the next.
    var gap = 0
    var packed = true
    var residualIsC = false

    /// C and h as the kernels give them, and the reference with the magnitude that the tolerance is taken of.
    struct Outcome {
        var c: [Double]
        var kept: [Double]
        var isIntact: Bool
        var expected: [Double]
        var expectedKept: [Double]
        var magnitudes: [Double]
        var keptMagnitudes: [Double]
        var bits: [UInt32]
    }

    /// A dense row-major matrix with its transposition or its gaps as this case has them.
    private func laidOut(_ matrix: [Double], rows: Int, columns: Int, transposed: Bool) -> [Double] {
        let (outer, inner) = transposed ? (columns, rows) : (rows, columns)
        var result = [Double](repeating: 7, count: outer * (inner + gap))
        for i in 0..<rows {
            for j in 0..<columns {
                let (row, column) = transposed ? (j, i) : (i, j)
                result[row * (inner + gap) + column] = matrix[i * columns + j]
            }
        }
        return result
    }

    private func dense(_ matrix: [Double]) -> [Double] {
        (0..<m).flatMap { i in (0..<n).map { matrix[i * (n + gap) + $0] } }
    }

    func run(_ table: KernelTable) -> Outcome {
        let a = numbers(m * k, seed: 1)
        let b = numbers(k * n, seed: 2)
        var operands = Reference.GEMMOperands()
        if epilogue.contains("b") { operands.bias = numbers(n, seed: 3) }
        if epilogue.contains("s") { operands.scale = numbers(n, seed: 4) }
        if epilogue.contains("h") { operands.shift = numbers(n, seed: 5) }
        if epilogue.contains("r") { operands.rowScale = numbers(m, seed: 6) }
        if epilogue.contains("R") { operands.residual = numbers(m * n, seed: 7) }
        if epilogue.contains("A") { operands.previous = numbers(m * n, seed: 8) }
        let keeps = epilogue.contains("K")

        func floats(_ values: [Double]) -> TestFloats { TestFloats(values, misalignedBy: misalignment) }
        let floatA = floats(laidOut(a, rows: m, columns: k, transposed: transposedA))
        let floatB = floats(laidOut(b, rows: k, columns: n, transposed: transposedB))
        let before = residualIsC ? operands.residual : operands.previous
        let start = before.isEmpty ? [Double](repeating: 9, count: m * n) : before
        let floatC = floats(laidOut(start, rows: m, columns: n, transposed: false))
        let kept = floats([Double](repeating: 9, count: m * (n + gap)))
        let residual = floats(
            laidOut(operands.residual.isEmpty ? start : operands.residual, rows: m, columns: n, transposed: false))
        let (bias, scale) = (floats(operands.bias), floats(operands.scale))
        let (shift, rowScale) = (floats(operands.shift), floats(operands.rowScale))

        var fused = GEMMEpilogue()
        if !operands.bias.isEmpty { fused.bias = UnsafePointer(bias.pointer) }
        if !operands.scale.isEmpty { fused.scale = UnsafePointer(scale.pointer) }
        if !operands.shift.isEmpty { fused.shift = UnsafePointer(shift.pointer) }
        if !operands.rowScale.isEmpty { fused.rowScale = UnsafePointer(rowScale.pointer) }
        if !operands.residual.isEmpty {
            fused.residual = UnsafePointer(residualIsC ? floatC.pointer : residual.pointer)
            fused.residualRowStride = n + gap
        }
        if keeps {
            fused.kept = kept.pointer
            fused.keptRowStride = n + gap
        }
        let (aRow, aColumn) = transposedA ? (1, m + gap) : (k + gap, 1)
        let (bRow, bColumn) = transposedB ? (1, k + gap) : (n + gap, 1)
        let workspace = Workspace()
        if packed {
            let matrix = GEMM.pack(k: k, n: n, b: floatB.pointer, rowStride: bRow, columnStride: bColumn, table: table)
            GEMM.multiply(
                m: m, n: n, k: k, a: floatA.pointer, aRowStride: aRow, aColumnStride: aColumn, packed: matrix,
                c: floatC.pointer, cRowStride: n + gap, accumulate: epilogue.contains("A"), epilogue: fused,
                workspace: workspace, table: table)
        } else {
            GEMM.multiply(
                m: m, n: n, k: k, a: floatA.pointer, aRowStride: aRow, aColumnStride: aColumn, b: floatB.pointer,
                bRowStride: bRow, bColumnStride: bColumn, c: floatC.pointer, cRowStride: n + gap,
                accumulate: epilogue.contains("A"), epilogue: fused, workspace: workspace, table: table)
        }

        let expected = Reference.multiply(m: m, n: n, k: k, a: a, b: b, operands: operands)
        // The magnitude of an element: the same formula on absolute values.
        var absolute = operands
        absolute.bias = absolute.bias.map(abs)
        absolute.scale = absolute.scale.map(abs)
        absolute.shift = absolute.shift.map(abs)
        absolute.rowScale = absolute.rowScale.map(abs)
        absolute.residual = absolute.residual.map(abs)
        absolute.previous = absolute.previous.map(abs)
        let magnitudes = Reference.multiply(m: m, n: n, k: k, a: a.map(abs), b: b.map(abs), operands: absolute)
        // The gaps between rows are margins too.
        let gapsAreIntact = (0..<m).allSatisfy { i in
            (n..<(n + gap)).allSatisfy { floatC.values[i * (n + gap) + $0] == 7 }
        }
        return Outcome(
            c: dense(floatC.values), kept: keeps ? dense(kept.values) : [],
            isIntact: floatC.isIntact && kept.isIntact && gapsAreIntact, expected: expected.c,
            expectedKept: keeps ? expected.h : [], magnitudes: magnitudes.c, keptMagnitudes: keeps ? magnitudes.h : [],
            bits: floatC.bits)
    }

    /// A sum of k products: at most one rounding per step where they are fused, two where not, and one for each of the
    /// at most six operations of the epilogue; each of at most the magnitude.
    func tolerance(_ table: KernelTable) -> Double { Double((table.isFused ? 1 : 2) * k + 6) * 1.01 }
}

@Suite struct GEMMTests {
    private func expectExact(_ product: Product, _ table: KernelTable, _ note: String) {
        let outcome = product.run(table)
        let error = worstError(outcome.c, outcome.expected, magnitudes: outcome.magnitudes)
        #expect(error <= product.tolerance(table), "\(note): \(product)")
        if !outcome.kept.isEmpty {
            let keptError = worstError(outcome.kept, outcome.expectedKept, magnitudes: outcome.keptMagnitudes)
            #expect(keptError <= product.tolerance(table), "\(note), kept: \(product)")
        }
        #expect(outcome.isIntact, "\(note) wrote beside C: \(product)")
    }

    /// Sizes around the tile edges of every instruction set: 6 and 8 rows; 8, 12, 16 and 48 columns by 4, 8, 16 lanes.
    @Test(arguments: KernelTable.available)
    func everyEdgeOfATileIsRight(_ table: KernelTable) {
        for m in [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 17] {
            for n in [1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 15, 16, 17, 31, 32, 33, 47, 48, 49, 65, 97] {
                expectExact(Product(m: m, n: n, k: 19, misalignment: n % 3), table, "edge")
            }
        }
    }

    @Test(arguments: KernelTable.available)
    func everyLengthOfTheSumIsRight(_ table: KernelTable) {
        for k in [0, 1, 2, 15, 16, 17, 31, 32, 33, 100, 767, 768, 769, 1536, 1537, 3073, 3200] {
            expectExact(Product(m: 11, n: 51, k: k, epilogue: "bsh"), table, "k")
            expectExact(Product(m: 11, n: 51, k: k, transposedA: true, transposedB: true), table, "k")
        }
    }

    @Test(arguments: KernelTable.available)
    func everyTranspositionIsRight(_ table: KernelTable) {
        for transposedA in [false, true] {
            for transposedB in [false, true] {
                for packed in [false, true] {
                    for (m, n, k) in [(5, 9, 7), (23, 50, 37), (64, 96, 48), (97, 101, 130)] {
                        let product = Product(
                            m: m, n: n, k: k, transposedA: transposedA, transposedB: transposedB, misalignment: 3,
                            gap: 5, packed: packed)
                        expectExact(product, table, "strides")
                    }
                }
            }
        }
    }

    /// All 128 combinations, on a size with whole tiles and edges, in one k block and in several.
    @Test(arguments: KernelTable.available)
    func everyEpilogueIsRight(_ table: KernelTable) {
        let names = Array("bshrRKA")
        for mask in 0..<1 << names.count {
            let epilogue = String(names.indices.filter { mask & 1 << $0 != 0 }.map { names[$0] })
            let k = mask % 16 == 15 ? 3100 : 21
            expectExact(
                Product(m: 19, n: 105, k: k, epilogue: epilogue, misalignment: 1, gap: 3), table, "epilogue")
        }
    }

    @Test(arguments: KernelTable.available)
    func theResidualMayBeTheMemoryOfC(_ table: KernelTable) {
        for k in [40, 3100] {
            expectExact(
                Product(m: 21, n: 100, k: k, epilogue: "bshrR", gap: 2, residualIsC: true), table, "in place")
        }
    }

    @Test(arguments: KernelTable.available)
    func layerSizesAreRight(_ table: KernelTable) {
        for (m, n, k) in [(1, 192, 192), (17, 576, 192), (197, 96, 64), (136, 192, 768)] {
            expectExact(Product(m: m, n: n, k: k, epilogue: "bK"), table, "layer")
        }
    }

    @Test(arguments: KernelTable.available)
    func anEmptyProductTouchesNothing(_ table: KernelTable) {
        for (m, n, k) in [(0, 5, 5), (5, 0, 5), (0, 0, 0)] {
            expectExact(Product(m: m, n: n, k: k), table, "empty")
            expectExact(Product(m: m, n: n, k: k, packed: false), table, "empty")
        }
    }

    @Test(arguments: KernelTable.available)
    func theBitsDoNotDependOnTheThreads(_ table: KernelTable) {
        for product in [
            Product(m: 200, n: 300, k: 130, epilogue: "bshrRA"), Product(m: 70, n: 500, k: 3200, packed: false),
            Product(m: 3, n: 700, k: 800, epilogue: "K"),
        ] {
            let serial = Parallel.withThreads(1) { product.run(table).bits }
            for threads in [2, 5] {
                #expect(Parallel.withThreads(threads) { product.run(table).bits } == serial, "\(threads): \(product)")
            }
        }
    }

    /// An element is the same sum wherever its tile falls: a row alone has the bits that it has among others.
    @Test(arguments: KernelTable.available)
    func theBitsOfARowDoNotDependOnTheOthers(_ table: KernelTable) {
        let (m, n, k) = (29, 61, 75)
        let a = TestFloats(numbers(m * k, seed: 1))
        let b = TestFloats(numbers(k * n, seed: 2))
        let all = TestFloats([Double](repeating: 0, count: m * n))
        let one = TestFloats([Double](repeating: 0, count: n))
        let workspace = Workspace()
        let packed = GEMM.pack(k: k, n: n, b: b.pointer, rowStride: n, columnStride: 1, table: table)
        GEMM.multiply(
            m: m, n: n, k: k, a: a.pointer, aRowStride: k, aColumnStride: 1, packed: packed, c: all.pointer,
            cRowStride: n, workspace: workspace, table: table)
        for row in 0..<m {
            GEMM.multiply(
                m: 1, n: n, k: k, a: a.pointer + row * k, aRowStride: k, aColumnStride: 1, packed: packed,
                c: one.pointer, cRowStride: n, workspace: workspace, table: table)
            #expect(one.bits == Array(all.bits[row * n..<(row + 1) * n]), "row \(row)")
        }
    }

    @Test(arguments: KernelTable.available)
    func repackingReplacesTheNumbers(_ table: KernelTable) {
        let (m, n, k) = (9, 50, 33)
        let first = TestFloats(numbers(k * n, seed: 1))
        let second = TestFloats(numbers(k * n, seed: 2))
        let a = TestFloats(numbers(m * k, seed: 3))
        let packed = GEMM.pack(k: k, n: n, b: first.pointer, rowStride: n, columnStride: 1, table: table)
        GEMM.repack(packed, b: second.pointer, rowStride: n, columnStride: 1)
        let results = [packed, GEMM.pack(k: k, n: n, b: second.pointer, rowStride: n, columnStride: 1, table: table)]
            .map {
                let c = TestFloats([Double](repeating: 0, count: m * n))
                GEMM.multiply(
                    m: m, n: n, k: k, a: a.pointer, aRowStride: k, aColumnStride: 1, packed: $0, c: c.pointer,
                    cRowStride: n, workspace: Workspace(), table: table)
                return c.bits
            }
        #expect(results[0] == results[1])
        #expect(packed.byteCount >= 4 * k * n && packed.byteCount < 4 * k * (n + 16))
    }
}
