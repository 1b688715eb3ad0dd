import SSFCommands
import SSFModels
import SSFTensors
import SSFTraining
import SSFTuning
import Testing

@Suite("Comparing two models")
struct ModelComparisonTests {
    private func model(seed: UInt64 = 0) throws -> TunedModel {
        try TunedModel(
            scratch: VisionTransformer(
                VisionTransformer.Configuration(
                    width: 16, depth: 1, heads: 2, patchSize: 4, imageHeight: 8, imageWidth: 8)),
            options: TunedModel.Options(
                tuning: TuningConfiguration(method: "full"), classes: ["a", "b", "c"], imageSize: (8, 8), seed: seed))
    }

    private let images: MemoryBatchSource = {
        let pixels = Tensor(zeros: [20, 3, 8, 8])
        var random = RandomGenerator(seed: 1)
        for i in 0..<pixels.count { pixels.floats[i] = Float(random.normal()) }
        return MemoryBatchSource(pixels: pixels, labels: [Int32](repeating: 0, count: 20))
    }()

    @Test("Equal models agree to the bit")
    func equal() throws {
        let comparison = try ModelComparison(try model(), try model(), on: images, relativeTolerance: 1e-4)
        #expect(comparison.images == 20)
        #expect(comparison.agreements == 20)
        #expect(comparison.largestDifference == 0)
        #expect(comparison.passes)
    }

    @Test("Other weights do not pass, nor do logits that are no numbers")
    func different() throws {
        let other = try ModelComparison(try model(), try model(seed: 1), on: images, relativeTolerance: 1e-4)
        #expect(other.largestDifference > other.tolerance)
        #expect(!other.passes)

        let broken = try model()
        broken.parameters.trainable.floats.update(repeating: .nan)
        #expect(try !ModelComparison(try model(), broken, on: images, relativeTolerance: 1e-4).passes)
        #expect(try !ModelComparison(broken, try model(), on: images, relativeTolerance: 1e-4).passes)
    }

    @Test("The tolerance is relative to the largest logit, at least to 1")
    func tolerance() throws {
        let model = try model()
        let head = try #require(model.parameters.tensor(named: "head.bias"))
        head.floats[0] = 50
        let comparison = try ModelComparison(model, model, on: images, relativeTolerance: 1e-2)
        #expect(comparison.largestLogit > 49)
        #expect(abs(comparison.tolerance - 1e-2 * comparison.largestLogit) < 1e-12)
        #expect(
            try ModelComparison(try self.model(), try self.model(), on: images, relativeTolerance: 1e-2).tolerance
                == 1e-2)
    }
}
