import Musl
import SSFKernels

/// Every kernel of the library on arm64, against loops in double precision: sizes around lanes and tiles, operands off
/// aligned addresses, nothing written beside the results. Tolerances are those of the library's own tests.
@main struct Check {
    static func main() {
        puts("instruction set: \(KernelTable.current.instructionSet == .baseline ? "baseline (NEON)" : "unexpected")")
        var isRight = true
        for kernel in kernels {
            if !kernel().report() { isRight = false }
        }
        exit(isRight ? 0 : 1)
    }

    static var kernels: [() -> Comparison] {
        [
            products, epilogues, exponential, errorFunction, gelu, geluBackward, layerNorm, layerNormBackward,
            scaleShift,
            scaleShiftBackward, softmax, softmaxBackward, attention, attentionBackward, crossEntropy, adamW, sgd,
            columnSum, patches, tokenMean,
        ]
    }

    // MARK: - Matrix products

    /// All edges of the 8 x 12 tile, every packing, k in one block and in several.
    static func products() -> Comparison {
        var comparison = Comparison("GEMM")
        func check(_ m: Int, _ n: Int, _ k: Int, _ transposedA: Bool, _ transposedB: Bool) {
            let (a, b) = (Floats(m * k, seed: 1), Floats(k * n, seed: 2))
            let c = Floats(m * n, seed: 3)
            var out = c.buffer.mutableSpan
            // The operands as they are dense; a transposed one has its strides exchanged.
            let (aRow, aColumn) = transposedA ? (1, m) : (k, 1)
            let (bRow, bColumn) = transposedB ? (1, k) : (n, 1)
            GEMM.multiply(
                m: m, n: n, k: k, a: a.buffer.span, aRowStride: aRow, aColumnStride: aColumn, b: b.buffer.span,
                bRowStride: bRow, bColumnStride: bColumn, into: &out, workspace: Workspace())
            let (x, y) = (a.values, b.values)
            var expected: [Double] = []
            var magnitudes: [Double] = []
            for i in 0..<m {
                for j in 0..<n {
                    var sum = 0.0
                    var magnitude = 0.0
                    for p in 0..<k {
                        let term = x[i * aRow + p * aColumn] * y[p * bRow + j * bColumn]
                        sum += term
                        magnitude += abs(term)
                    }
                    expected.append(sum)
                    magnitudes.append(magnitude)
                }
            }
            comparison.add(c, expected, magnitudes: magnitudes, tolerance: Double(k + 6))
        }
        for m in 1...17 {
            for n in 1...25 { check(m, n, 19, false, false) }
        }
        for transposedA in [false, true] {
            for transposedB in [false, true] {
                for (m, n, k) in [(5, 9, 7), (23, 50, 37), (64, 96, 48), (33, 37, 130), (9, 13, 3100)] {
                    check(m, n, k, transposedA, transposedB)
                }
            }
        }
        return comparison
    }

    /// A packed weight with bias, scale and shift, and the product added to what C holds.
    static func epilogues() -> Comparison {
        var comparison = Comparison("GEMM, epilogue")
        for (m, n, k) in [(1, 5, 3), (7, 12, 16), (8, 24, 33), (19, 49, 768), (197, 96, 64)] {
            for mask in 0..<16 {
                let (a, weight) = (Floats(m * k, seed: 1), Floats(n * k, seed: 2))
                let (bias, scale, shift) = (Floats(n, seed: 3), Floats(n, seed: 4), Floats(n, seed: 5))
                let c = Floats(m * n, seed: 6)
                let accumulates = mask & 8 != 0
                var operands = Reference.GEMMOperands()
                if mask & 1 != 0 { operands.bias = bias.values }
                if mask & 2 != 0 { operands.scale = scale.values }
                if mask & 4 != 0 { operands.shift = shift.values }
                if accumulates { operands.previous = c.values }
                let dense = weight.values
                let b = (0..<k * n).map { dense[$0 % n * k + $0 / n] }
                let expected = Reference.multiply(m: m, n: n, k: k, a: a.values, b: b, operands: operands).c

                let packed = GEMM.pack(k: k, n: n, b: weight.buffer.span, rowStride: 1, columnStride: k)
                var out = c.buffer.mutableSpan
                GEMM.multiply(
                    m: m, a: a.buffer.span, packed: packed, bias: mask & 1 != 0 ? bias.buffer.span : nil,
                    scale: mask & 2 != 0 ? scale.buffer.span : nil, shift: mask & 4 != 0 ? shift.buffer.span : nil,
                    into: &out, accumulate: accumulates, workspace: Workspace())
                // Terms below 1 each.
                comparison.add(c, expected, magnitude: Double(k + 3), tolerance: Double(k + 6))
            }
        }
        return comparison
    }

    // MARK: - Functions

    /// One bit pattern in 50,021 of all, and the ends of the range.
    static let arguments: [Double] =
        stride(from: UInt64(0), to: 1 << 32, by: 50_021).map { Double(Float(bitPattern: UInt32($0))) }
        + [0, -0.0, .infinity, -.infinity, 88.72283, 88.72284, -103.97207, -103.97209, 0.9, -0.9, 15, -15]

    /// The greatest error in units of the last place; infinity for a number where there should be none.
    static func ulps(_ seen: Floats, _ expected: (Double) -> Double, at x: [Double]) -> Double {
        var worst = 0.0
        for i in 0..<x.count {
            let y = seen.pointer[i]
            let exact = expected(x[i])
            let rounded = Float(exact)
            if exact.isNaN {
                if !y.isNaN { return .infinity }
            } else if rounded.isInfinite || y.isInfinite {
                if y != rounded && abs(exact) <= 3.402e38 { return .infinity }
            } else {
                let error = abs(Double(y) - exact) / Double(rounded.magnitude.ulp)
                if !(error <= worst) { worst = error }
            }
        }
        return worst
    }

    static func exponential() -> Comparison {
        var comparison = Comparison("exp (ulp)")
        let (x, y) = (Floats(arguments), Floats(arguments.count, seed: 1))
        var out = y.buffer.mutableSpan
        ElementaryFunctions.exponential(x: x.buffer.span, y: &out)
        comparison.add(error: ulps(y, { exp($0) }, at: x.values), tolerance: 1)
        return comparison
    }

    static func errorFunction() -> Comparison {
        var comparison = Comparison("erf (ulp)")
        let (x, y) = (Floats(arguments), Floats(arguments.count, seed: 1))
        var out = y.buffer.mutableSpan
        ElementaryFunctions.errorFunction(x: x.buffer.span, y: &out)
        comparison.add(error: ulps(y, { erf($0) }, at: x.values), tolerance: 2)
        return comparison
    }

    static func gelu() -> Comparison {
        var comparison = Comparison("GELU (ulp)")
        let (x, y) = (Floats(arguments), Floats(arguments.count, seed: 1))
        var out = y.buffer.mutableSpan
        GELU.forward(x: x.buffer.span, y: &out)
        comparison.add(error: ulps(y, { Reference.gelu($0) }, at: x.values), tolerance: 6)
        return comparison
    }

    static func geluBackward() -> Comparison {
        var comparison = Comparison("GELU backward")
        for count in [1, 2, 3, 4, 5, 7, 8, 9, 127] {
            let (x, dy) = (Floats(count, seed: 1, from: -6, to: 6), Floats(count, seed: 2))
            let dx = Floats(count, seed: 3)
            var out = dx.buffer.mutableSpan
            GELU.backward(dy: dy.buffer.span, x: x.buffer.span, dx: &out)
            let (values, factors) = (x.values, dy.values)
            let expected = (0..<count).map { factors[$0] * Reference.geluDerivative(values[$0]) }
            comparison.add(dx, expected, magnitude: 1, tolerance: 12)
        }
        return comparison
    }
}
