import SSFKernels

/// One product with everything that can vary about it.
struct GEMMTestProduct: Sendable {
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
    var precision = Precision.float32
    /// What is stored in bfloat16, by name: a, b, c, R residual, K kept.
    var halves = ""
    /// Small whole numbers, of which every sum is exact and every result fits bfloat16 only by chance.
    var whole = false

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
        var keptBits: [UInt32]
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

    private func values(_ count: Int, seed: UInt64, isHalf: Bool) -> [Double] {
        if whole { return numbers(count, seed: seed, from: -4, to: 5).map { $0.rounded(.down) } }
        let values = numbers(count, seed: seed)
        return isHalf ? values.map(roundedToBFloat16) : values
    }

    private func isHalf(_ name: Character) -> Bool { halves.contains(name) }

    private func stored(_ values: [Double], _ name: Character) -> any TestMatrix {
        isHalf(name)
            ? TestHalves(values, misalignedBy: misalignment) : TestFloats(values, misalignedBy: misalignment)
    }

    /// C = A B as the case has them, with whatever types they are stored in.
    private func multiply<A: TestMatrix, B: TestMatrix, C: TestMatrix>(
        _ a: A, _ b: B, into c: C, _ fused: GEMMEpilogue, _ table: KernelTable
    ) {
        let (aRow, aColumn) = transposedA ? (1, m + gap) : (k + gap, 1)
        let (bRow, bColumn) = transposedB ? (1, k + gap) : (n + gap, 1)
        let workspace = Workspace()
        if packed {
            let matrix = GEMM.pack(
                k: k, n: n, b: b.pointer, rowStride: bRow, columnStride: bColumn, precision: precision, table: table)
            GEMM.multiply(
                m: m, n: n, k: k, a: a.pointer, aRowStride: aRow, aColumnStride: aColumn, packed: matrix,
                c: c.pointer, cRowStride: n + gap, accumulate: epilogue.contains("A"), epilogue: fused,
                workspace: workspace, table: table)
        } else {
            GEMM.multiply(
                m: m, n: n, k: k, a: a.pointer, aRowStride: aRow, aColumnStride: aColumn, b: b.pointer,
                bRowStride: bRow, bColumnStride: bColumn, c: c.pointer, cRowStride: n + gap,
                accumulate: epilogue.contains("A"), epilogue: fused, precision: precision, workspace: workspace,
                table: table)
        }
    }

    /// - Parameter compares: whether the reference is computed, which takes far longer than the product.
    func run(_ table: KernelTable, compares: Bool = true) -> Outcome {
        let a = values(m * k, seed: 1, isHalf: isHalf("a") || precision == .bfloat16)
        let b = values(k * n, seed: 2, isHalf: isHalf("b") || precision == .bfloat16)
        var operands = Reference.GEMMOperands()
        if epilogue.contains("b") { operands.bias = values(n, seed: 3, isHalf: false) }
        if epilogue.contains("s") { operands.scale = values(n, seed: 4, isHalf: false) }
        if epilogue.contains("h") { operands.shift = values(n, seed: 5, isHalf: false) }
        if epilogue.contains("r") { operands.rowScale = values(m, seed: 6, isHalf: false) }
        if epilogue.contains("R") {
            operands.residual = values(m * n, seed: 7, isHalf: isHalf(residualIsC ? "c" : "R"))
        }
        if epilogue.contains("A") { operands.previous = values(m * n, seed: 8, isHalf: isHalf("c")) }
        let keeps = epilogue.contains("K")

        func floats(_ values: [Double]) -> TestFloats { TestFloats(values, misalignedBy: misalignment) }
        // Where A or B are not stored in bfloat16, what is handed in is not rounded yet.
        let beside = precision == .bfloat16 && !whole
        let storedA = stored(
            laidOut(
                beside && !isHalf("a") ? numbers(m * k, seed: 1) : a, rows: m, columns: k, transposed: transposedA), "a"
        )
        let storedB = stored(
            laidOut(
                beside && !isHalf("b") ? numbers(k * n, seed: 2) : b, rows: k, columns: n, transposed: transposedB), "b"
        )
        let before = residualIsC ? operands.residual : operands.previous
        let start = before.isEmpty ? [Double](repeating: 9, count: m * n) : before
        let storedC = stored(laidOut(start, rows: m, columns: n, transposed: false), "c")
        let kept = stored([Double](repeating: 9, count: m * (n + gap)), "K")
        let residual = stored(
            laidOut(operands.residual.isEmpty ? start : operands.residual, rows: m, columns: n, transposed: false), "R")
        let (bias, scale) = (floats(operands.bias), floats(operands.scale))
        let (shift, rowScale) = (floats(operands.shift), floats(operands.rowScale))

        var fused = GEMMEpilogue()
        if !operands.bias.isEmpty { fused.bias = UnsafePointer(bias.pointer) }
        if !operands.scale.isEmpty { fused.scale = UnsafePointer(scale.pointer) }
        if !operands.shift.isEmpty { fused.shift = UnsafePointer(shift.pointer) }
        if !operands.rowScale.isEmpty { fused.rowScale = UnsafePointer(rowScale.pointer) }
        if !operands.residual.isEmpty {
            fused.residual = residualIsC ? storedC.matrix : residual.matrix
            fused.residualRowStride = n + gap
        }
        if keeps {
            fused.kept = kept.mutableMatrix
            fused.keptRowStride = n + gap
        }
        multiply(storedA, storedB, into: storedC, fused, table)

        let none: (c: [Double], h: [Double]) = ([], [])
        let expected = compares ? Reference.multiply(m: m, n: n, k: k, a: a, b: b, operands: operands) : none
        // The magnitude of an element: the same formula on absolute values.
        var absolute = operands
        absolute.bias = absolute.bias.map(abs)
        absolute.scale = absolute.scale.map(abs)
        absolute.shift = absolute.shift.map(abs)
        absolute.rowScale = absolute.rowScale.map(abs)
        absolute.residual = absolute.residual.map(abs)
        absolute.previous = absolute.previous.map(abs)
        let magnitudes =
            compares
            ? Reference.multiply(m: m, n: n, k: k, a: a.map(abs), b: b.map(abs), operands: absolute) : none
        // The gaps between rows are margins too.
        let seen = storedC.values
        let gapsAreIntact = (0..<m).allSatisfy { i in
            (n..<(n + gap)).allSatisfy { seen[i * (n + gap) + $0] == 7 }
        }
        return Outcome(
            c: dense(seen), kept: keeps ? dense(kept.values) : [],
            isIntact: storedC.isIntact && kept.isIntact && gapsAreIntact, expected: expected.c,
            expectedKept: keeps ? expected.h : [], magnitudes: magnitudes.c, keptMagnitudes: keeps ? magnitudes.h : [],
            bits: storedC.bits, keptBits: kept.bits)
    }

    /// A sum of k products: at most one rounding per step where they are fused, two where not, and one for each of the
    /// at most six operations of the epilogue; each of at most the magnitude.
    func tolerance(_ table: KernelTable) -> Double { Double((table.isFused ? 1 : 2) * k + 6) * 1.01 }

    /// The same for results in bfloat16: half of its last place is up to 2^-8 of the result, which the magnitude exceeds.
    func toleranceOfHalves(_ table: KernelTable) -> Double { tolerance(table) * (1 + 0x1p-8) + 0x1p16 }
}
