import SSFKernels
import Testing

/// The peaks as other packages measure them.
@Suite struct PeakMeterTests {
    @Test func windowsAgreeWithTheLongMeasurement() {
        let meter = PeakMeter(threads: 1)
        // The best of several: a window of a millisecond falls into the time of another program now and then.
        let single = (0..<8).map { _ in meter.gigaFLOPs() }.max()!
        let long = MachinePeak.gigaFLOPs(threads: 1, windows: 40)
        #expect(single > 0.5 * long && single < 2 * long, "\(single) and \(long) GFLOP/s")
        let bfloat16 = (0..<8).map { _ in meter.gigaFLOPs(.bfloat16) }.max()!
        #expect(bfloat16 > 0.5 * single, "\(bfloat16) and \(single) GFLOP/s")
    }

    @Test func everyThreadTakesPart() {
        let meter = PeakMeter(threads: 3)
        #expect(meter.threads == 3)
        let bandwidth = meter.triadGigabytes()
        #expect(bandwidth > 0.5 && bandwidth < 2000, "\(bandwidth) GB/s")
    }
}
