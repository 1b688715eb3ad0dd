import Foundation
import SSFTraining

/// Shows a run to a person: one rewritten line on a terminal, a line every few seconds elsewhere, a line for each
/// epoch's evaluation.
public final class ProgressLine: RunObserver {
    private let console: Console
    private let savedAt: String?
    private let interval: Double
    private var lastPlainLine = 0.0
    private var images = 0
    private var seconds = 0.0
    private var dataSeconds = 0.0
    private var totalSteps = 0
    private var totalEpochs = 0
    private var evaluationSeconds = 0.0

    /// - Parameters:
    ///   - savedAt: the folder of the best adapter, for the line of the epoch that made it.
    ///   - interval: seconds between lines where there is no terminal.
    public init(console: Console, savedAt: String? = nil, interval: Double = 10) {
        self.console = console
        self.savedAt = savedAt
        self.interval = interval
    }

    public func runStarted(_ event: RunStarted) {
        totalEpochs = event.configuration.totalEpochs
        totalSteps = totalEpochs * event.stepsPerEpoch
        evaluationSeconds = event.estimate.secondsPerEvaluation
        let estimate = event.estimate
        console.line(
            (estimate.seconds < 1 ? "less than a second" : "about \(Formatting.duration(estimate.seconds))")
                + " for \(Formatting.counted(totalEpochs - event.firstEpoch, "epoch")) of "
                + "\(Formatting.counted(event.stepsPerEpoch, "step")) (\(Formatting.fixed(1000 * estimate.secondsPerStep, 0)) ms each), "
                + "about \(Formatting.bytes(estimate.bytes)) of memory")
        switch event.features {
        case .none: break
        case .kept(let images, let width, let bytes):
            console.note(
                "the frozen features of \(Formatting.counted(images, "image")) are computed once: \(width) numbers each, "
                    + "\(Formatting.bytes(bytes))")
        case .recomputed(let reason):
            console.note("frozen features are computed anew in every epoch: \(reason)")
        }
        lastPlainLine = ProcessInfo.processInfo.systemUptime
    }

    public func featuresComputed(_ done: Int, of count: Int) {
        let now = ProcessInfo.processInfo.systemUptime
        guard console.isTerminal || now - lastPlainLine >= interval else { return }
        let text = "Features [\(done)/\(count)]"
        if console.isTerminal {
            console.transient(text)
        } else {
            console.line(text)
            lastPlainLine = now
        }
    }

    public func stepFinished(_ event: StepFinished) {
        images += event.images
        seconds += event.seconds
        dataSeconds += event.dataSeconds
        let now = ProcessInfo.processInfo.systemUptime
        guard console.isTerminal || now - lastPlainLine >= interval else { return }
        let done = event.stepInEpoch + 1
        let perImage = seconds / Double(max(images, 1))
        let remainingSteps = totalSteps - event.step - 1
        let remaining =
            Double(remainingSteps * event.images) * perImage
            + Double(totalEpochs - event.epoch) * evaluationSeconds
        let width = String(event.stepsPerEpoch).count
        let position = String(repeating: " ", count: width - String(done).count) + String(done)
        let percent = 100 * done / event.stepsPerEpoch
        let text =
            "Train \(event.epoch) [\(position)/\(event.stepsPerEpoch) \(percent < 100 ? " " : "")\(percent)%]  "
            + "loss \(Formatting.loss(event.loss)) (\(Formatting.loss(event.epochLoss)))  "
            + "\(Formatting.fixed(1 / max(perImage, 1e-9), 1)) img/s  ETA \(Formatting.duration(remaining))  "
            + "lr \(Formatting.scientific(event.learningRate))  "
            + "data \(Formatting.percent(dataSeconds / max(seconds, 1e-9), 0)) %"
        if console.isTerminal {
            console.transient(text)
        } else {
            console.line(text)
            lastPlainLine = now
        }
    }

    public func epochFinished(_ event: EpochFinished) {
        var text: String
        if let validation = event.validation {
            text =
                "Eval  \(event.epoch)  train loss \(Formatting.loss(event.trainLoss))  "
                + "loss \(Formatting.loss(validation.loss))  top1 \(Formatting.percent(validation.top1))  "
                + "top5 \(Formatting.percent(validation.top5))"
            if let best = event.bestTop1 { text += "  best \(Formatting.percent(best)) (epoch \(event.bestEpoch))" }
            if event.isBest, let savedAt { text += "  saved \(savedAt)" }
        } else {
            text =
                "Epoch \(event.epoch)  train loss \(Formatting.loss(event.trainLoss))  "
                + "\(Formatting.fixed(event.imagesPerSecond, 1)) img/s  lr \(Formatting.scientific(event.learningRate))"
        }
        console.line(text)
        lastPlainLine = ProcessInfo.processInfo.systemUptime
        images = 0
        seconds = 0
        dataSeconds = 0
    }
}
