import SSFGraph
import SSFTensors
import Testing

/// The operations that tuning methods put in, as `OperationTests` checks those of models.
extension OperationTests {
    @Test func relu() throws {
        try check("relu") { program, x in
            let branch = program.relu(program.linear(x, site: "down", outputChannels: 5), site: "act")
            return program.add(x, program.linear(branch, site: "up", outputChannels: 12), site: "add")
        }
    }

    @Test func scalarScale() throws {
        try check("scalar scale") { program, x in
            let scale = program.parameter("scale", shape: [1], initializer: .constant(1))
            let scaled = program.scalarScale(x, site: "scaled", scale: scale)
            // Another reader of x, so that the gradient is added to.
            return program.add(scaled, program.gelu(x, site: "act"), site: "add")
        }
    }

    @Test func addToChannels() throws {
        try check("add to channels") { program, x in
            let a = program.linear(x, site: "a", outputChannels: 3)
            let b = program.linear(x, site: "b", outputChannels: 5)
            return program.addToChannels(x, branches: [(a, 0), (b, 7)], site: "sum")
        }
    }

    @Test(arguments: [(0, 0, 3), (1, 0, 2), (1, 2, 2), (2, 2, 0), (0, 1, 4)])
    func replaceTokens(_ first: Int, _ dropped: Int, _ inserted: Int) throws {
        try check("replace tokens") { program, x in
            let tokens = inserted > 0 ? program.parameter("tokens", shape: [1, inserted, 12]) : nil
            let changed = program.replaceTokens(x, site: "change", first: first, dropped: dropped, by: tokens)
            let mixed = program.attention(
                program.linear(changed, site: "qkv", outputChannels: 36), site: "attn", heads: 3)
            return program.add(changed, mixed, site: "add")
        }
    }

    @Test(arguments: [1, 2, 4])
    func groupedLinear(_ groups: Int) throws {
        try check("grouped linear") { program, x in
            let y = program.groupedLinear(
                program.linear(x, site: "down", outputChannels: 4), site: "up", outputChannels: 12, groups: groups,
                initializer: .normal(mean: 0, deviation: 0.5))
            return program.add(x, y, site: "add")
        }
    }

    @Test func groupsDoNotSeeEachOther() throws {
        var program = Program(batch: 1)
        let images = program.input("images", shape: [1, 1, 1, 4], role: .images)
        let labels = program.input("labels", shape: [1], role: .labels)
        let x = program.pool(program.patches(images, site: "p", patchSize: 1), site: "pool", kind: .token(0))
        let wide = program.linear(x, site: "wide", outputChannels: 4, bias: false)
        let y = program.groupedLinear(wide, site: "g", outputChannels: 6, groups: 2, initializer: .constant(0))
        program.finish(logits: y, losses: program.crossEntropy(y, labels: labels, smoothing: 0))
        let store = try ParameterStore(
            program: program,
            tensors: [
                "wide.weight": Tensor([1, 2, 4, 8], shape: [4, 1]),
                "g.weight": Tensor([1, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1], shape: [6, 2]),
                "g.bias": Tensor([0, 0, 0, 0, 0, 0.5], shape: [6]),
            ], seed: 0)
        let executor = Executor(program, parameters: store, mode: .inference)
        executor.images[0] = 1
        executor.forward()
        #expect(Array(executor.logits) == [1, 2, 3, 4, 8, 12.5])
    }

    /// A piece behind an operation serves all who read it; one before an operation serves that one alone.
    @Test func splicesBehindAndBefore() {
        var program = Program(batch: 2)
        let images = program.input("images", shape: [2, 3, 4, 8], role: .images)
        let x = program.linear(program.patches(images, site: "p", patchSize: 4), site: "stem", outputChannels: 6)
        let branch = program.linear(program.layerNorm(x, site: "norm", epsilon: 1e-6), site: "fc", outputChannels: 6)
        program.mark("block", program.add(x, branch, site: "add"))

        program.splice(before: program.operationIndex(atSite: "fc")!) { program, input in
            program.add(input, program.gelu(input, site: "gelu"), site: "before")
        }
        program.splice(after: program.operationIndex(atSite: "stem")!) { program, input in
            let tokens = program.parameter("tokens", shape: [1, 3, 6])
            return program.replaceTokens(input, site: "behind", first: 0, dropped: 0, by: tokens)
        }
        #expect(
            program.operations.map(\.site) == ["p", "stem", "behind", "norm", "gelu", "before", "fc", "add"])
        func inputs(_ site: String) -> [String] {
            program.operations[program.operationIndex(atSite: site)!].wiring.inputs.map { value in
                program.producerIndex(of: value).map { program.operations[$0].site } ?? "input"
            }
        }
        #expect(inputs("norm") == ["behind"])
        #expect(inputs("add") == ["behind", "fc"])
        #expect(inputs("fc") == ["before"])
        #expect(inputs("gelu") == ["norm"])
        #expect(program.shape(of: program.marks["block"]!) == [2, 5, 6])
    }
}
