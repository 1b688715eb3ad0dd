import SSFGraph
import SSFTensors
import Testing

/// Where buffers lie, seen from outside: the slab is no smaller than any plan must be, and sharing changes no result.
@Suite struct MemoryPlanTests {
    private func program(batch: Int, depth: Int) -> Program {
        var program = Program(batch: batch)
        let images = program.input("images", shape: [batch, 3, 8, 8], role: .images)
        let labels = program.input("labels", shape: [batch], role: .labels)
        var x = program.patches(images, site: "patch_embed", patchSize: 4)
        x = program.linear(x, site: "patch_embed.proj", outputChannels: 16)
        for block in 0..<depth {
            var branch = program.layerNorm(x, site: "b\(block).norm", epsilon: 1e-6)
            branch = program.linear(branch, site: "b\(block).fc1", outputChannels: 32)
            branch = program.gelu(branch, site: "b\(block).act")
            branch = program.linear(branch, site: "b\(block).fc2", outputChannels: 16)
            x = program.add(x, branch, site: "b\(block).add")
        }
        let pooled = program.pool(x, site: "pool", kind: .mean(first: 0))
        let logits = program.linear(pooled, site: "head", outputChannels: 3)
        let losses = program.crossEntropy(logits, labels: labels, smoothing: 0)
        program.finish(logits: logits, losses: losses)
        for parameter in program.parameters {
            program.train(program.parameterID(named: parameter.name)!, decays: false)
        }
        return program
    }

    @Test func inferenceNeedsNoMoreForMoreBlocks() throws {
        let sizes = try [2, 8].map { depth in
            let program = program(batch: 4, depth: depth)
            let store = try ParameterStore(program: program, tensors: [:], seed: 0)
            return Executor(program, parameters: store, mode: .inference).plannedByteCount
        }
        #expect(sizes[0] == sizes[1])
    }

    @Test func planIsNearItsLowerBound() throws {
        let program = program(batch: 16, depth: 6)
        let store = try ParameterStore(program: program, tensors: [:], seed: 0)
        let executor = Executor(program, parameters: store, mode: .training)
        #expect(executor.plannedByteCount >= executor.lowerBoundByteCount)
        #expect(Double(executor.plannedByteCount) <= 1.1 * Double(executor.lowerBoundByteCount))
    }

    /// Every trained number of a small network, against central differences of its own loss in single precision.
    @Test func gradientEqualsFiniteDifferences() throws {
        let program = program(batch: 2, depth: 2)
        let store = try ParameterStore(program: program, tensors: [:], seed: 4)
        var random = RandomGenerator(seed: 9)
        for i in store.trainable.floats.indices { store.trainable.floats[i] += Float(0.2 * random.normal()) }
        let executor = Executor(program, parameters: store, mode: .training)
        for i in executor.images.indices { executor.images[i] = Float(random.normal()) }
        executor.labels[0] = 2
        executor.labels[1] = 0
        store.zeroGradient()
        executor.forward()
        executor.backward(lossScale: 0.5)
        func loss() -> Double {
            executor.forward()
            return executor.losses.reduce(0.0) { $0 + Double($1) } / 2
        }
        let step: Float = 1e-2
        for index in stride(from: 0, to: store.layout.count, by: 37) {
            let value = store.trainable.floats[index]
            store.trainable.floats[index] = value + step
            let above = loss()
            store.trainable.floats[index] = value - step
            let below = loss()
            store.trainable.floats[index] = value
            let expected = (above - below) / Double(2 * step)
            let seen = Double(store.gradient.floats[index])
            // Truncation of order step^2 and rounding of order 1e-7 / step.
            #expect(
                abs(seen - expected) <= 1e-3 + 1e-2 * abs(expected), "number \(index): \(seen), expected \(expected)")
        }
    }

    @Test func frozenProgramFormsNoGradient() throws {
        var program = Program(batch: 2)
        let images = program.input("images", shape: [2, 3, 8, 8], role: .images)
        let labels = program.input("labels", shape: [2], role: .labels)
        let x = program.linear(
            program.patches(images, site: "patch_embed", patchSize: 4), site: "proj", outputChannels: 16)
        let logits = program.linear(
            program.pool(x, site: "pool", kind: .mean(first: 0)), site: "head", outputChannels: 3)
        program.finish(logits: logits, losses: program.crossEntropy(logits, labels: labels, smoothing: 0))
        program.train(program.parameterID(named: "head.bias")!, decays: false)
        let store = try ParameterStore(program: program, tensors: [:], seed: 0)
        let training = Executor(program, parameters: store, mode: .training)
        let inference = Executor(program, parameters: store, mode: .inference)
        // Only the gradient of the logits and the sums for the bias are added, each at most a few cache lines.
        #expect(training.plannedByteCount - inference.plannedByteCount <= 1024)
    }
}
