import SSFTensors
import SSFTraining
import Testing

@Suite("Where the time of a step goes")
struct StepProfileTests {
    @Test("Operations, phases and the rest make up the step; FLOPs are those of the program", arguments: [1, 2])
    func measured(accumulation: Int) throws {
        let trainer = try Trainer(
            model: try TinyTask.model(), training: TinyTask.images(40),
            configuration: TrainingConfiguration(
                epochs: 1, batchSize: 8, learningRate: 1e-3, accumulation: accumulation))
        // More steps than the epoch has batches.
        let profile = try trainer.profile(steps: 6)
        #expect(profile.steps == 6)
        #expect(profile.images == 8 * accumulation)
        let around = profile.phases.reduce(0) { $0 + $1.seconds }
        #expect(profile.total.seconds + around <= profile.secondsPerStep * 1.001)
        #expect(profile.total.seconds > 0)
        let flops = try trainer.flopsPerStep()
        // Fusion leaves out the passes of what it folds in; products are the same.
        #expect(profile.total.forwardFLOPs <= flops.forward)
        #expect(Double(profile.total.forwardFLOPs) > 0.9 * Double(flops.forward))
        #expect(Double(profile.total.backwardFLOPs) > 0.9 * Double(flops.backward))
        #expect(profile.classes.reduce(0) { $0 + $1.flops } == profile.total.flops)
        #expect(profile.classes.reduce(0) { $0 + $1.count } == profile.operations.count)
        #expect(profile.classes.map(\.seconds) == profile.classes.map(\.seconds).sorted(by: >))
        let qkv = try #require(profile.sites.first { $0.name == "blocks.*.attn.qkv" })
        #expect(qkv.count == 2)
        // Two blocks, each with the norm that fusion has put before the product: 8 operations a number.
        #expect(qkv.forwardFLOPs == 2 * accumulation * (2 * 8 * 17 * 24 * 72 + 8 * 8 * 17 * 24))
        // Everything trains: dx and dW.
        #expect(qkv.backwardFLOPs >= 2 * qkv.forwardFLOPs)
        #expect(profile.peakGigaFLOPs > 0 && profile.peakGigabytes > 0)
        #expect((0...1).contains(profile.utilisation))
    }

    @Test("A run that keeps features is profiled as it runs: its trained end alone")
    func features() throws {
        let trainer = try Trainer(
            model: try TinyTask.model(method: "linear"), training: TinyTask.images(40),
            configuration: TrainingConfiguration(epochs: 1, batchSize: 8, learningRate: 1e-3))
        let profile = try trainer.profile(steps: 2)
        #expect(profile.operations.map(\.kind) == ["Linear", "CrossEntropy"])
        #expect(profile.total.flops == (try trainer.flopsPerStep().forward + trainer.flopsPerStep().backward))
    }

    @Test("What limits a row follows from its operations for each byte")
    func limits() {
        func row(flops: Int, bytes: Int) -> StepProfile.Row {
            StepProfile.Row(
                name: "x", forwardSeconds: 1, backwardSeconds: 1, forwardFLOPs: flops, backwardFLOPs: 0,
                forwardBytes: bytes, backwardBytes: 0)
        }
        let profile = StepProfile(
            steps: 1, images: 1, operations: [.init(kind: "A", site: "a", row: row(flops: 4_000_000_000, bytes: 8))],
            phases: [.init(name: "data", seconds: 1)], secondsPerStep: 4, peakGigaFLOPs: 500, peakGigabytes: 100)
        #expect(profile.isBoundByMemory(row(flops: 49, bytes: 10)))
        #expect(!profile.isBoundByMemory(row(flops: 51, bytes: 10)))
        #expect(profile.utilisation == 1.0 / 500)
        #expect(profile.otherSeconds == 1)
        #expect(profile.total.gigaFLOPsPerSecond == 2)
    }
}
