import Foundation
import SSFCheckpoints
import SSFGraph
import SSFKernels
import SSFTensors
import SSFTestSupport
import SSFTraining
import SSFTuning
import Testing

/// Models over one backbone: they answer as by themselves, and a further one costs what it trains.
@Suite struct SharedWeightsTests {
    private static let tunings: [TuningConfiguration] = [
        .init(method: "ssf"), .init(method: "lora"), .init(method: "vpt-deep", options: ["prompts": .integer(3)]),
        .init(method: "adapter", options: ["reduction": .integer(8)]), .init(method: "full"),
    ]

    private let checkpoint: Checkpoint
    private let images: MemoryBatchSource

    init() throws {
        checkpoint = try Checkpoint.load(Goldens.path("gradients/vit"))
        let pixels = Tensor(zeros: [7, 3, 16, 16])
        var random = RandomGenerator(seed: 3, stream: "shared")
        let floats = pixels.floats
        for i in floats.indices { floats[i] = Float(random.normal()) }
        images = MemoryBatchSource(pixels: pixels, labels: [Int32](repeating: 0, count: 7))
    }

    /// A model with values of its own: no two answer alike.
    private func model(_ index: Int, shared: SharedWeights?, precision: Precision = .float32) throws -> TunedModel {
        var options = TunedModel.Options(
            tuning: Self.tunings[index], classes: (0..<3 + index).map { "class \($0)" }, imageSize: (16, 16),
            seed: UInt64(index))
        options.precision = precision
        return try TunedModel(checkpoint: checkpoint, options: options, shared: shared)
    }

    private func logits(_ models: [TunedModel]) throws -> [[Float]] {
        var logits = [[Float]](repeating: [], count: models.count)
        try JointEvaluator(models: models, batchSize: 4).forEachBatch(of: images) { _, position, values in
            logits[position] += Array(values)
        }
        return logits
    }

    @Test(
        "Adapters of several methods and class lists answer bit for bit as by themselves", arguments: Precision.allCases
    )
    func sameAnswers(_ precision: Precision) throws {
        let alone = try Self.tunings.indices.map { try logits([model($0, shared: nil, precision: precision)])[0] }
        let shared = SharedWeights()
        let together = try logits(Self.tunings.indices.map { try model($0, shared: shared, precision: precision) })
        #expect(together.map(\.count) == [21, 28, 35, 42, 49])
        for (a, b) in zip(alone, together) {
            #expect(a.elementsEqual(b))
            #expect(a.allSatisfy { $0.isFinite })
        }
    }

    @Test("The frozen weights are there once, however many adapters stand over them")
    func packedOnce() throws {
        let shared = SharedWeights()
        let first = try model(0, shared: shared)
        _ = try logits([first])
        let bytes = shared.byteCount
        #expect(bytes > 0)
        let slab = shared.slab(byteCount: 1)
        var models = [first]
        for _ in 0..<8 { models.append(try model(0, shared: shared)) }
        _ = try logits(models)
        #expect(shared.byteCount == bytes)
        #expect(shared.slab(byteCount: 1) === slab)
        // Another method reads the same weights, beside small ones of its own; full tuning reads none of them.
        _ = try logits([model(2, shared: shared)])
        #expect(shared.byteCount == bytes)
        _ = try logits([model(4, shared: shared)])
        #expect(shared.byteCount == bytes)
    }

    @Test("Weights of half precision are widened once as well")
    func convertedOnce() throws {
        let folder = try TemporaryFolder()
        let halves = try Checkpoint.load(Goldens.path("gradients/vit")).tensors.mapValues { $0.converted(to: .bf16) }
        let file = folder.file("halves.safetensors")
        try Safetensors.write(halves, to: file)
        var narrow = checkpoint
        narrow.tensors = try Safetensors.read(file).tensors
        let shared = SharedWeights()
        func make() throws -> TunedModel {
            try TunedModel(
                checkpoint: narrow,
                options: .init(tuning: .init(method: "ssf"), classes: ["a", "b"], imageSize: (16, 16)), shared: shared)
        }
        let one = try logits([make()])
        let bytes = shared.byteCount
        let two = try logits([make(), make()])
        #expect(shared.byteCount == bytes)
        #expect(two[0].elementsEqual(one[0]) && two[1].elementsEqual(one[0]))
    }
}
