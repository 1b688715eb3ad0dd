import SSFGraph
import SSFModels
import SSFTensors
import SSFTuning
import Testing

/// What a step keeps for each block of a ViT, in units of tokens x width, and that saving memory changes nothing.
@Suite struct ActivationPlanTests {
    private func model(depth: Int, layerScale: Bool = false) -> VisionTransformer {
        var configuration = VisionTransformer.Configuration(
            width: 64, depth: depth, heads: 4, patchSize: 16, imageHeight: 96, imageWidth: 96)
        configuration.hasLayerScale = layerScale
        configuration.layerScaleInit = 0.1
        return VisionTransformer(configuration)
    }

    private func tuned(_ method: String, depth: Int, layerScale: Bool = false) throws -> TunedModel {
        try TunedModel(
            scratch: model(depth: depth, layerScale: layerScale),
            options: TunedModel.Options(
                tuning: TuningConfiguration(method: method), classes: ["a", "b", "c"], seed: 3))
    }

    /// Units that one more block adds to the plan of a step.
    private func unitsPerBlock(_ method: String, layerScale: Bool = false, recomputes: Bool = false) throws -> Double {
        let batch = 16
        let bytes = try [6, 12].map { depth in
            let program = try tuned(method, depth: depth, layerScale: layerScale).program(batch: batch, mode: .training)
            return Executor.plannedByteCount(of: program, mode: .training, recomputesBlocks: recomputes)
        }
        return Double(bytes[1] - bytes[0]) / 6 / Double(4 * batch * 37 * 64)
    }

    /// x, qkv 3, the heads' output, x between, the hidden layer 4; vectors and row statistics are the rest.
    @Test func scalingAndShiftingKeepsTenUnits() throws {
        let units = try unitsPerBlock("ssf")
        #expect(units > 9.5 && units < 10.5, "\(units)")
    }

    /// Where a frozen layer scale may be tiny, the products before it are kept as well.
    @Test func layerScaleKeepsTwoMore() throws {
        let units = try unitsPerBlock("ssf", layerScale: true)
        #expect(units > 11.5 && units < 12.5, "\(units)")
    }

    @Test func fullTuningKeepsTenUnits() throws {
        let units = try unitsPerBlock("full")
        #expect(units > 9.5 && units < 10.5, "\(units)")
    }

    @Test func linearProbingKeepsNothing() throws {
        #expect(try unitsPerBlock("linear") < 0.1)
    }

    @Test func recomputationKeepsOneUnit() throws {
        let units = try unitsPerBlock("ssf", recomputes: true)
        #expect(units > 0.95 && units < 1.2, "\(units)")
    }

    /// Recomputed activations have the same bits, so losses and gradients do.
    @Test(arguments: ["ssf", "full", "linear"], [false, true])
    func recomputationChangesNothing(method: String, layerScale: Bool) throws {
        let model = try tuned(method, depth: 3, layerScale: layerScale)
        var program = try model.program(batch: 2, mode: .training)
        _ = program.trainableCount
        program = try model.program(batch: 2, mode: .training)
        var results: [(losses: [Float], gradient: [Float])] = []
        for recomputes in [false, true] {
            let executor = Executor(
                program, parameters: model.parameters, mode: .training, recomputesBlocks: recomputes)
            var random = RandomGenerator(seed: 5)
            for i in executor.images.indices { executor.images[i] = Float(random.normal()) }
            executor.labels[0] = 2
            executor.labels[1] = 1
            for _ in 0..<2 {
                model.parameters.zeroGradient()
                executor.forward()
                executor.backward(lossScale: 0.5)
            }
            results.append((Array(executor.losses), Array(model.parameters.gradient.floats)))
        }
        #expect(results[0].losses == results[1].losses)
        #expect(results[0].gradient == results[1].gradient)
        #expect(results[0].gradient.contains { $0 != 0 })
    }
}
