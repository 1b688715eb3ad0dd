import SSFKernels
import Testing

/// The entries over spans: what they compute, and that they stop a program that asks for memory it does not have.
@Suite struct GEMMSpanTests {
    @Test func aSmallProductIsExact() {
        let a: [Float] = [1, 2, 3, 4, 5, 6]
        let b: [Float] = [1, 0, 2, 0, 1, 3]
        var c: [Float] = [9, 9, 9, 9]
        var out = c.mutableSpan
        GEMM.multiply(m: 2, n: 2, k: 3, a: a.span, b: b.span, into: &out, workspace: Workspace())
        #expect(c == [8, 9, 20, 18])
    }

    @Test func stridesTransposeAndAccumulateAdds() {
        // A is stored as [k, m], B as [n, k].
        let a: [Float] = [1, 4, 2, 5, 3, 6]
        let b: [Float] = [1, 2, 0, 0, 1, 3]
        var c: [Float] = [100, 0, -1, 200, 0, -1]
        var out = c.mutableSpan
        GEMM.multiply(
            m: 2, n: 2, k: 3, a: a.span, aRowStride: 1, aColumnStride: 2, b: b.span, bRowStride: 1, bColumnStride: 3,
            into: &out, cRowStride: 3, accumulate: true, workspace: Workspace())
        #expect(c == [105, 11, -1, 214, 23, -1])
    }

    @Test func aPackedProductAppliesBiasScaleAndShift() {
        let a: [Float] = [1, 2, 3, 4]
        let weight: [Float] = [1, 0, 0, 1, 1, 1]
        let packed = GEMM.pack(k: 2, n: 3, b: weight.span, rowStride: 1, columnStride: 2)
        let (bias, scale, shift): ([Float], [Float], [Float]) = ([1, 2, 3], [2, 1, -1], [0, 10, 0.5])
        var c = [Float](repeating: 0, count: 6)
        var out = c.mutableSpan
        GEMM.multiply(
            m: 2, a: a.span, packed: packed, bias: bias.span, scale: scale.span, shift: shift.span, into: &out,
            workspace: Workspace())
        #expect(c == [4, 14, -5.5, 8, 16, -9.5])
    }

    /// The same numbers as a product and a GELU one after the other, within the accuracy that both state.
    @Test func anActivationIsBehindScaleAndShift() {
        let a: [Float] = [1, 2, -3, 4]
        let weight: [Float] = [1, 0, 0, 1, 1, 1]
        let packed = GEMM.pack(k: 2, n: 3, b: weight.span, rowStride: 1, columnStride: 2)
        let (scale, shift): ([Float], [Float]) = ([0.5, 1, -1], [0, -1, 0.5])
        var apart = [Float](repeating: 0, count: 6)
        var expected = apart
        var c = apart
        let workspace = Workspace()
        var apartSpan = apart.mutableSpan
        GEMM.multiply(
            m: 2, a: a.span, packed: packed, scale: scale.span, shift: shift.span, into: &apartSpan,
            workspace: workspace)
        var expectedSpan = expected.mutableSpan
        GELU.forward(x: apart.span, y: &expectedSpan)
        var out = c.mutableSpan
        GEMM.multiply(
            m: 2, a: a.span, packed: packed, scale: scale.span, shift: shift.span, activation: .gelu, into: &out,
            workspace: workspace)
        #expect(apart == [0.5, 1, -2.5, -1.5, 3, -0.5])
        // 6 ulp on either side.
        let isClose = zip(c, expected).allSatisfy { abs($0 - $1) <= 12 * abs($1) * 0x1p-23 }
        #expect(isClose, "\(c), not \(expected)")
    }

    /// Two numbers become their signs when they are normalised.
    @Test func aNormalizedProductSumsSigns() {
        let a: [Float] = [1, 3, 7, 5]
        let b: [Float] = [1, 10, 100, 1000]
        let packed = GEMM.pack(k: 2, n: 2, b: b.span)
        let (weight, shift, bias): ([Float], [Float], [Float]) = ([2, 1], [0, 1], [0, -1])
        var c = [Float](repeating: 1, count: 4)
        var out = c.mutableSpan
        GEMM.multiplyNormalized(
            m: 2, a: a.span, normWeight: weight.span, normBias: shift.span, epsilon: 0, packed: packed,
            bias: bias.span, into: &out, accumulate: true, workspace: Workspace())
        #expect(c == [199, 1980, 3, 20])
    }

    @Test func theInputOfAProductIsActivatedAndAResidualAdded() {
        let a: [Float] = [0, 30, -30, 40]
        let b: [Float] = [1, 2, 3, 4]
        let packed = GEMM.pack(k: 2, n: 2, b: b.span)
        let residual: [Float] = [1, 2, 9, 3, 4, 9]
        var c = [Float](repeating: 0, count: 4)
        var out = c.mutableSpan
        // Far from zero GELU is 0 or the number itself.
        GEMM.multiply(
            m: 2, a: a.span, inputActivation: .gelu, packed: packed, residual: residual.span, residualRowStride: 3,
            into: &out, workspace: Workspace())
        #expect(c == [91, 122, 123, 164])
    }

    @Test func aShortResidualStopsTheProgram() async {
        await #expect(processExitsWith: .failure) {
            let x = [Float](repeating: 1, count: 6)
            let packed = GEMM.pack(k: 2, n: 3, b: x.span)
            var c = [Float](repeating: 0, count: 6)
            var out = c.mutableSpan
            GEMM.multiply(
                m: 2, a: x.span, packed: packed, residual: [Float](repeating: 1, count: 5).span, into: &out,
                workspace: Workspace())
        }
    }

    @Test func aShortSpanOfAStopsTheProgram() async {
        await #expect(processExitsWith: .failure) {
            let x = [Float](repeating: 1, count: 5)
            var c = [Float](repeating: 0, count: 4)
            var out = c.mutableSpan
            GEMM.multiply(m: 2, n: 2, k: 3, a: x.span, b: x.span, into: &out, workspace: Workspace())
        }
    }

    @Test func aShortTargetStopsTheProgram() async {
        await #expect(processExitsWith: .failure) {
            let x = [Float](repeating: 1, count: 6)
            var c = [Float](repeating: 0, count: 3)
            var out = c.mutableSpan
            GEMM.multiply(m: 2, n: 2, k: 3, a: x.span, b: x.span, into: &out, workspace: Workspace())
        }
    }

    @Test func overlappingRowsOfCStopTheProgram() async {
        await #expect(processExitsWith: .failure) {
            let x = [Float](repeating: 1, count: 6)
            var c = [Float](repeating: 0, count: 8)
            var out = c.mutableSpan
            GEMM.multiply(m: 2, n: 2, k: 3, a: x.span, b: x.span, into: &out, cRowStride: 1, workspace: Workspace())
        }
    }

    @Test func aShortScaleStopsTheProgram() async {
        await #expect(processExitsWith: .failure) {
            let x = [Float](repeating: 1, count: 6)
            let packed = GEMM.pack(k: 2, n: 3, b: x.span)
            var c = [Float](repeating: 0, count: 6)
            var out = c.mutableSpan
            GEMM.multiply(
                m: 2, a: x.span, packed: packed, scale: [Float](repeating: 1, count: 2).span, into: &out,
                workspace: Workspace())
        }
    }

    @Test func aNegativeStrideStopsTheProgram() async {
        await #expect(processExitsWith: .failure) {
            let x = [Float](repeating: 1, count: 6)
            _ = GEMM.pack(k: 2, n: 3, b: x.span, rowStride: -3)
        }
    }
}
