import SSFKernels
import Testing

@Suite struct MachinePeakTests {
    /// A wider vector does more: a loop that the compiler spoilt would not. Far from the factor of two, because the
    /// machine may be busy.
    @Test func widerVectorsReachMore() {
        let peaks = KernelTable.available.map { MachinePeak.gigaFLOPs(threads: 1, windows: 30, table: $0) }
        #expect(peaks.allSatisfy { $0 > 1 && $0 < 1000 }, "\(peaks)")
        for (narrow, wide) in zip(peaks, peaks.dropFirst()) { #expect(wide > 1.2 * narrow, "\(peaks)") }
    }

    @Test func theTriadMovesMemory() {
        let bandwidth = MachinePeak.triadGigabytes(threads: 1, megabytes: 16, windows: 4)
        #expect(bandwidth > 0.5 && bandwidth < 2000)
    }
}
