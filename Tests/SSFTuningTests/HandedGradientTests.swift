import SSFGraph
import SSFModels
import SSFTensors
import SSFTuning
import Testing

/// Gradients that are handed over one by one instead of being added up as a whole.
@Suite struct HandedGradientTests {
    private func tuned(_ method: String) throws -> TunedModel {
        let model = VisionTransformer(
            .init(width: 64, depth: 3, heads: 2, patchSize: 16, imageHeight: 64, imageWidth: 64))
        return try TunedModel(
            scratch: model,
            options: TunedModel.Options(
                tuning: TuningConfiguration(method: method), classes: ["a", "b", "c"], seed: 3))
    }

    private func executor(_ model: TunedModel, recomputes: Bool, handsOver: Bool) throws -> Executor {
        let executor = Executor(
            try model.program(batch: 2, mode: .training), parameters: model.parameters, mode: .training,
            recomputesBlocks: recomputes, handsOverGradients: handsOver)
        var random = RandomGenerator(seed: 5)
        for i in executor.images.indices { executor.images[i] = Float(random.normal()) }
        executor.labels[0] = 2
        executor.labels[1] = 1
        return executor
    }

    /// The same bits, each parameter once, and none is read after it was handed over: whoever takes it may change it.
    @Test(arguments: TuningRegistry.types.map { $0.name }, [false, true])
    func sameBitsAsAddedUp(method: String, recomputes: Bool) throws {
        let model = try tuned(method)
        let added = try executor(model, recomputes: recomputes, handsOver: false)
        model.parameters.zeroGradient()
        added.forward()
        added.backward(lossScale: 0.5)
        let expected = Array(model.parameters.gradient.floats)
        #expect(expected.contains { $0 != 0 })

        let handing = try executor(model, recomputes: recomputes, handsOver: true)
        let layout = model.parameters.layout
        // The first time without a change; the second time every buffer holds what the first left.
        for changes in [false, true] {
            var seen = [Float](repeating: .nan, count: layout.count)
            var entries: [Int] = []
            handing.forward()
            handing.backward(lossScale: 0.5) { entry, gradient in
                let range = layout.entries[entry].range
                entries.append(entry)
                seen.replaceSubrange(range, with: gradient)
                guard changes else { return }
                UnsafeMutableBufferPointer(rebasing: model.parameters.trainable.floats[range]).update(repeating: .nan)
            }
            #expect(entries.sorted() == Array(layout.entries.indices))
            #expect(seen.elementsEqual(expected))
        }
    }

    /// What is planned for them is far less than a vector of all of them.
    @Test func fullTuningHoldsNoWholeGradient() throws {
        let model = try tuned("full")
        let added = try executor(model, recomputes: true, handsOver: false)
        let handing = try executor(model, recomputes: true, handsOver: true)
        let more = handing.plannedByteCount - added.plannedByteCount
        #expect(more < 4 * model.parameters.layout.count / 3, "\(more) of \(4 * model.parameters.layout.count)")
    }
}
