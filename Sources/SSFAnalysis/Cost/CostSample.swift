import Foundation
import SSFGraph
import SSFKernels
import SSFTensors
import SSFTuning

/// One measurement: the steps of training of a method, or the batches of the model that it leaves to be tested.
///
/// It is meant to be all that a process does, for its peak memory is that of the process.
public struct CostSample: Codable, Sendable, Equatable {
    /// Which of the two.
    public enum Part: String, Codable, Sendable, CaseIterable {
        /// Forward, backward and an update of AdamW.
        case training
        /// Forward: of the base's operations where the method merges, else of its own.
        case test
    }

    /// Of each measured step, in the order in which they were made.
    public var seconds: [Double]
    /// The most memory that the process held, in bytes: the program, libraries, weights, buffers.
    public var peakBytes: Int
    /// Bytes of the executor's slab.
    public var plannedBytes: Int

    enum CodingKeys: String, CodingKey {
        case seconds
        case peakBytes = "peak_bytes"
        case plannedBytes = "planned_bytes"
    }

    public init(seconds: [Double], peakBytes: Int, plannedBytes: Int) {
        precondition(!seconds.isEmpty)
        (self.seconds, self.peakBytes, self.plannedBytes) = (seconds, peakBytes, plannedBytes)
    }

    /// The middle one, or the mean of the two in the middle.
    public var median: Double { quantile(0.5) }

    /// Between the quarters: how far apart the steps in the middle are.
    public var spread: Double { quantile(0.75) - quantile(0.25) }

    private func quantile(_ part: Double) -> Double {
        let sorted = seconds.sorted()
        let place = part * Double(sorted.count - 1)
        let (low, high) = (Int(place.rounded(.down)), Int(place.rounded(.up)))
        return sorted[low] + (place - Double(low)) * (sorted[high] - sorted[low])
    }

    /// Measures in this process.
    ///
    /// - Parameters:
    ///   - model: with the method attached for training, or for the test of a method that does not merge; with `linear`
    ///     for the test of one that does, for a merged model is a base with a classifier.
    public static func measure(_ part: Part, of model: TunedModel, setting: CostSetting) throws -> CostSample {
        let executor = try model.executor(
            batch: setting.batch, mode: part == .training ? .training : .inference,
            handsOverGradients: part == .training)
        var random = RandomGenerator(seed: 0, stream: "images")
        for i in executor.images.indices { executor.images[i] = Float(random.uniform(-1..<1)) }
        for i in executor.labels.indices { executor.labels[i] = Int32(i % setting.classes) }
        let optimizer = part == .training ? Moments(model.parameters) : nil
        let clock = ContinuousClock()
        func step() -> Double {
            let time = clock.measure {
                if let optimizer {
                    optimizer.steps += 1
                    executor.forward()
                    executor.backward(lossScale: 1 / Float(setting.batch)) { entry, gradient in
                        optimizer.update(model.parameters, entry, gradient)
                    }
                } else {
                    executor.forward()
                }
            }
            return Double(time.components.seconds) + Double(time.components.attoseconds) * 1e-18
        }
        for _ in 0..<setting.warmUpSteps { _ = step() }
        var seconds: [Double] = []
        while seconds.isEmpty
            || seconds.count < setting.steps && seconds.reduce(0, +) < setting.secondsPerMeasurement
        {
            seconds.append(step())
        }
        return CostSample(seconds: seconds, peakBytes: ProcessMemory.peak, plannedBytes: executor.plannedByteCount)
    }
}

/// AdamW as a run has it: two moments for each trained number, each tensor updated when its gradient is complete.
private final class Moments {
    private let first: Tensor
    private let second: Tensor
    var steps = 0

    init(_ parameters: ParameterStore) {
        first = Tensor(zeros: [parameters.layout.count])
        second = Tensor(zeros: [parameters.layout.count])
    }

    func update(_ parameters: ParameterStore, _ entry: Int, _ gradient: UnsafeMutableBufferPointer<Float>) {
        let range = parameters.layout.entries[entry].range
        let start = range.lowerBound
        withExtendedLifetime((first, second)) {
            AdamW.step(
                count: range.count, parameters: parameters.trainable.floats.baseAddress! + start,
                gradients: gradient.baseAddress!, firstMoment: first.floats.baseAddress! + start,
                secondMoment: second.floats.baseAddress! + start, learningRate: 1e-4, beta1: 0.9, beta2: 0.999,
                epsilon: 1e-8, weightDecay: 0, step: steps)
        }
    }
}
