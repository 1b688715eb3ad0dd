import SSFGraph
import SSFTensors
import Testing

/// The trained end of a program by itself, and what operations cost.
@Suite struct ProgramSuffixTests {
    /// images -> stem -> norm -> pool -> head, or two pools and two heads; only what `trained` names trains.
    private func program(
        trained: [String], heads: Int = 1, dropPath: Double = 0, tokens: Int = 4, width: Int = 12
    ) -> Program {
        var program = Program(batch: 3)
        let images = program.input("images", shape: [3, 3, 4, 4 * tokens], role: .images)
        let labels = program.input("labels", shape: [3], role: .labels)
        let x = program.linear(
            program.patches(images, site: "patch", patchSize: 4), site: "stem", outputChannels: width)
        let y = program.layerNorm(
            program.dropPath(x, site: "drop", rate: dropPath), site: "norm", epsilon: 1e-6)
        var answers: [ValueID] = []
        for head in 0..<heads {
            let pooled = program.pool(y, site: "pool\(head)", kind: .token(head))
            answers.append(program.linear(pooled, site: "head\(head)", outputChannels: 5))
        }
        let logits = heads == 1 ? answers[0] : program.average(answers[0], answers[1], site: "average")
        program.finish(logits: logits, losses: program.crossEntropy(logits, labels: labels, smoothing: 0.1))
        for parameter in program.parameters where trained.contains(where: { parameter.name.hasPrefix($0 + ".") }) {
            program.train(program.parameterID(named: parameter.name)!, decays: false)
        }
        return program
    }

    private func fill(_ values: UnsafeMutableBufferPointer<Float>) {
        var random = RandomGenerator(seed: 9)
        for i in values.indices { values[i] = Float(random.normal()) }
    }

    @Test(arguments: [1, 2])
    func theSuffixGivesTheBitsOfTheWhole(heads: Int) throws {
        let whole = program(trained: ["head0", "head1"], heads: heads)
        let suffix = try #require(whole.trainedSuffix())
        // One head reads a pooled token; two read different ones, and the value that both come from is cut at.
        #expect(suffix.width == (heads == 1 ? 12 : 4 * 12))
        #expect(suffix.program.operations.count == (heads == 1 ? 2 : 6))

        let store = try ParameterStore(program: whole, tensors: [:], seed: 1)
        var tapped = whole
        tapped.mark("cut", suffix.cut)
        let first = Executor(tapped, parameters: store, mode: .inference, taps: ["cut"])
        let one = Executor(whole, parameters: store, mode: .training)
        let two = Executor(suffix.program, parameters: store, mode: .training)
        fill(first.images)
        fill(one.images)
        first.forward()
        #expect(two.images.count == 3 * suffix.width)
        let features = first.tap("cut").values
        for i in two.images.indices { two.images[i] = features[i] }
        var gradients: [[Float]] = []
        for executor in [one, two] {
            for i in 0..<3 { executor.labels[i] = Int32(i) }
            store.zeroGradient()
            executor.forward()
            executor.backward(lossScale: 0.5)
            gradients.append(store.gradient.values)
        }
        #expect(Array(one.logits) == Array(two.logits))
        #expect(Array(one.losses) == Array(two.losses))
        #expect(gradients[0] == gradients[1])
        #expect(gradients[0].contains { $0 != 0 })
        #expect(two.plannedByteCount < one.plannedByteCount)
    }

    @Test func whereTheFirstOperationTrainsNothingIsSaved() {
        // Behind the patches, whose cutting costs nothing.
        #expect(program(trained: ["stem"]).trainedSuffix() == nil)
        #expect(program(trained: []).trainedSuffix() == nil)
    }

    @Test func chanceBeforeTheCutForbidsIt() {
        #expect(program(trained: ["head0"], dropPath: 0.5).trainedSuffix() == nil)
    }

    @Test func costsOfBackward() throws {
        let whole = program(trained: ["head0"])
        let store = try ParameterStore(program: whole, tensors: [:], seed: 1)
        let executor = Executor(whole, parameters: store, mode: .training)
        let profile = OperationProfile()
        executor.profile = profile
        fill(executor.images)
        for i in 0..<3 { executor.labels[i] = 0 }
        executor.forward()
        executor.backward(lossScale: 1)
        let entries = Dictionary(uniqueKeysWithValues: profile.entries.map { ($0.site, $0) })
        // The stem is frozen and nothing before it trains; the head forms dW [5, 12] and its bias, and no dx.
        #expect(try #require(entries["stem"]).backwardFLOPs == 0)
        let head = try #require(entries["head0"])
        #expect(head.forwardFLOPs == 2 * 3 * 5 * 12)
        #expect(head.backwardFLOPs == 2 * 3 * 5 * 12 + 3 * 5)
        #expect(head.forwardBytes >= 4 * (3 * 12 + 5 * 12 + 5 + 3 * 5))
        #expect(head.forwardSeconds > 0 && head.backwardSeconds > 0)
        profile.reset()
        #expect(profile.entries.allSatisfy { $0.forwardSeconds == 0 && $0.backwardSeconds == 0 })

        let all = program(trained: ["stem", "norm", "head0"])
        let trained = try ParameterStore(program: all, tensors: [:], seed: 1)
        let second = Executor(all, parameters: trained, mode: .training)
        let costs = OperationProfile()
        second.profile = costs
        fill(second.images)
        for i in 0..<3 { second.labels[i] = 0 }
        second.forward()
        let both = try #require(costs.entries.first { $0.site == "head0" })
        #expect(both.backwardFLOPs == 2 * (2 * 3 * 5 * 12) + 3 * 5)
    }
}
