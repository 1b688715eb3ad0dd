import SSFKernels
import Testing

/// Products by the transpose of a matrix that is packed the other way.
@Suite struct GEMMTransposedTests {
    /// C = A B with B packed, and with B made in the call from packed Bᵀ.
    private func outcomes(
        m: Int, n: Int, k: Int, precision: Precision, table: KernelTable
    ) -> (packed: [UInt32], transposed: [UInt32], isIntact: Bool) {
        let a = TestFloats(numbers(m * k, seed: 1))
        let b = TestFloats(numbers(k * n, seed: 2))
        let scale = TestFloats(numbers(k, seed: 3))
        var gradient = GEMMPrologue.Gradient()
        gradient.scale = UnsafePointer(scale.pointer)
        let packed = GEMM.pack(
            k: k, n: n, b: b.pointer, rowStride: n, columnStride: 1, precision: precision, table: table)
        let other = GEMM.pack(
            k: n, n: k, b: b.pointer, rowStride: 1, columnStride: n, precision: precision, table: table)
        let results = [GEMMOperandB.packed(packed), .transposed(other)].map { operand in
            let c = TestFloats([Double](repeating: 9, count: m * n))
            GEMM.multiply(
                m: m, n: n, k: k, a: a.matrix, aRowStride: k, aColumnStride: 1, b: operand, c: c.mutableMatrix,
                cRowStride: n, prologue: .gradient(gradient), workspace: Workspace(), table: table)
            return c
        }
        return (results[0].bits, results[1].bits, results.allSatisfy(\.isIntact))
    }

    /// One vector, one tile and several each way, whole and not; odd counts leave half a pair.
    @Test(arguments: KernelTable.available, Precision.allCases)
    func sameBitsAsPacked(_ table: KernelTable, _ precision: Precision) {
        let sizes = [1, 2, 15, 16, 17, 47, 48, 49, 95, 97, 150]
        for n in sizes {
            for k in sizes {
                let found = outcomes(m: 5, n: n, k: k, precision: precision, table: table)
                #expect(found.packed.elementsEqual(found.transposed), "\(n) columns, \(k) steps")
                #expect(found.isIntact, "\(n) columns, \(k) steps: written beside C")
            }
        }
    }

    /// Large enough for several threads.
    @Test(arguments: KernelTable.available, Precision.allCases)
    func sameBitsFromSeveralThreads(_ table: KernelTable, _ precision: Precision) {
        let found = outcomes(m: 70, n: 400, k: 333, precision: precision, table: table)
        #expect(found.packed.elementsEqual(found.transposed))
    }
}
