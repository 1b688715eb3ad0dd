import KernelCases
import SSFCheckpoints
import SSFGraph
import SSFKernels
import SSFTensors
import SSFTuning

extension StepCase {
    /// The step with its memory and its weights: everything that a run does before its first step.
    ///
    /// - Throws: `UserError` or `CaseError` where the model cannot be had.
    public func prepareStep() throws -> PreparedStep {
        let tuned = try tunedModel()
        return PreparedStep(
            tuned, executor: try tuned.executor(batch: batch, mode: mode, handsOverGradients: mode == .training),
            flops: try flops(recomputing: false),
            executedFLOPs: try flops(recomputing: recomputes))
    }
}

/// A step that can be made again and again.
public final class PreparedStep {
    /// Operations of one step, a multiply-add counting as two; AdamW and what is computed a second time to save memory
    /// are not counted.
    public let flops: Int
    /// The same with what is computed a second time.
    public let executedFLOPs: Int
    private let model: TunedModel
    private let executor: Executor
    private var steps = 0
    private let firstMoment: Tensor
    private let secondMoment: Tensor

    fileprivate init(_ model: TunedModel, executor: Executor, flops: Int, executedFLOPs: Int) {
        self.model = model
        self.executor = executor
        self.flops = flops
        self.executedFLOPs = executedFLOPs
        let trained = executor.mode == .training ? model.parameters.layout.count : 0
        firstMoment = Tensor(zeros: [trained])
        secondMoment = Tensor(zeros: [trained])
        var random = RandomGenerator(seed: 0, stream: "images")
        for index in executor.images.indices { executor.images[index] = Float(random.uniform(-1..<1)) }
        for index in executor.labels.indices { executor.labels[index] = Int32(index % model.classes.count) }
    }

    /// Of activations, gradients of them and private buffers.
    public var plannedByteCount: Int { executor.plannedByteCount }
    public var trainableCount: Int { executor.mode == .training ? model.parameters.layout.count : 0 }

    /// One step.
    public func run() {
        guard executor.mode == .training else { return executor.forward() }
        steps += 1
        executor.forward()
        executor.backward(lossScale: 1 / Float(executor.batch), handingOverTo: update)
    }

    private func update(_ entry: Int, _ gradient: UnsafeMutableBufferPointer<Float>) {
        let parameter = model.parameters.layout.entries[entry]
        func part(_ tensor: Tensor) -> UnsafeMutableBufferPointer<Float> {
            UnsafeMutableBufferPointer(rebasing: tensor.floats[parameter.range])
        }
        var parameters = part(model.parameters.trainable).mutableSpan
        var first = part(firstMoment).mutableSpan
        var second = part(secondMoment).mutableSpan
        AdamW.step(
            parameters: &parameters, gradients: gradient.span, firstMoment: &first, secondMoment: &second,
            // A small rate: the weights of a hundred steps stay those of a model.
            learningRate: 1e-6, weightDecay: parameter.decays ? 1e-4 : 0, step: steps)
    }

    // MARK: Gradients

    /// One forward and backward pass over given images, without an update.
    ///
    /// - Parameters:
    ///   - inputs: a safetensors file with `images` [B, 3, H, W] and `labels` [B], f32 and i32.
    ///   - output: is written: `value.NAME` and `gradient.NAME` of each trainable, and `losses` [B].
    /// - Throws: `UserError` or `CaseError` where a file cannot be used.
    public func record(inputs: String, output: String) throws {
        guard executor.mode == .training else { throw CaseError("inference has no gradients") }
        let given = try Safetensors.read(inputs).tensors
        guard let images = given["images"], let labels = given["labels"], images.dtype == .f32, labels.dtype == .i32,
            images.count == executor.images.count, labels.count == executor.batch
        else { throw CaseError("\(inputs): expected images and labels of this case") }
        _ = executor.images.update(fromContentsOf: images.values)
        labels.bytes.withMemoryRebound(to: Int32.self) { _ = executor.labels.update(fromContentsOf: $0) }

        let parameters = model.parameters
        var tensors: [String: Tensor] = [:]
        executor.forward()
        executor.backward(lossScale: 1 / Float(executor.batch)) { index, gradient in
            let entry = parameters.layout.entries[index]
            tensors["value.\(entry.name)"] = parameters.tensor(named: entry.name)!.reshaped(entry.shape)
            tensors["gradient.\(entry.name)"] = Tensor(Array(gradient), shape: entry.shape)
        }
        tensors["losses"] = Tensor(Array(executor.losses), shape: [executor.batch])
        try Safetensors.write(tensors, to: output)
    }
}
