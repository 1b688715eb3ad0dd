import SSFTraining
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

@Suite("Learning-rate schedules")
struct LearningRateScheduleTests {
    /// The values that the SSF reference logs: peak 1e-3, 100 epochs, 10 of warm-up from 1e-7, minimum 1e-8, cooldown.
    @Test(
        "The formula per epoch gives the reference's rates",
        arguments: [
            (0, 1e-7), (1, 1.0009e-4), (9, 9.0001e-4), (10, 9.755285e-4), (50, 5.00005e-4), (99, 2.5673e-7),
            (100, 1e-8), (109, 1e-8),
        ])
    func perEpoch(epoch: Int, expected: Double) {
        let schedule = LearningRateSchedule(
            unit: .epoch, peak: 1e-3, length: 100, warmup: 10, warmupRate: 1e-7, minimumRate: 1e-8)
        let rate = schedule.rate(step: 390 * epoch + 17, epoch: epoch)
        #expect(abs(rate - expected) <= 1e-4 * expected, "epoch \(epoch): \(rate), not \(expected)")
    }

    @Test("The formula per step is linear warm-up times cosine", arguments: [0, 1, 43, 44, 45, 100, 225, 449])
    func perStep(step: Int) {
        let schedule = LearningRateSchedule(unit: .step, peak: 5e-3, length: 450, warmup: 45)
        let t = Double(step)
        let expected = 5e-3 * min(1, (t + 1) / 45) * 0.5 * (1 + cos(.pi * t / 450))
        #expect(abs(schedule.rate(step: step, epoch: step / 15) - expected) <= 1e-15)
    }

    @Test("Past its end a schedule stays at the minimum")
    func cooldown() {
        let schedule = LearningRateSchedule(unit: .step, peak: 1, length: 10, warmup: 0, minimumRate: 0.25)
        #expect(schedule.rate(step: 10, epoch: 0) == 0.25)
        #expect(schedule.rate(step: 0, epoch: 0) == 1)
    }

    @Test("A configuration's schedule counts the steps that are made")
    func steps() {
        var configuration = TrainingConfiguration(
            epochs: 30, batchSize: 64, learningRate: 5e-3, warmupEpochs: 3)
        #expect(configuration.schedule(images: 1000).length == 450)
        #expect(configuration.schedule(images: 1000).warmup == 45)
        configuration.accumulation = 4
        #expect(configuration.stepsPerEpoch(images: 1000) == 4)
        configuration.accumulation = 1
        #expect(configuration.batchesPerEpoch(images: 63) == 1)
        #expect(configuration.batchesPerEpoch(images: 64) == 1)
        #expect(configuration.batchesPerEpoch(images: 127) == 1)
    }
}
