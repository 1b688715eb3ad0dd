import SSFGraph
import SSFTensors
import Testing

/// The gradient of a trained scale before a residual sum. The product that it scaled is recovered from the sum where no
/// scale is too small for that, and multiplied once more where one is.
@Suite struct LinearBackwardTests {
    /// Tokens -> linear -> scale and shift -> drop-path -> sum with the tokens -> head, everything trained.
    private let program: Program = {
        var program = Program(batch: 2)
        let images = program.input("images", shape: [2, 3, 4, 24], role: .images)
        let labels = program.input("labels", shape: [2], role: .labels)
        let x = program.linear(
            program.patches(images, site: "patch", patchSize: 4), site: "stem", outputChannels: 12)
        var branch = program.linear(x, site: "proj", outputChannels: 12)
        let scale = program.parameter("proj.scale", shape: [12], initializer: .constant(1))
        let shift = program.parameter("proj.shift", shape: [12])
        branch = program.append(ScaleAndShiftOperation(site: "proj.ssf", input: branch, scale: scale, shift: shift))
        branch = program.dropPath(branch, site: "drop", rate: 0.3)
        let y = program.add(x, branch, site: "add")
        let logits = program.linear(
            program.pool(y, site: "pool", kind: .mean(first: 0)), site: "head", outputChannels: 3)
        program.finish(logits: logits, losses: program.crossEntropy(logits, labels: labels, smoothing: 0.1))
        for parameter in program.parameters {
            program.train(program.parameterID(named: parameter.name)!, decays: false)
        }
        return program
    }()

    /// The parameters at random, with these scales in the first channels.
    private func store(scales: [Float]) throws -> ParameterStore {
        let store = try ParameterStore(program: program, tensors: [:], seed: 4)
        var random = RandomGenerator(seed: 21)
        for i in store.trainable.floats.indices { store.trainable.floats[i] += Float(0.3 * random.normal()) }
        let range = try range(of: "proj.scale", in: store)
        for (i, scale) in scales.enumerated() { store.trainable.floats[range.lowerBound + i] = scale }
        return store
    }

    private func range(of name: String, in store: ParameterStore) throws -> Range<Int> {
        try #require(store.layout.entries.first { $0.name == name }).range
    }

    private func executor(_ store: ParameterStore, fuses: Bool) -> Executor {
        let executor = Executor(program, parameters: store, mode: .training, fuses: fuses)
        var random = RandomGenerator(seed: 22)
        for i in executor.images.indices { executor.images[i] = Float(random.normal()) }
        executor.labels[0] = 2
        executor.labels[1] = 0
        return executor
    }

    private func gradient(_ store: ParameterStore, fuses: Bool) -> [Double] {
        let executor = executor(store, fuses: fuses)
        store.zeroGradient()
        executor.forward()
        executor.backward(lossScale: 0.5)
        return store.gradient.floats.map { Double($0) }
    }

    /// Scales that the sum says nothing about, none at all, negative ones, and both sides of the limit of 2^-6.
    @Test(arguments: [[1e-8, 0, -0.7], [0.015, -1e-4], [0.0157, -0.9, 1], [-0.0157]] as [[Float]])
    func gradientOfSmallScales(scales: [Float]) throws {
        let store = try store(scales: scales)
        let seen = gradient(store, fuses: true)

        // Where nothing is fused the product is there as it is.
        let plain = gradient(store, fuses: false)
        for entry in store.layout.entries {
            let norm = plain[entry.range].reduce(0) { $0 + $1 * $1 }.squareRoot()
            let distance = entry.range.reduce(0) { $0 + (seen[$1] - plain[$1]) * (seen[$1] - plain[$1]) }.squareRoot()
            #expect(distance <= 1e-5 * max(norm, 0.1), "\(entry.name): off by \(distance) of \(norm)")
        }

        // Truncation of order step^2, rounding of order 1e-7 / step.
        let executor = executor(store, fuses: true)
        let step: Float = 1e-2
        for index in try range(of: "proj.scale", in: store) {
            let value = store.trainable.floats[index]
            let losses = [value + step, value - step].map { moved in
                store.trainable.floats[index] = moved
                executor.forward()
                return executor.losses.reduce(0.0) { $0 + Double($1) } / 2
            }
            store.trainable.floats[index] = value
            let expected = (losses[0] - losses[1]) / Double(2 * step)
            #expect(abs(seen[index] - expected) <= 2e-4 + 1e-2 * abs(expected), "\(value): \(seen[index]), \(expected)")
        }
    }
}
