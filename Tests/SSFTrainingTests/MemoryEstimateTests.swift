import SSFGraph
import SSFTensors
import SSFTraining
import Testing

@Suite("The memory of a run, before it begins")
struct MemoryEstimateTests {
    private func trainer(
        _ method: String = "full", batch: Int = 16, images: Int = 128, optimizer: OptimizerChoice = .adamw,
        memory: MemoryLimit.Allowance = MemoryLimit.allowed
    ) throws -> Trainer {
        try Trainer(
            model: try TinyTask.model(method: method), training: TinyTask.images(images),
            validation: TinyTask.images(20, seed: 2),
            configuration: TrainingConfiguration(
                epochs: 1, batchSize: batch, learningRate: 1e-3, optimizer: optimizer),
            resident: [MemoryEstimate.Part("program", bytes: 1000)], memory: memory)
    }

    private func part(_ name: String, of estimate: MemoryEstimate) -> Int? {
        estimate.parts.first { $0.name == name }?.bytes
    }

    @Test("The parts are those of the executors and vectors that a run makes")
    func parts() throws {
        let model = try TinyTask.model(method: "full")
        let estimate = try trainer().memoryEstimate(batch: 16)
        #expect(part("program", of: estimate) == 1000)
        #expect(
            part("activations and gradients", of: estimate)
                == (try model.executor(batch: 16, mode: .training, handsOverGradients: true).plannedByteCount))
        // 20 images: a batch of 16 and one of 4.
        let evaluation = try [16, 4].reduce(0) {
            $0 + (try model.executor(batch: $1, mode: .inference).plannedByteCount)
        }
        #expect(part("evaluation", of: estimate) == evaluation)
        #expect(part("trained numbers and AdamW", of: estimate) == 16 * model.parameters.layout.count)
        // Gradient descent keeps one moment and not two.
        let descent = try trainer(optimizer: .sgd).memoryEstimate(batch: 16)
        #expect(part("trained numbers and SGD", of: descent) == 12 * model.parameters.layout.count)
        #expect(estimate.total - descent.total == 4 * model.parameters.layout.count)
        #expect(estimate.total == estimate.parts.reduce(0) { $0 + $1.bytes })
        // Weights that train are laid out by each product.
        #expect(try #require(part("packed weights", of: estimate)) == 0)
        #expect(try #require(part("scratch", of: estimate)) > 0)
    }

    @Test("Features that are kept make the buffers of a step small, and count themselves")
    func features() throws {
        let estimate = try trainer("linear").memoryEstimate(batch: 16)
        let full = try trainer("full").memoryEstimate(batch: 16)
        #expect(part("features", of: estimate) == 4 * 24 * 148)
        #expect(
            try #require(part("activations and gradients", of: estimate))
                < (try #require(part("activations and gradients", of: full))) / 10)
    }

    @Test("A run that does not fit is refused with both numbers and the batch size that fits")
    func refused() throws {
        let free = try trainer()
        let allowed = try free.memoryEstimate(batch: 8).total
        let error = #expect(throws: UserError.self) {
            _ = try trainer(memory: MemoryLimit.Allowance(bytes: allowed, reason: "which a test allows"))
        }
        #expect(error?.expected?.contains("which a test allows") == true)
        let remedy = try #require(error?.remedy)
        let words = remedy.split(separator: " ")
        let position = try #require(words.firstIndex(of: "--batch-size"))
        let fitting = try #require(Int(words[position + 1]))
        #expect(try free.memoryEstimate(batch: fitting).total <= allowed / 10 * 9)
        #expect(try free.memoryEstimate(batch: fitting + 1).total > allowed / 10 * 9)
        #expect(remedy.contains("--method linear"))

        let none = #expect(throws: UserError.self) {
            _ = try trainer(memory: MemoryLimit.Allowance(bytes: 2000, reason: "which a test allows"))
        }
        #expect(none?.remedy?.contains("not even a batch of one") == true)
    }

    @Test("The largest batch is the last that fits")
    func largest() throws {
        let trainer = try trainer()
        for batch in [1, 5, 40] {
            let bytes = try trainer.memoryEstimate(batch: batch).total
            #expect(try trainer.largestBatch(within: bytes, atMost: 64) == batch)
            #expect(try trainer.largestBatch(within: bytes, atMost: batch - 1) == (batch > 1 ? batch - 1 : nil))
        }
    }
}
