import SSFKernels
import SSFParallel
import Testing

@Suite struct GEMMTests {
    private func expectExact(_ product: GEMMTestProduct, _ table: KernelTable, _ note: String) {
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
                expectExact(GEMMTestProduct(m: m, n: n, k: 19, misalignment: n % 3), table, "edge")
            }
        }
    }

    @Test(arguments: KernelTable.available)
    func everyLengthOfTheSumIsRight(_ table: KernelTable) {
        for k in [0, 1, 2, 15, 16, 17, 31, 32, 33, 100, 767, 768, 769, 1536, 1537, 3073, 3200] {
            expectExact(GEMMTestProduct(m: 11, n: 51, k: k, epilogue: "bsh"), table, "k")
            expectExact(GEMMTestProduct(m: 11, n: 51, k: k, transposedA: true, transposedB: true), table, "k")
        }
    }

    @Test(arguments: KernelTable.available)
    func everyTranspositionIsRight(_ table: KernelTable) {
        for transposedA in [false, true] {
            for transposedB in [false, true] {
                for packed in [false, true] {
                    for (m, n, k) in [(5, 9, 7), (23, 50, 37), (64, 96, 48), (97, 101, 130)] {
                        let product = GEMMTestProduct(
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
                GEMMTestProduct(m: 19, n: 105, k: k, epilogue: epilogue, misalignment: 1, gap: 3), table, "epilogue")
        }
    }

    @Test(arguments: KernelTable.available)
    func theResidualMayBeTheMemoryOfC(_ table: KernelTable) {
        for k in [40, 3100] {
            expectExact(
                GEMMTestProduct(m: 21, n: 100, k: k, epilogue: "bshrR", gap: 2, residualIsC: true), table, "in place")
        }
    }

    @Test(arguments: KernelTable.available)
    func layerSizesAreRight(_ table: KernelTable) {
        for (m, n, k) in [(1, 192, 192), (17, 576, 192), (197, 96, 64), (136, 192, 768)] {
            expectExact(GEMMTestProduct(m: m, n: n, k: k, epilogue: "bK"), table, "layer")
        }
    }

    @Test(arguments: KernelTable.available)
    func anEmptyProductTouchesNothing(_ table: KernelTable) {
        for (m, n, k) in [(0, 5, 5), (5, 0, 5), (0, 0, 0)] {
            expectExact(GEMMTestProduct(m: m, n: n, k: k), table, "empty")
            expectExact(GEMMTestProduct(m: m, n: n, k: k, packed: false), table, "empty")
        }
    }

    @Test(arguments: KernelTable.available)
    func theBitsDoNotDependOnTheThreads(_ table: KernelTable) {
        for product in [
            GEMMTestProduct(m: 200, n: 300, k: 130, epilogue: "bshrRA"),
            GEMMTestProduct(m: 70, n: 500, k: 3200, packed: false),
            GEMMTestProduct(m: 3, n: 700, k: 800, epilogue: "K"),
        ] {
            let serial = Parallel.withThreads(1) { product.run(table, compares: false).bits }
            for threads in [2, 5] {
                #expect(
                    Parallel.withThreads(threads) { product.run(table, compares: false).bits } == serial,
                    "\(threads): \(product)")
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
    func packedMatricesAreHardlyLarger(_ table: KernelTable) {
        let (n, k) = (50, 33)
        let b = TestFloats(numbers(k * n, seed: 1))
        let packed = GEMM.pack(k: k, n: n, b: b.pointer, rowStride: n, columnStride: 1, table: table)
        #expect(packed.byteCount >= 4 * k * n && packed.byteCount < 4 * k * (n + 16))
    }
}
