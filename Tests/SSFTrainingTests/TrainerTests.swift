import Foundation
import SSFTensors
import SSFTraining
import SSFTuning
import Testing

@Suite("The training loop")
struct TrainerTests {
    private func configuration(
        epochs: Int = 4, accumulation: Int = 1, optimizer: OptimizerChoice = .adamw
    ) -> TrainingConfiguration {
        TrainingConfiguration(
            epochs: epochs, batchSize: 16 / accumulation, learningRate: optimizer == .adamw ? 3e-3 : 3e-2,
            optimizer: optimizer, weightDecay: 0.01, warmupEpochs: 0.5, accumulation: accumulation, seed: 5)
    }

    @Test("The loss falls and unseen images are recognised")
    func learns() throws {
        let log = RunLog()
        let model = try TinyTask.model(method: "full")
        let trainer = try Trainer(
            model: model, training: TinyTask.images(128), validation: TinyTask.images(40, seed: 2),
            configuration: configuration(epochs: 24), observers: [log])
        #expect(try trainer.run() == .finished)
        #expect(log.steps.count == 192)
        #expect(log.epochs.count == 24)
        let first = try #require(log.epochs.first)
        let last = try #require(log.epochs.last)
        #expect(last.trainLoss < first.trainLoss / 4)
        #expect(try #require(last.validation).top1 >= 0.95)
        #expect(log.epochs.map { $0.validation?.top1 ?? 0 }.max() == last.bestTop1)
        #expect(try #require(log.started).stepsPerEpoch == 8)
        #expect(try #require(log.started).estimate.secondsPerStep > 0)
    }

    @Test("The best epoch is the first with the highest validation accuracy; without validation the last")
    func best() throws {
        let log = RunLog()
        let trainer = try Trainer(
            model: try TinyTask.model(), training: TinyTask.images(64), validation: TinyTask.images(40, seed: 2),
            configuration: configuration(epochs: 5), observers: [log])
        _ = try trainer.run()
        let scores = log.epochs.map { $0.validation!.top1 }
        #expect(log.epochs.last!.bestEpoch == scores.firstIndex(of: scores.max()!)!)

        let without = RunLog()
        _ = try Trainer(
            model: try TinyTask.model(), training: TinyTask.images(64), configuration: configuration(epochs: 2),
            observers: [without]
        ).run()
        #expect(without.epochs.map(\.isBest) == [true, true])
        #expect(without.epochs.map(\.bestEpoch) == [0, 1])
    }

    @Test(
        "Two epochs, a stop and two more are four epochs, bit for bit",
        arguments: [(0.0, OptimizerChoice.adamw), (0.3, .adamw), (0.3, .sgd), (0, .momentum)])
    func resume(dropPath: Double, optimizer: OptimizerChoice) throws {
        let images = TinyTask.images(72)
        let whole = RunLog()
        _ = try Trainer(
            model: try TinyTask.model(dropPath: dropPath), training: images,
            configuration: configuration(optimizer: optimizer),
            observers: [whole]
        ).run()

        let half = RunLog()
        let interrupted = try Trainer(
            model: try TinyTask.model(dropPath: dropPath), training: images,
            configuration: configuration(optimizer: optimizer),
            observers: [half], isStopRequested: { half.epochs.count == 2 && half.steps.count > 9 })
        #expect(try interrupted.run() == .stopped)
        #expect(half.epochs.count == 2)

        let rest = RunLog()
        // Other initial values: all must come from the state.
        let resumed = try Trainer(
            model: try TinyTask.model(seed: 99, dropPath: dropPath), training: images,
            configuration: configuration(optimizer: optimizer),
            observers: [rest])
        try resumed.resume(from: half.states[1])
        #expect(try resumed.run() == .finished)

        #expect(rest.epochs.map(\.epoch) == [2, 3])
        #expect(rest.steps.map(\.loss) == Array(whole.steps.map(\.loss).dropFirst(8)))
        #expect(rest.states[1].trainable.values == whole.states[3].trainable.values)
        #expect(rest.states[1].moments.mapValues(\.values) == whole.states[3].moments.mapValues(\.values))
    }

    @Test("A state of another run is refused")
    func resumeRefused() throws {
        let log = RunLog()
        let images = TinyTask.images(64)
        _ = try Trainer(
            model: try TinyTask.model(), training: images, configuration: configuration(epochs: 1), observers: [log]
        ).run()
        let state = log.states[0]
        var other = configuration()
        other.seed = 6
        #expect {
            try Trainer(
                model: try TinyTask.model(), training: images, configuration: configuration(optimizer: .sgd)
            ).resume(from: state)
        } throws: {
            "\($0)".contains("another optimiser than SGD") && "\($0)".contains("first_moment, second_moment")
        }
        #expect(throws: UserError.self) {
            try Trainer(model: try TinyTask.model(), training: images, configuration: other).resume(from: state)
        }
        #expect(throws: UserError.self) {
            try Trainer(model: try TinyTask.model(), training: TinyTask.images(32), configuration: configuration())
                .resume(from: state)
        }
        #expect(throws: UserError.self) {
            try Trainer(
                model: try TinyTask.model(method: "linear"), training: images, configuration: configuration()
            ).resume(from: state)
        }
    }

    /// Accumulating gradients over four batches is one batch of four times the size, within rounding.
    @Test(
        "Updates of each tensor as its gradient is complete are those from the whole gradient, bit for bit",
        arguments: ["full", "ssf"], OptimizerChoice.allCases)
    func updatesInBackward(method: String, optimizer: OptimizerChoice) throws {
        let runs = try [nil, 1e30].map { limit in
            var configuration = configuration(epochs: 2, optimizer: optimizer)
            // A limit that nothing reaches: it takes the whole gradient, and leaves it as it is.
            configuration.clipNorm = limit
            let log = RunLog()
            let model = try TinyTask.model(method: method)
            _ = try Trainer(
                model: model, training: TinyTask.images(64), configuration: configuration, observers: [log]
            ).run()
            return (log.steps.map(\.gradientNorm), model.parameters.trainable.values)
        }
        #expect(runs[0].1.elementsEqual(runs[1].1))
        // The sums of squares are taken in another order.
        for (a, b) in zip(runs[0].0, runs[1].0) { #expect(abs(a - b) <= 1e-9 * b && a > 0) }
    }

    @Test("Accumulated batches are one batch")
    func accumulation() throws {
        let images = TinyTask.images(64)
        let order = BatchOrder.explicit([Array(0..<64)])
        func losses(_ accumulation: Int) throws -> (losses: [Double], norms: [Double]) {
            let log = RunLog()
            _ = try Trainer(
                model: try TinyTask.model(), training: images,
                configuration: configuration(epochs: 1, accumulation: accumulation), order: order, observers: [log]
            ).run()
            return (log.steps.map(\.loss), log.steps.map(\.gradientNorm))
        }
        let one = try losses(1)
        let four = try losses(4)
        #expect(four.losses.count == 4)
        for (a, b) in zip(one.losses, four.losses) { #expect(abs(a - b) < 1e-4) }
        #expect(abs(one.norms[0] - four.norms[0]) < 1e-4 * one.norms[0])
    }

    @Test("A batch that does not fill is left out of training, and a set smaller than a batch is one")
    func batches() throws {
        for (images, steps) in [(40, 2), (32, 2), (9, 1)] {
            let log = RunLog()
            _ = try Trainer(
                model: try TinyTask.model(), training: TinyTask.images(images),
                configuration: configuration(epochs: 1), observers: [log]
            ).run()
            #expect(log.steps.count == steps)
            #expect(log.steps.reduce(0) { $0 + $1.images } == (images == 9 ? 9 : 32))
        }
    }

    @Test("A loss that is not finite ends the run with the step, and the last good values")
    func diverges() throws {
        /// The second epoch holds an image of NaN.
        final class Poisoned: BatchSource {
            let images = TinyTask.images(32)
            var count: Int { images.count }
            var isRepeatable: Bool { false }
            func batches(order: [Int], batchSize: Int, dropLast: Bool, epoch: Int) -> any BatchStream {
                Stream(
                    inner: images.batches(order: order, batchSize: batchSize, dropLast: dropLast, epoch: epoch), epoch)
            }
            final class Stream: BatchStream {
                let inner: any BatchStream
                let epoch: Int
                init(inner: any BatchStream, _ epoch: Int) {
                    self.inner = inner
                    self.epoch = epoch
                }
                func next() throws -> ImageBatch? {
                    let batch = try inner.next()
                    if epoch == 1, let batch { UnsafeMutableBufferPointer(mutating: batch.pixels)[5] = .nan }
                    return batch
                }
            }
        }
        let log = RunLog()
        let model = try TinyTask.model()
        let trainer = try Trainer(
            model: model, training: Poisoned(), configuration: configuration(), observers: [log])
        #expect(try trainer.run() == .diverged(step: 2))
        let event = try #require(log.diverged)
        #expect(event.epoch == 1)
        #expect(event.restoredEpoch == 0)
        #expect(model.parameters.trainable.values == log.states[0].trainable.values)
    }

    @Test("An epoch whose last update breaks the model does not count")
    func divergesAtTheEnd() throws {
        let log = RunLog()
        let model = try TinyTask.model()
        let initial = model.parameters.trainable.values
        var settings = configuration(epochs: 2)
        settings.learningRate = 1e30
        let trainer = try Trainer(
            model: model, training: TinyTask.images(16), configuration: settings, observers: [log])
        #expect(try trainer.run() == .diverged(step: 0))
        #expect(log.epochs.isEmpty)
        #expect(try #require(log.diverged).restoredEpoch == nil)
        #expect(model.parameters.trainable.values == initial)
    }

    @Test("With label smoothing no loss is below the entropy of its target")
    func smoothing() throws {
        let log = RunLog()
        let settings = configuration(epochs: 6)
        _ = try Trainer(
            model: try TinyTask.model(smoothing: 0.4), training: TinyTask.images(64), configuration: settings,
            observers: [log]
        ).run()
        // No loss is below the entropy of its target: 1 - 0.4 + 0.4 / 4 for the label, 0.4 / 4 for each other class.
        let target = [0.7, 0.1, 0.1, 0.1]
        let least = -target.reduce(0) { $0 + $1 * Foundation.log($1) }
        #expect(log.epochs.last!.trainLoss >= least - 1e-4)
    }

    @Test("Numbers that cannot be used are refused by name")
    func refused() throws {
        var settings = configuration()
        settings.epochs = 0
        settings.batchSize = 0
        do {
            _ = try Trainer(model: try TinyTask.model(), training: TinyTask.images(8), configuration: settings)
            Issue.record("0 epochs were accepted")
        } catch let error as UserError {
            #expect(error.what.contains("--epochs"))
        }
        #expect(throws: UserError.self) {
            _ = try Trainer(
                model: try TinyTask.model(), training: TinyTask.images(0), configuration: configuration())
        }
    }
}
