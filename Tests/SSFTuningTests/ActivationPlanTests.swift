import SSFGraph
import SSFKernels
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
    private func unitsPerBlock(
        _ method: String, layerScale: Bool = false, recomputes: Bool = false, precision: Precision = .float32
    ) throws -> Double {
        let batch = 16
        let bytes = try [6, 12].map { depth in
            let program = try tuned(method, depth: depth, layerScale: layerScale).program(batch: batch, mode: .training)
            return Executor.plannedByteCount(
                of: program, mode: .training, recomputesBlocks: recomputes, precision: precision)
        }
        return Double(bytes[1] - bytes[0]) / 6 / Double(4 * batch * 37 * 64)
    }

    /// x, qkv 3, the heads' output, x between, the hidden layer 4; vectors and row statistics are the rest.
    @Test func scalingAndShiftingKeepsTenUnits() throws {
        let units = try unitsPerBlock("ssf")
        #expect(units > 9.5 && units < 10.5, "\(units)")
    }

    /// Where a frozen layer scale may be tiny, the two products before it are kept, and the heads' output, from which the
    /// first would be made again, is not.
    @Test func layerScaleKeepsOneMore() throws {
        let units = try unitsPerBlock("ssf", layerScale: true)
        #expect(units > 10.5 && units < 11.5, "\(units)")
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

    /// qkv, the heads' output and the hidden layer take half, in f32 units; x and x between stay single precision.
    @Test func bfloat16KeepsSixUnits() throws {
        let units = try unitsPerBlock("ssf", precision: .bfloat16)
        #expect(units > 5.5 && units < 6.5, "\(units)")
    }

    /// One step: losses and the gradient of everything that is trained.
    private func step(
        _ model: TunedModel, recomputes: Bool = false, precision: Precision = .float32
    ) throws -> (losses: [Float], gradient: [Float]) {
        let executor = Executor(
            try model.program(batch: 2, mode: .training), parameters: model.parameters, mode: .training,
            recomputesBlocks: recomputes, precision: precision)
        var random = RandomGenerator(seed: 5)
        for i in executor.images.indices { executor.images[i] = Float(random.normal()) }
        executor.labels[0] = 2
        executor.labels[1] = 1
        // The second time every buffer holds what the first left.
        for _ in 0..<2 {
            model.parameters.zeroGradient()
            executor.forward()
            executor.backward(lossScale: 0.5)
        }
        return (Array(executor.losses), Array(model.parameters.gradient.floats))
    }

    /// Recomputed activations have the same bits, so losses and gradients do.
    @Test(arguments: ["ssf", "full", "linear"], [false, true])
    func recomputationChangesNothing(method: String, layerScale: Bool) throws {
        let model = try tuned(method, depth: 3, layerScale: layerScale)
        for precision in Precision.allCases {
            let kept = try step(model, precision: precision)
            let recomputed = try step(model, recomputes: true, precision: precision)
            // Not the arrays themselves: of unequal ones the whole difference would be sought, for hours.
            #expect(kept.losses.elementsEqual(recomputed.losses))
            #expect(kept.gradient.elementsEqual(recomputed.gradient))
            #expect(kept.gradient.contains { $0 != 0 })
        }
    }

    /// Factors of 8 bits: a product of k terms is off by some 2^-9 of its size, and so is what follows from it.
    @Test(arguments: ["ssf", "linear", "full"])
    func bfloat16StaysNearSinglePrecision(method: String) throws {
        let model = try tuned(method, depth: 3)
        let single = try step(model)
        let half = try step(model, precision: .bfloat16)
        for (a, b) in zip(single.losses, half.losses) { #expect(abs(a - b) < 0.02, "\(a) and \(b)") }
        let distance = zip(single.gradient, half.gradient).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
        let norm = single.gradient.reduce(0.0) { $0 + Double($1 * $1) }
        #expect((distance / norm).squareRoot() < 0.03)
        // Trained weights are multiplied in single precision: nothing is lowered where everything trains.
        let isSame = single.gradient.elementsEqual(half.gradient)
        #expect(isSame == (method == "full"))
    }
}
