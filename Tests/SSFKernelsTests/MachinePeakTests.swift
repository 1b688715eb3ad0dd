import SSFKernels
import Testing

@Suite struct MachinePeakTests {
    /// A wider vector does more: a loop that the compiler spoilt would not. Far from the factor of two, because the
    /// machine may be busy.
    @Test func widerVectorsReachMore() {
        // avx512bf16 has the vectors of avx512.
        let tables = KernelTable.available.filter { !$0.multipliesBFloat16 }
        let peaks = tables.map { MachinePeak.gigaFLOPs(threads: 1, windows: 30, table: $0) }
        #expect(peaks.allSatisfy { $0 > 1 && $0 < 1000 }, "\(peaks)")
        for (narrow, wide) in zip(peaks, peaks.dropFirst()) { #expect(wide > 1.2 * narrow, "\(peaks)") }
    }

    /// One instruction on bfloat16 does twice the work of a multiply-add.
    @Test(arguments: KernelTable.available)
    func bfloat16ReachesMore(_ table: KernelTable) throws {
        let bfloat16 = MachinePeak.gigaFLOPs(precision: .bfloat16, threads: 1, windows: 30, table: table)
        guard table.multipliesBFloat16 else {
            #expect(bfloat16 == nil)
            return
        }
        let single = try #require(
            MachinePeak.gigaFLOPs(precision: .float32, threads: 1, windows: 30, table: table))
        #expect(try #require(bfloat16) > 1.2 * single)
    }

    @Test func theTriadMovesMemory() {
        let bandwidth = MachinePeak.triadGigabytes(threads: 1, megabytes: 16, windows: 4)
        #expect(bandwidth > 0.5 && bandwidth < 2000)
    }

    @Test func readingAndUpdatingMoveMemory() {
        for table in KernelTable.available {
            for bandwidth in [
                MachinePeak.readGigabytes(threads: 1, megabytes: 16, windows: 4, table: table),
                MachinePeak.updateGigabytes(threads: 1, megabytes: 16, windows: 4, table: table),
            ] {
                #expect(bandwidth > 0.5 && bandwidth < 2000, "\(table.instructionSet)")
            }
        }
    }
}
