import Foundation
import SSFKernels
import Testing

/// Attention whose factors are rounded to bfloat16, for every table: what multiplies pairs of it, and what multiplies
/// floats that were rounded.
@Suite struct AttentionBFloat16Tests {
    @Test(arguments: AttentionTests.shapes.filter { $0[1] < 200 })
    func agreesWithTheReference(_ shape: [Int]) {
        let problem = Problem(shape)
        let bounds = problem.bounds()
        for table in KernelTable.available {
            problem.check(stored: Float.self, bounds, table)
            problem.check(stored: BFloat16.self, bounds, table)
        }
    }

    /// Scores far apart and large values: exponentials that vanish, and a greatest one of exactly 1.
    @Test(arguments: KernelTable.available)
    func scoresOfHundredsDoNotOverflow(_ table: KernelTable) {
        let problem = Problem([1, 37, 2, 8], factor: 60)
        let seen = problem.run(stored: BFloat16.self, table)
        #expect(seen.out.allSatisfy { $0.isFinite } && seen.gradient.allSatisfy { $0.isFinite })
        #expect(seen.logSumExp.allSatisfy { $0.isFinite })
    }
}

/// Inputs that bfloat16 holds exactly: rounding them changes nothing, and the reference starts from the same.
private struct Problem {
    let batch, tokens, heads, headWidth: Int
    let width: Int
    let scale: Double
    let qkv, dOut: [Double]

    init(_ shape: [Int], factor: Double = 1) {
        (batch, tokens, heads, headWidth) = (shape[0], shape[1], shape[2], shape[3])
        width = heads * headWidth
        scale = Double(1 / Float(headWidth).squareRoot())
        qkv = numbers(batch * tokens * 3 * width, seed: 1, from: -2, to: 2).map { roundedToBFloat16(factor * $0) }
        dOut = numbers(batch * tokens * width, seed: 2).map(roundedToBFloat16)
    }

    /// The queries, keys or values as a contiguous array.
    func part(_ index: Int, of values: [Double]) -> [Double] {
        (0..<batch * tokens * width).map { values[$0 / width * 3 * width + index * width + $0 % width] }
    }

    // MARK: What is expected

    /// Every result with the greatest error that it may have.
    struct Bounds {
        var out, logSumExp: [(value: Double, error: Double)]
        /// Of q, k and v.
        var gradients: [[(value: Double, error: Double)]]
    }

    /// A weight P and a gradient of a score D are rounded by at most 2^-8 of them, which goes into a result times what they
    /// are multiplied with. Everything else is single precision: sums of D and of N products, and the error of a score, which
    /// goes into P. Rounding errors of random sign stay far below their sum; for those the same part of it is allowed as
    /// where nothing is rounded to bfloat16.
    func bounds() -> Bounds {
        let (q, k, v) = (part(0, of: qkv), part(1, of: qkv), part(2, of: qkv))
        let (out, logSumExp) = Reference.attention(
            batch: batch, tokens: tokens, heads: heads, headWidth: headWidth, scale: scale, q: q, k: k, v: v)
        let exact = Reference.attentionBackward(
            batch: batch, tokens: tokens, heads: heads, headWidth: headWidth, scale: scale, q: q, k: k, v: v, dOut: dOut
        )
        let d = Double(headWidth)
        let single = roundoff * (64 + 8 * d.squareRoot() * d / 10 + Double(tokens) / 8)
        let half = 0x1p-8 * 1.01
        var errors = [[Double]](repeating: [Double](repeating: 1e-30, count: q.count), count: 4)
        for b in 0..<batch {
            for head in 0..<heads {
                func index(_ token: Int, _ d: Int) -> Int { ((b * tokens + token) * heads + head) * headWidth + d }
                for i in 0..<tokens {
                    let logSum = logSumExp[(b * heads + head) * tokens + i]
                    let delta = (0..<headWidth).reduce(0) { $0 + dOut[index(i, $1)] * out[index(i, $1)] }
                    let scores = (0..<tokens).map { j in
                        scale * (0..<headWidth).reduce(0) { $0 + q[index(i, $1)] * k[index(j, $1)] }
                    }
                    for j in 0..<tokens {
                        let p = exp(scores[j] - logSum)
                        let products = (0..<headWidth).map { dOut[index(i, $0)] * v[index(j, $0)] }
                        let gradient = scale * p * (products.reduce(0, +) - delta)
                        let weight = half * p + single * p
                        let size = products.reduce(0) { $0 + abs($1) } + abs(delta)
                        let score = half * abs(gradient) + single * scale * p * size
                        for d in 0..<headWidth {
                            errors[0][index(i, d)] += weight * abs(v[index(j, d)])
                            errors[1][index(i, d)] += score * abs(k[index(j, d)])
                            errors[2][index(j, d)] += score * abs(q[index(i, d)])
                            errors[3][index(j, d)] += weight * abs(dOut[index(i, d)])
                        }
                    }
                }
            }
        }
        func pairs(_ values: [Double], _ errors: [Double]) -> [(value: Double, error: Double)] {
            zip(values, errors).map { (value: $0, error: $1) }
        }
        return Bounds(
            out: pairs(out, errors[0]), logSumExp: logSumExp.map { (value: $0, error: 4 * single) },
            gradients: [pairs(exact.dq, errors[1]), pairs(exact.dk, errors[2]), pairs(exact.dv, errors[3])])
    }

    // MARK: What is seen

    func run<Element: TestElement>(
        stored type: Element.Type, _ table: KernelTable
    ) -> (out: [Double], logSumExp: [Double], gradient: [Double]) {
        let inputs = TestNumbers<Element>(qkv, misalignedBy: 3)
        let dOut = TestFloats(dOut, misalignedBy: 1)
        let out = TestNumbers<Element>(numbers(batch * tokens * width, seed: 3), misalignedBy: 1)
        let logSumExp = TestFloats(numbers(batch * heads * tokens, seed: 4))
        let gradient = TestFloats(numbers(qkv.count, seed: 5), misalignedBy: 2)
        let workspace = Workspace()
        Attention.forward(
            batch: batch, tokens: tokens, heads: heads, headWidth: headWidth, scale: Float(scale), q: inputs.pointer,
            k: inputs.pointer + width, v: inputs.pointer + 2 * width, rowStride: 3 * width, out: out.pointer,
            logSumExp: logSumExp.pointer, precision: .bfloat16, workspace: workspace, table: table)
        Attention.backward(
            batch: batch, tokens: tokens, heads: heads, headWidth: headWidth, scale: Float(scale), q: inputs.pointer,
            k: inputs.pointer + width, v: inputs.pointer + 2 * width, rowStride: 3 * width,
            logSumExp: logSumExp.pointer, dOut: dOut.pointer, dq: gradient.pointer, dk: gradient.pointer + width,
            dv: gradient.pointer + 2 * width, gradientRowStride: 3 * width, precision: .bfloat16,
            workspace: workspace, table: table)
        #expect(out.isIntact && logSumExp.isIntact && gradient.isIntact && inputs.isIntact && dOut.isIntact)
        return (out.values, logSumExp.values, gradient.values)
    }

    /// The greatest error of each result as a part of what it may have.
    func check<Element: TestElement>(stored type: Element.Type, _ bounds: Bounds, _ table: KernelTable) {
        let seen = run(stored: type, table)
        func worst(_ seen: [Double], _ bounds: [(value: Double, error: Double)], stored: Double = 0) -> Double {
            zip(seen, bounds).reduce(0) { worst, pair in
                let error = abs(pair.0 - pair.1.value) / (pair.1.error + stored * abs(pair.1.value))
                return error <= worst ? worst : error
            }
        }
        let rounding = Element.precision == .bfloat16 ? 0x1p-8 : 0
        let name = "\(table.instructionSet.rawValue), \(type)"
        #expect(worst(seen.out, bounds.out, stored: rounding) <= 1, "\(name)")
        #expect(worst(seen.logSumExp, bounds.logSumExp) <= 1, "\(name)")
        for index in 0..<3 {
            #expect(worst(part(index, of: seen.gradient), bounds.gradients[index]) <= 1, "\(name), \(index)")
        }
    }
}
