import SSFGraph
import SSFTensors
import Testing

/// Each operation by itself: its gradients against central differences of a scalar function of its output.
@Suite struct OperationTests {
    /// Builds images -> linear -> (operation under test) -> pool -> head -> loss, trains everything, and compares the
    /// gradient of sampled numbers with central differences.
    func check(
        _ what: String, tokens: Int = 4, width: Int = 12, pool: PoolOperation.Kind = .mean(first: 0),
        _ build: (inout Program, ValueID) -> ValueID
    ) throws {
        var program = Program(batch: 2)
        let side = 4 * tokens
        let images = program.input("images", shape: [2, 3, 4, side], role: .images)
        let labels = program.input("labels", shape: [2], role: .labels)
        let x = program.linear(
            program.patches(images, site: "patch", patchSize: 4), site: "stem", outputChannels: width)
        let y = build(&program, x)
        let logits = program.linear(program.pool(y, site: "pool", kind: pool), site: "head", outputChannels: 3)
        program.finish(logits: logits, losses: program.crossEntropy(logits, labels: labels, smoothing: 0.1))
        for parameter in program.parameters {
            program.train(program.parameterID(named: parameter.name)!, decays: false)
        }
        for fuses in [true, false] {
            let store = try ParameterStore(program: program, tensors: [:], seed: 4)
            var random = RandomGenerator(seed: 21)
            for i in store.trainable.floats.indices { store.trainable.floats[i] += Float(0.3 * random.normal()) }
            let executor = Executor(program, parameters: store, mode: .training, fuses: fuses)
            for i in executor.images.indices { executor.images[i] = Float(random.normal()) }
            executor.labels[0] = 2
            executor.labels[1] = 0
            executor.drawMasks(using: &random)
            store.zeroGradient()
            executor.forward()
            executor.backward(lossScale: 0.5)
            let step: Float = 1e-2
            var compared = 0
            for entry in store.layout.entries {
                for index in stride(from: entry.range.lowerBound, to: entry.range.upperBound, by: 13) {
                    let value = store.trainable.floats[index]
                    var losses: [Double] = []
                    for moved in [value + step, value - step] {
                        store.trainable.floats[index] = moved
                        executor.forward()
                        losses.append(executor.losses.reduce(0.0) { $0 + Double($1) } / 2)
                    }
                    store.trainable.floats[index] = value
                    let expected = (losses[0] - losses[1]) / Double(2 * step)
                    let seen = Double(store.gradient.floats[index])
                    // Truncation of order step^2, rounding of order 1e-7 / step.
                    #expect(
                        abs(seen - expected) <= 5e-4 + 2e-2 * abs(expected),
                        "\(what), fused \(fuses), \(entry.name)[\(index - entry.range.lowerBound)]: \(seen), expected \(expected)"
                    )
                    compared += 1
                }
            }
            #expect(compared > 20)
        }
    }

    @Test func layerNorm() throws {
        try check("layer norm") { $0.layerNorm($1, site: "norm", epsilon: 1e-6) }
    }

    @Test func normWithScaleAndShift() throws {
        try check("norm and ssf") { program, x in
            let norm = program.layerNorm(x, site: "norm", epsilon: 1e-6)
            let scale = program.parameter("norm.scale", shape: [12], initializer: .constant(1))
            let shift = program.parameter("norm.shift", shape: [12])
            return program.append(ScaleAndShiftOperation(site: "norm.ssf", input: norm, scale: scale, shift: shift))
        }
    }

    @Test func attention() throws {
        try check("attention") { program, x in
            let qkv = program.linear(x, site: "qkv", outputChannels: 36)
            return program.attention(qkv, site: "attn", heads: 3)
        }
    }

    @Test func queryKeyNorm() throws {
        try check("qk norm") { program, x in
            let qkv = program.linear(x, site: "qkv", outputChannels: 36, bias: false)
            return program.attention(
                program.queryKeyNorm(qkv, site: "attn", heads: 2, epsilon: 1e-6), site: "attn", heads: 2)
        }
    }

    @Test func residualWithScaleLayerScaleAndDropPath() throws {
        try check("residual") { program, x in
            var branch = program.gelu(program.linear(x, site: "fc1", outputChannels: 20), site: "act")
            branch = program.linear(branch, site: "fc2", outputChannels: 12)
            let scale = program.parameter("fc2.scale", shape: [12], initializer: .constant(1))
            let shift = program.parameter("fc2.shift", shape: [12])
            branch = program.append(
                ScaleAndShiftOperation(site: "fc2.ssf", input: branch, scale: scale, shift: shift))
            branch = program.layerScale(branch, site: "ls", initial: 0.5)
            branch = program.dropPath(branch, site: "drop", rate: 0.4)
            return program.add(x, branch, site: "add")
        }
    }

    /// A value that three operations use, one of which cannot add to a gradient.
    @Test func severalConsumers() throws {
        try check("several consumers") { program, x in
            let a = program.gelu(x, site: "gelu")
            let b = program.linear(x, site: "fc", outputChannels: 12)
            return program.add(program.add(x, a, site: "add1"), b, site: "add2")
        }
    }

    @Test func tokensAndPosition() throws {
        for covers in [true, false] {
            try check("tokens", pool: .token(0)) { program, x in
                let y = program.assembleTokens(
                    x, site: "tokens", prefixes: [("cls_token", 1), ("reg_token", 2)], position: "pos_embed",
                    positionCoversPrefix: covers)
                return program.add(y, program.linear(y, site: "mix", outputChannels: 12), site: "add")
            }
        }
    }

    @Test func averageOfTwo() throws {
        try check("average") { program, x in
            program.average(program.linear(x, site: "a", outputChannels: 12), program.gelu(x, site: "b"), site: "mean")
        }
    }

    @Test func poolOfLaterTokens() throws {
        try check("pool", pool: .mean(first: 2)) { program, x in program.layerNorm(x, site: "norm", epsilon: 1e-5) }
    }
}
