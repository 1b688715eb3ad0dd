import Foundation
import SSFKernels
import Testing

/// Accuracy over the whole of single precision: one in 509 of all bit patterns, and the ends of the range. With
/// `SSF_SWEEP_STRIDE=1` in the environment every number there is, which takes minutes for each test.
@Suite struct ElementaryFunctionsTests {
    /// Every so manieth bit pattern: denormal numbers, infinities and NaN come among them, and then by name.
    static let sweepStride = ProcessInfo.processInfo.environment["SSF_SWEEP_STRIDE"].flatMap { UInt64($0) } ?? 509

    static let particular: [Float] = [
        0, -0.0, .infinity, -.infinity, .nan, .leastNonzeroMagnitude, -.leastNonzeroMagnitude,
        .leastNormalMagnitude, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 88.72283, 88.72284, -87.33654,
        -87.33655, -103.97207, -103.97208, -103.97209, 0.9, -0.9, 3.9192059, 15, -15, 14.5, -14.5, 14.75, -14.75,
        -0.75179148, -0.75179154, -0.7517916,
    ]

    /// The greatest error of a kernel over the arguments, and where it is.
    ///
    /// - Parameters:
    ///   - error: of a result against the expected number; `ulps` unless told.
    ///   - considers: the arguments that count.
    private func worst(
        _ kernel: (Int, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void,
        against reference: (Double) -> Double, error: (Float, Double) -> Double = ulps,
        where considers: (Float) -> Bool = { _ in true }
    ) -> (error: Double, at: Float) {
        var worst = (error: 0.0, at: Float.nan)
        func compare(_ arguments: [Float]) {
            var results = [Float](repeating: 0, count: arguments.count)
            results.withUnsafeMutableBufferPointer { y in
                arguments.withUnsafeBufferPointer { x in kernel(x.count, x.baseAddress!, y.baseAddress!) }
            }
            for (x, y) in zip(arguments, results) where considers(x) {
                let error = error(y, reference(Double(x)))
                if !(error <= worst.error) { worst = (error, x) }
            }
        }
        compare(Self.particular)
        let block = Self.sweepStride << 20
        for first in Swift.stride(from: UInt64(0), to: 1 << 32, by: Int(block)) {
            let patterns = Swift.stride(from: first, to: min(first + block, 1 << 32), by: Int(Self.sweepStride))
            compare(patterns.map { Float(bitPattern: UInt32($0)) })
        }
        return worst
    }

    @Test(arguments: KernelTable.available)
    func exponentialIsWithinItsBound(_ table: KernelTable) {
        let worst = worst({ ElementaryFunctions.exponential(count: $0, x: $1, y: $2, table: table) }, against: exp)
        #expect(worst.error <= (table.isFused ? 1 : 2), "\(worst)")
    }

    @Test(arguments: KernelTable.available)
    func errorFunctionIsWithinItsBound(_ table: KernelTable) {
        let worst = worst({ ElementaryFunctions.errorFunction(count: $0, x: $1, y: $2, table: table) }, against: erf)
        #expect(worst.error <= (table.isFused ? 2.5 : 3), "\(worst)")
    }

    @Test(arguments: KernelTable.available)
    func geluIsWithinItsBound(_ table: KernelTable) {
        let worst = worst({ GELU.forward(count: $0, x: $1, y: $2, table: table) }, against: Reference.gelu)
        #expect(worst.error <= (table.looksUp ? 2.5 : 6), "\(worst)")
    }

    /// Relative to the derivative itself where tables are looked up, near its zero at -0.75179 as well.
    @Test(arguments: KernelTable.available)
    func geluDerivativeIsWithinItsBound(_ table: KernelTable) {
        let ones = [Float](repeating: 1, count: 1 << 20)
        let kernel = { (count: Int, x: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>) in
            ones.withUnsafeBufferPointer { dy in
                GELU.backward(count: count, dy: dy.baseAddress!, x: x, dx: dx, table: table)
            }
        }
        if table.looksUp {
            let worst = worst(kernel, against: Reference.geluDerivative)
            #expect(worst.error <= 3.5, "\(worst)")
        } else {
            let worst = worst(kernel, against: Reference.geluDerivative) { y, expected in
                expected.isNaN && y.isNaN ? 0 : abs(Double(y) - expected)
            }
            #expect(worst.error <= 6e-7, "\(worst)")
        }
    }

    /// A zero keeps its sign, and the smallest numbers of all their error function, which is themselves.
    @Test(arguments: KernelTable.available)
    func zerosKeepTheirSigns(_ table: KernelTable) {
        let x = TestFloats([0, -0.0, -.leastNonzeroMagnitude, .leastNonzeroMagnitude])
        let y = TestFloats([1, 1, 1, 1])
        GELU.forward(count: 2, x: x.pointer, y: y.pointer, table: table)
        #expect(y.bits[..<2] == x.bits[..<2])
        ElementaryFunctions.errorFunction(count: 4, x: x.pointer, y: y.pointer, table: table)
        #expect(y.bits == x.bits)
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

    /// A number's result does not depend on its neighbours: four vectors at a time do what one does.
    @Test(arguments: KernelTable.available)
    func everyPlaceGivesTheSameBits(_ table: KernelTable) {
        let x = TestFloats(numbers(200, seed: 1, from: -15, to: 15))
        let dy = TestFloats(numbers(200, seed: 2))
        let (whole, single) = (TestFloats(dy.values), TestFloats(dy.values))
        GELU.forward(count: 200, x: x.pointer, y: whole.pointer, table: table)
        for i in 0..<200 { GELU.forward(count: 1, x: x.pointer + i, y: single.pointer + i, table: table) }
        #expect(whole.bits == single.bits)
        GELU.backward(count: 200, dy: dy.pointer, x: x.pointer, dx: whole.pointer, table: table)
        for i in 0..<200 {
            GELU.backward(count: 1, dy: dy.pointer + i, x: x.pointer + i, dx: single.pointer + i, table: table)
        }
        #expect(whole.bits == single.bits)
    }
}
