import SSFKernels
import SSFParallel
import Testing

/// Products that are computed in bfloat16, and those whose operands or results are stored in it. The reference is the
/// exact product of the rounded operands, so that the tolerance is that of single precision.
@Suite struct GEMMBFloat16Tests {
    private func expectRight(_ product: GEMMTestProduct, _ table: KernelTable, _ note: String) {
        let outcome = product.run(table)
        func tolerance(_ name: Character) -> Double {
            product.halves.contains(name) ? product.toleranceOfHalves(table) : product.tolerance(table)
        }
        let error = worstError(outcome.c, outcome.expected, magnitudes: outcome.magnitudes)
        #expect(error <= tolerance("c"), "\(note): \(product)")
        if !outcome.kept.isEmpty {
            let keptError = worstError(outcome.kept, outcome.expectedKept, magnitudes: outcome.keptMagnitudes)
            #expect(keptError <= tolerance("K"), "\(note), kept: \(product)")
        }
        #expect(outcome.isIntact, "\(note) wrote beside C: \(product)")
    }

    /// Sums of small whole numbers are exact in every order: not a bit may be wrong, wherever an element comes to stand.
    private func expectExact(_ product: GEMMTestProduct, _ table: KernelTable, _ note: String) {
        var product = product
        product.precision = .bfloat16
        product.whole = true
        let outcome = product.run(table)
        #expect(outcome.c == outcome.expected, "\(note): \(product)")
        #expect(outcome.kept == outcome.expectedKept, "\(note), kept: \(product)")
        #expect(outcome.isIntact, "\(note) wrote beside C: \(product)")
    }

    @Test(arguments: KernelTable.available)
    func everyEdgeOfATileIsRight(_ table: KernelTable) {
        for m in [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 17, 65] {
            for n in [1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 15, 16, 17, 31, 32, 33, 47, 48, 49, 65, 97] {
                expectExact(GEMMTestProduct(m: m, n: n, k: 19, misalignment: n % 3), table, "edge")
            }
        }
    }

    /// Whole and half pairs, blocks of 16 and of 32 steps, one block of k and several.
    @Test(arguments: KernelTable.available)
    func everyLengthOfTheSumIsRight(_ table: KernelTable) {
        for k in [0, 1, 2, 3, 15, 16, 17, 30, 31, 32, 33, 34, 47, 48, 49, 63, 64, 65, 100, 767, 768, 769, 1537, 3073] {
            for halves in ["", "ab"] {
                expectExact(GEMMTestProduct(m: 11, n: 51, k: k, halves: halves), table, "k")
                expectExact(
                    GEMMTestProduct(m: 11, n: 51, k: k, transposedA: true, transposedB: true, halves: halves), table,
                    "k")
            }
            let product = GEMMTestProduct(m: 11, n: 51, k: k, epilogue: "bsh", precision: .bfloat16)
            expectRight(product, table, "k")
        }
        for k in [6143, 6145, 12_300] {
            expectRight(GEMMTestProduct(m: 9, n: 49, k: k, epilogue: "bshK", precision: .bfloat16), table, "k")
        }
    }

    @Test(arguments: KernelTable.available)
    func everyTranspositionAndStorageIsRight(_ table: KernelTable) {
        for transposedA in [false, true] {
            for transposedB in [false, true] {
                for packed in [false, true] {
                    for (m, n, k) in [(5, 9, 7), (23, 50, 37), (64, 96, 48), (97, 101, 131)] {
                        for halves in ["", "a", "b", "ab"] {
                            var product = GEMMTestProduct(
                                m: m, n: n, k: k, transposedA: transposedA, transposedB: transposedB, misalignment: 3,
                                gap: 5, packed: packed, precision: .bfloat16, halves: halves)
                            expectExact(product, table, "strides")
                            expectRight(product, table, "strides")
                            // In single precision what is stored in bfloat16 is widened.
                            product.precision = .float32
                            expectRight(product, table, "strides, single precision")
                        }
                    }
                }
            }
        }
    }

    /// Neither direction contiguous: element by element.
    @Test(arguments: KernelTable.available)
    func stridesInBothDirectionsAreRight(_ table: KernelTable) {
        let (m, n, k) = (13, 37, 45)
        let a = numbers(m * k, seed: 1, from: -4, to: 5).map { $0.rounded(.down) }
        let b = numbers(k * n, seed: 2, from: -4, to: 5).map { $0.rounded(.down) }
        let expected = Reference.multiply(m: m, n: n, k: k, a: a, b: b).c
        // Every third element of a row, every row twice as long.
        func spread(_ matrix: [Double], _ rows: Int, _ columns: Int) -> TestHalves {
            var values = [Double](repeating: 100, count: rows * columns * 6)
            for i in 0..<rows { for j in 0..<columns { values[i * columns * 6 + j * 3] = matrix[i * columns + j] } }
            return TestHalves(values)
        }
        let (spreadA, spreadB) = (spread(a, m, k), spread(b, k, n))
        let c = TestFloats([Double](repeating: 0, count: m * n))
        GEMM.multiply(
            m: m, n: n, k: k, a: spreadA.pointer, aRowStride: 6 * k, aColumnStride: 3, b: spreadB.pointer,
            bRowStride: 6 * n, bColumnStride: 3, c: c.pointer, cRowStride: n, precision: .bfloat16,
            workspace: Workspace(), table: table)
        #expect(c.values == expected)
    }

    /// All 128 combinations, on a size with whole tiles and edges, in one k block and in several, with results and
    /// residual in either type.
    @Test(arguments: KernelTable.available)
    func everyEpilogueIsRight(_ table: KernelTable) {
        let names = Array("bshrRKA")
        for mask in 0..<1 << names.count {
            let epilogue = String(names.indices.filter { mask & 1 << $0 != 0 }.map { names[$0] })
            let halves = ["", "cK", "aK", "acKR"][mask / 3 % 4]
            let k = mask % 16 == 15 ? 6200 : 21
            expectRight(
                GEMMTestProduct(
                    m: 19, n: 105, k: k, epilogue: epilogue, misalignment: 1, gap: 3, precision: .bfloat16,
                    halves: halves), table, "epilogue")
        }
    }

    /// A result in bfloat16 is the result in single precision, rounded.
    @Test(arguments: KernelTable.available)
    func aStoredResultIsTheRoundedOne(_ table: KernelTable) {
        for precision in Precision.allCases {
            for (m, n, k) in [(8, 48, 33), (29, 101, 70), (1, 33, 20)] {
                var product = GEMMTestProduct(m: m, n: n, k: k, epilogue: "bshrRK", gap: 2, precision: precision)
                let exact = product.run(table)
                product.halves = "cK"
                let rounded = product.run(table)
                #expect(rounded.c == exact.c.map(roundedToBFloat16), "\(product)")
                #expect(rounded.kept == exact.kept.map(roundedToBFloat16), "\(product)")
            }
        }
    }

    @Test(arguments: KernelTable.available)
    func theResidualMayBeTheMemoryOfC(_ table: KernelTable) {
        for (k, halves) in [(40, ""), (6200, ""), (40, "c"), (6200, "c")] {
            expectRight(
                GEMMTestProduct(
                    m: 21, n: 100, k: k, epilogue: "bshrR", gap: 2, residualIsC: true, precision: .bfloat16,
                    halves: halves), table, "in place")
        }
    }

    @Test(arguments: KernelTable.available)
    func layerSizesAreRight(_ table: KernelTable) {
        for (m, n, k) in [(1, 192, 192), (17, 576, 192), (197, 96, 64), (136, 192, 768), (0, 5, 5), (5, 0, 5)] {
            for packed in [false, true] {
                expectRight(
                    GEMMTestProduct(m: m, n: n, k: k, epilogue: "bK", packed: packed, precision: .bfloat16), table,
                    "layer")
            }
        }
    }

    @Test(arguments: KernelTable.available)
    func theBitsDoNotDependOnTheThreads(_ table: KernelTable) {
        for product in [
            GEMMTestProduct(m: 200, n: 300, k: 131, epilogue: "bshrRA", precision: .bfloat16),
            GEMMTestProduct(m: 30, n: 150, k: 6400, packed: false, precision: .bfloat16, halves: "ab"),
            GEMMTestProduct(m: 3, n: 700, k: 801, epilogue: "K", precision: .bfloat16, halves: "acK"),
        ] {
            let serial = Parallel.withThreads(1) { product.run(table, compares: false) }
            for threads in [2, 5] {
                let parallel = Parallel.withThreads(threads) { product.run(table, compares: false) }
                #expect(parallel.bits == serial.bits && parallel.keptBits == serial.keptBits, "\(threads): \(product)")
            }
        }
    }

    /// What is no number stays in its row or column, and what fills up pairs and vectors is never part of a sum.
    @Test(arguments: KernelTable.available)
    func infinitiesAndNaNsStayWhereTheyBelong(_ table: KernelTable) {
        let (m, n, k) = (11, 50, 35)
        for special in [Double.infinity, -.infinity, .nan, 3.4e38] {
            for step in [0, 1, 33, 34] {
                var a = [Double](repeating: 1, count: m * k)
                var b = [Double](repeating: 1, count: k * n)
                a[4 * k + step] = special
                b[step * n + 20] = special
                let (storedA, storedB) = (TestFloats(a), TestFloats(b))
                let c = TestFloats([Double](repeating: 0, count: m * n))
                GEMM.multiply(
                    m: m, n: n, k: k, a: storedA.pointer, aRowStride: k, aColumnStride: 1,
                    b: storedB.pointer, bRowStride: n, bColumnStride: 1, c: c.pointer, cRowStride: n,
                    precision: .bfloat16, workspace: Workspace(), table: table)
                let values = c.values
                // 3.4e38 is beyond the greatest bfloat16 by more than half of its last place.
                let rounded = roundedToBFloat16(special)
                #expect(!rounded.isFinite)
                for i in 0..<m {
                    for j in 0..<n {
                        let isTouched = i == 4 || j == 20
                        let expected = isTouched ? (i == 4 && j == 20 ? rounded * rounded : rounded) : Double(k)
                        let seen = values[i * n + j]
                        #expect(seen == expected || seen.isNaN && expected.isNaN, "\(special) at \(step): \(i), \(j)")
                    }
                }
            }
        }
    }

    /// A packed matrix takes half of the memory.
    @Test(arguments: KernelTable.available)
    func packedMatricesAreSmall(_ table: KernelTable) {
        let (n, k) = (50, 33)
        let b = TestFloats(numbers(k * n, seed: 1))
        let packed = GEMM.pack(
            k: k, n: n, b: b.pointer, rowStride: n, columnStride: 1, precision: .bfloat16, table: table)
        #expect(packed.precision == .bfloat16)
        #expect(packed.byteCount >= 2 * k * n && packed.byteCount < 2 * (k + 1) * (n + 16))
    }

    /// Where bfloat16 is multiplied and where it is widened, the same rounded operands go into the sums.
    @Test func instructionSetsAgree() {
        let product = GEMMTestProduct(m: 40, n: 70, k: 501, epilogue: "bsh", precision: .bfloat16)
        let outcomes = KernelTable.available.map { ($0, product.run($0)) }
        for (table, outcome) in outcomes.dropFirst() {
            let error = worstError(outcome.c, outcomes[0].1.c, magnitudes: outcome.magnitudes)
            #expect(error <= product.tolerance(table) + product.tolerance(outcomes[0].0))
        }
    }

    @Test func spansOfEitherTypeAreMultiplied() {
        let a = [BFloat16(1), BFloat16(2), BFloat16(3), BFloat16(4)]
        let b: [Float] = [1, 1 + 0x1p-9, 2, 1]
        let expected: [Float] = [5, 3, 11, 7]
        for precision in Precision.allCases {
            let exact: [Float] = [5, 3 + 0x1p-9, 11, 7 + 3 * 0x1p-9]
            var c = [Float](repeating: 0, count: 4)
            var out = c.mutableSpan
            GEMM.multiply(
                m: 2, n: 2, k: 2, a: a.span, b: b.span, into: &out, precision: precision, workspace: Workspace())
            #expect(c == (precision == .bfloat16 ? expected : exact))

            var halves = [BFloat16](repeating: BFloat16(0), count: 4)
            var rounded = halves.mutableSpan
            let packed = GEMM.pack(k: 2, n: 2, b: b.span, precision: precision)
            GEMM.multiply(m: 2, a: a.span, packed: packed, into: &rounded, workspace: Workspace())
            #expect(halves.map { Float($0) } == expected)
        }
    }
}
