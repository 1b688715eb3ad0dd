import Foundation
import SSFCheckpoints
import SSFGraph
import SSFKernels
import SSFTensors
import SSFTestSupport
import SSFTraining
import SSFTuning
import Testing

/// Losses, gradients and optimiser steps of whole models against PyTorch in double precision.
@Suite struct GradientTests {
    private static let classes = (0..<5).map { "class \($0)" }

    private func tuned(_ model: String, method: String, golden: [String: Tensor]) throws -> TunedModel {
        var checkpoint = try Checkpoint.load(Goldens.path("gradients/\(model)"))
        checkpoint.configuration.labelNames = Self.classes
        let tuned = try TunedModel(
            checkpoint: checkpoint, options: .init(tuning: TuningConfiguration(method: method), classes: Self.classes))
        let initial = golden.filter { $0.key.hasPrefix("init.") }
        if !initial.isEmpty {
            try tuned.load(
                adapterTensors: Dictionary(
                    uniqueKeysWithValues: initial.map { (String($0.key.dropFirst("init.".count)), $0.value) }))
        }
        return tuned
    }

    private func fill(_ executor: Executor, images: Tensor, labels: Tensor, indices: [Int]) {
        let size = images.count / images.shape[0]
        for (position, index) in indices.enumerated() {
            for i in 0..<size { executor.images[position * size + i] = images.floats[index * size + i] }
            executor.labels[position] = labels.bytes.loadUnaligned(fromByteOffset: 4 * index, as: Int32.self)
        }
    }

    @Test(
        arguments: ["vit", "rich"], ["ssf", "linear", "full"])
    func gradientsEqualPyTorch(_ model: String, _ method: String) throws {
        let golden = try Goldens.tensors("gradients/\(model)/\(method).safetensors")
        let tuned = try tuned(model, method: method, golden: golden)
        let executor = try tuned.executor(batch: 8, mode: .training)
        fill(executor, images: golden["images"]!, labels: golden["labels"]!, indices: Array(0..<8))
        tuned.parameters.zeroGradient()
        executor.forward()
        executor.backward(lossScale: 1.0 / 8)

        for (seen, expected) in zip(executor.losses, golden["losses"]!.values) {
            #expect(abs(seen - expected) <= 1e-5 * max(1, abs(expected)))
        }
        let gradients = golden.filter { $0.key.hasPrefix("grad.") }
        #expect(gradients.count == tuned.parameters.layout.entries.count)
        let total = norm(gradients.values.flatMap(\.values))
        for entry in tuned.parameters.layout.entries {
            let expected = try #require(gradients["grad.\(entry.name)"], "\(entry.name)").values
            let seen = Array(tuned.parameters.gradient.floats[entry.range])
            #expect(seen.count == expected.count)
            let size = norm(expected)
            let error = norm(zip(seen, expected).map { $0 - $1 })
            if size < 1e-12 * total {
                // Exactly zero but for PyTorch's rounding in double precision (a bias of all keys moves no softmax): in
                // single precision the terms cancel to within their rounding.
                #expect(error <= 1e-7 * total, "\(entry.name): \(error), of \(total) in all, instead of 0")
            } else {
                #expect(error <= 1e-5 * size, "\(entry.name): off by \(error) of \(size)")
            }
        }
    }

    private func norm(_ values: [Float]) -> Double {
        values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    }

    /// The fused program and the plain one agree, so that every fusion rule is checked against its parts.
    @Test(arguments: ["vit", "rich"], ["ssf", "full"])
    func fusionChangesNothing(_ model: String, _ method: String) throws {
        let golden = try Goldens.tensors("gradients/\(model)/\(method).safetensors")
        let tuned = try tuned(model, method: method, golden: golden)
        var gradients: [[Float]] = []
        var losses: [[Float]] = []
        for fuses in [true, false] {
            let executor = Executor(
                try tuned.program(batch: 8, mode: .training), parameters: tuned.parameters, mode: .training,
                fuses: fuses)
            fill(executor, images: golden["images"]!, labels: golden["labels"]!, indices: Array(0..<8))
            tuned.parameters.zeroGradient()
            executor.forward()
            executor.backward(lossScale: 1.0 / 8)
            gradients.append(Array(tuned.parameters.gradient.floats))
            losses.append(Array(executor.losses))
        }
        for (a, b) in zip(losses[0], losses[1]) { #expect(abs(a - b) <= 1e-5) }
        let largest = gradients[0].reduce(0) { max($0, abs($1)) }
        let worst = zip(gradients[0], gradients[1]).reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
        #expect(worst <= 1e-5 * max(1, largest), "off by \(worst), largest \(largest)")
    }

    private struct Run: Decodable {
        let method: String
        let decayed: String
        let learningRate: Double
        let weightDecay: Double
        enum CodingKeys: String, CodingKey {
            case method, decayed
            case learningRate = "learning_rate"
            case weightDecay = "weight_decay"
        }
    }

    @Test(arguments: ["adamw-ssf", "adamw-ssf-head-decay", "adamw-linear", "adamw-full", "sgd-ssf"])
    func twentyStepsEqualPyTorch(_ name: String) throws {
        let contents = try Safetensors.read(Goldens.path("gradients/vit/\(name).safetensors"))
        let golden = contents.tensors
        let run = try JSONDecoder().decode(Run.self, from: Data(contents.metadata["golden"]!.utf8))
        let tuned = try tuned("vit", method: run.method, golden: golden)
        let executor = try tuned.executor(batch: 8, mode: .training)
        let parameters = tuned.parameters
        let segments = parameters.layout.entries.map { entry in
            DecaySegment(
                range: entry.range,
                weightDecay: run.decayed == "all" || entry.name == "head.weight" ? Float(run.weightDecay) : 0)
        }
        let count = parameters.layout.count
        let optimizer: any Optimizer =
            name.hasPrefix("adamw")
            ? AdamWOptimizer(count: count, segments: segments)
            : SGDOptimizer(count: count, segments: segments, isNesterov: true)
        let order = golden["order"]!
        let expected = golden["losses"]!.values
        #expect(expected.count == 20)
        for step in 0..<20 {
            let indices = (0..<8).map {
                Int(order.bytes.loadUnaligned(fromByteOffset: 4 * (step * 8 + $0), as: Int32.self))
            }
            fill(executor, images: golden["images"]!, labels: golden["labels"]!, indices: indices)
            parameters.zeroGradient()
            executor.forward()
            let loss = executor.losses.reduce(0, +) / 8
            #expect(abs(loss - expected[step]) <= 1e-4, "step \(step): \(loss), expected \(expected[step])")
            executor.backward(lossScale: 1.0 / 8)
            optimizer.update(
                parameters: parameters.trainable, gradients: parameters.gradient, learningRate: run.learningRate)
        }
    }
}
