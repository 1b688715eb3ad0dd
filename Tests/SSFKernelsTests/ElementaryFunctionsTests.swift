import Foundation
import SSFKernels
import Testing

/// Accuracy over the whole of single precision: one number in 509 of all bit patterns, and the ends of the range.
@Suite struct ElementaryFunctionsTests {
    /// Every 509th bit pattern: denormal numbers, infinities and NaN come among them, and then by name.
    static let arguments: [Float] =
        stride(from: UInt64(0), to: 1 << 32, by: 509).map { Float(bitPattern: UInt32($0)) }
        + [
            0, -0.0, .infinity, -.infinity, .nan, .leastNonzeroMagnitude, -.leastNonzeroMagnitude,
            .leastNormalMagnitude, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 88.72283, 88.72284, -87.33654,
            -87.33655, -103.97207, -103.97208, -103.97209, 0.9, -0.9, 3.9192059, 15, -15, 14.5, -14.5,
        ]

    /// The greatest error in ulp over the arguments, and where it is.
    private func worst(
        _ kernel: (Int, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void, of arguments: [Float],
        against reference: (Double) -> Double
    ) -> (ulps: Double, at: Float) {
        var results = [Float](repeating: 0, count: arguments.count)
        results.withUnsafeMutableBufferPointer { y in
            arguments.withUnsafeBufferPointer { x in kernel(x.count, x.baseAddress!, y.baseAddress!) }
        }
        var worst = (ulps: 0.0, at: Float.nan)
        for (x, y) in zip(arguments, results) {
            let error = ulps(y, reference(Double(x)))
            if !(error <= worst.ulps) { worst = (error, x) }
        }
        return worst
    }

    @Test(arguments: KernelTable.available)
    func exponentialIsWithinItsBound(_ table: KernelTable) {
        let worst = worst(
            { ElementaryFunctions.exponential(count: $0, x: $1, y: $2, table: table) }, of: Self.arguments,
            against: exp)
        #expect(worst.ulps <= (table.isFused ? 1 : 2), "at \(worst.at)")
    }

    @Test(arguments: KernelTable.available)
    func errorFunctionIsWithinItsBound(_ table: KernelTable) {
        let worst = worst(
            { ElementaryFunctions.errorFunction(count: $0, x: $1, y: $2, table: table) }, of: Self.arguments,
            against: erf)
        #expect(worst.ulps <= (table.isFused ? 2 : 3), "at \(worst.at)")
    }

    @Test(arguments: KernelTable.available)
    func geluIsWithinItsBoundOnTheRight(_ table: KernelTable) {
        let worst = worst(
            { GELU.forward(count: $0, x: $1, y: $2, table: table) }, of: Self.arguments.filter { $0 >= 0 },
            against: Reference.gelu)
        #expect(worst.ulps <= 5, "at \(worst.at)")
    }

    @Test(arguments: KernelTable.available)
    func geluIsWithinItsBoundOnTheLeft(_ table: KernelTable) {
        let worst = worst(
            { GELU.forward(count: $0, x: $1, y: $2, table: table) }, of: Self.arguments.filter { !($0 >= 0) },
            against: Reference.gelu)
        #expect(worst.ulps <= 6, "at \(worst.at)")
    }

    @Test(arguments: KernelTable.available)
    func geluDerivativeIsWithinItsBound(_ table: KernelTable) {
        let arguments = Self.arguments
        let ones = [Float](repeating: 1, count: arguments.count)
        var derivatives = ones
        derivatives.withUnsafeMutableBufferPointer { dx in
            arguments.withUnsafeBufferPointer { x in
                ones.withUnsafeBufferPointer { dy in
                    GELU.backward(
                        count: x.count, dy: dy.baseAddress!, x: x.baseAddress!, dx: dx.baseAddress!, table: table)
                }
            }
        }
        var worst = (error: 0.0, at: Float.nan)
        for (x, y) in zip(arguments, derivatives) {
            let expected = Reference.geluDerivative(Double(x))
            let error = expected.isNaN && y.isNaN ? 0 : abs(Double(y) - expected)
            if !(error <= worst.error) { worst = (error, x) }
        }
        #expect(worst.error <= 6e-7, "at \(worst.at)")
    }

    @Test func derivativeOfTheReferenceIsItsSlope() {
        for x in stride(from: -6.0, through: 6, by: 0.125) {
            let slope = (Reference.gelu(x + 1e-5) - Reference.gelu(x - 1e-5)) / 2e-5
            #expect(abs(slope - Reference.geluDerivative(x)) < 1e-9)
        }
    }

    @Test(arguments: KernelCase.all(edgeCounts))
    func everyCountIsDoneAndNoMore(_ test: KernelCase<Int>) {
        for shift in [0, 1, 3] {
            let values = numbers(test.size, seed: 1, from: -4, to: 4)
            let x = TestFloats(values, misalignedBy: shift)
            let y = TestFloats(numbers(test.size, seed: 2), misalignedBy: shift)
            let e = TestFloats(numbers(test.size, seed: 2), misalignedBy: shift)
            GELU.forward(count: test.size, x: x.pointer, y: y.pointer, table: test.table)
            ElementaryFunctions.exponential(count: test.size, x: x.pointer, y: e.pointer, table: test.table)
            #expect(worstError(y.values, values.map(Reference.gelu), magnitude: 4) < 4 && y.isIntact)
            #expect(worstError(e.values, values.map { exp($0) }, magnitudes: values.map { exp($0) }) < 4 && e.isIntact)

            GELU.backward(count: test.size, dy: y.pointer, x: x.pointer, dx: y.pointer, table: test.table)
            let expected = values.map { Double(Float(Reference.gelu($0))) * Reference.geluDerivative($0) }
            #expect(worstError(y.values, expected, magnitude: 4) < 16 && y.isIntact)
        }
    }
}
