import SSFAnalysis
import SSFTensors
import Testing

@Suite struct WeightComparisonTests {
    private func model(scale: Float = 1, shift: Float = 0) -> [String: Tensor] {
        var random = RandomGenerator(seed: 5)
        var tensors: [String: Tensor] = ["head.weight": Tensor(zeros: [4, 6])]
        for block in [0, 1, 10] {
            for layer in ["mlp.fc1", "attn.qkv"] {
                let weight = (0..<60).map { _ in scale * Float(random.normal()) }
                tensors["blocks.\(block).\(layer).weight"] = Tensor(weight, shape: [10, 6])
                let bias = (0..<10).map { _ in Float(random.normal()) + shift }
                if layer == "mlp.fc1" { tensors["blocks.\(block).\(layer).bias"] = Tensor(bias, shape: [10]) }
            }
            tensors["blocks.\(block).norm1.weight"] = Tensor(zeros: [6])
        }
        return tensors
    }

    private func change(_ changes: [WeightChange], _ name: String, _ part: WeightPart) throws -> WeightChange {
        try #require(changes.first { $0.scope.name == name && $0.scope.part == part })
    }

    @Test func scopesAreAllLayersThenEachThenEachOfEachBlock() throws {
        let comparison = try WeightComparison(pretrained: model(), name: "base")
        let weights = comparison.scopes.filter { $0.part == .weight }.map(\.name)
        #expect(
            weights == [
                "all", "attn.qkv", "mlp.fc1", "blocks.0.attn.qkv", "blocks.0.mlp.fc1", "blocks.1.attn.qkv",
                "blocks.1.mlp.fc1", "blocks.10.attn.qkv", "blocks.10.mlp.fc1",
            ])
        let biases = comparison.scopes.filter { $0.part == .bias }.map(\.name)
        #expect(biases == ["all", "mlp.fc1", "blocks.0.mlp.fc1", "blocks.1.mlp.fc1", "blocks.10.mlp.fc1"])
    }

    @Test func theSameModelHasNotChanged() throws {
        let comparison = try WeightComparison(pretrained: model(), name: "base")
        for change in try comparison.changes(of: model(), name: "same") {
            #expect(change.wasserstein == 0 && change.divergence == 0 && change.changed == 0)
            #expect(change.changedNoticeably == 0 && change.largestAbsoluteChange == 0)
            #expect(change.histogram == change.pretrainedHistogram && change.mean == change.pretrainedMean)
        }
    }

    @Test func aShiftMovesAllNumbersByItself() throws {
        let comparison = try WeightComparison(pretrained: model(), name: "base")
        let changes = try comparison.changes(of: model(shift: 0.5), name: "shifted")
        let biases = try change(changes, "all", .bias)
        #expect(biases.count == 30 && abs(biases.wasserstein - 0.5) < 1e-6 && biases.changed == 1)
        #expect(abs(biases.meanAbsoluteChange - 0.5) < 1e-6 && biases.changedNoticeably == 1)
        #expect(abs(biases.mean - biases.pretrainedMean - 0.5) < 1e-6)
        #expect(try change(changes, "all", .weight).changed == 0)
    }

    @Test func oneNumberThatChangedIsCounted() throws {
        let comparison = try WeightComparison(pretrained: model(), name: "base")
        var tuned = model()
        let moved = tuned["blocks.1.mlp.fc1.weight"]!.copied()
        moved.floats[7] += 3
        tuned["blocks.1.mlp.fc1.weight"] = moved
        let changes = try comparison.changes(of: tuned, name: "tuned")
        let site = try change(changes, "blocks.1.mlp.fc1", .weight)
        #expect(site.changed == 1.0 / 60 && site.changedNoticeably == 1.0 / 60)
        #expect(abs(site.wasserstein - 3.0 / 60) < 1e-6 && abs(site.largestAbsoluteChange - 3) < 1e-6)
        #expect(try change(changes, "all", .weight).changed == 1.0 / 360)
        #expect(try change(changes, "attn.qkv", .weight).changed == 0)
    }

    @Test func numbersThatAreAllTheSameHaveBinsToo() throws {
        var base = model()
        base["blocks.0.mlp.fc1.bias"] = Tensor(zeros: [10])
        let comparison = try WeightComparison(pretrained: base, name: "base")
        let site = try change(try comparison.changes(of: model(), name: "tuned"), "blocks.0.mlp.fc1", .bias)
        #expect(site.pretrainedDeviation == 0 && site.relativeWasserstein == nil && site.divergence.isFinite)
        #expect(site.bins.lower < 0 && site.bins.upper > 0 && site.pretrainedOutside == 0)
    }

    @Test func whatCannotBeComparedIsNamed() throws {
        func message(_ body: () throws -> Void) -> String {
            do { try body() } catch { return "\(error)" }
            return ""
        }
        let base = model()
        let nothing = message { _ = try WeightComparison(pretrained: ["head.weight": base["head.weight"]!], name: "b") }
        #expect(nothing.contains("b has no weights to compare"))
        let comparison = try WeightComparison(pretrained: base, name: "base")
        var other = base
        other["blocks.1.mlp.fc1.weight"] = Tensor(zeros: [6, 10])
        let shape = message { _ = try comparison.changes(of: other, name: "other") }
        #expect(shape.contains("blocks.1.mlp.fc1.weight") && shape.contains("[10, 6]"))
        other["blocks.1.mlp.fc1.weight"] = nil
        #expect(message { _ = try comparison.changes(of: other, name: "other") }.contains("has no tensor"))
        other = base
        other["blocks.0.attn.qkv.weight"] = Tensor([Float](repeating: .nan, count: 60), shape: [10, 6])
        #expect(message { _ = try comparison.changes(of: other, name: "other") }.contains("not finite"))
        #expect(message { _ = try WeightComparison(pretrained: other, name: "base") }.contains("not finite"))
    }
}
