import Foundation
import SSFTensors
import SSFTraining

/// Writes what happens in a run into its folder: `summary.csv`, `metrics.jsonl`, `best/` and `last/`.
final class RunRecorder: RunObserver {
    private let folder: RunFolder
    private let writer: AdapterWriter
    private let summary: AppendingFile
    private let metrics: AppendingFile
    private let logInterval: Int
    private let encoder = JSONEncoder()

    static let header = "epoch,train_loss,eval_loss,eval_top1,eval_top5,lr,images_per_second"

    /// - Parameters:
    ///   - completedEpochs: of a run that goes on; lines beyond them are dropped.
    ///   - logInterval: steps between the lines of `metrics.jsonl`.
    init(folder: RunFolder, writer: AdapterWriter, completedEpochs: Int = 0, logInterval: Int = 1) throws {
        self.folder = folder
        self.writer = writer
        self.logInterval = logInterval
        let paths = (summary: folder.file("summary.csv"), metrics: folder.file("metrics.jsonl"))
        try AppendingFile.truncate(path: paths.summary, headerLines: 1) { line in
            Int(line.prefix { $0 != "," }).map { $0 < completedEpochs } ?? false
        }
        let decoder = JSONDecoder()
        try AppendingFile.truncate(path: paths.metrics, headerLines: 0) { line in
            (try? decoder.decode(Line.self, from: Data(line.utf8))).map { $0.epoch < completedEpochs } ?? false
        }
        summary = try AppendingFile(path: paths.summary, header: Self.header)
        metrics = try AppendingFile(path: paths.metrics)
        encoder.outputFormatting = .sortedKeys
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    }

    /// A line of `metrics.jsonl`; accuracies in percent.
    private struct Line: Codable {
        var epoch: Int
        var step: Int?
        var loss: Double?
        var lr: Double?
        var gradient_norm: Double?
        var images_per_second: Double?
        var train_loss: Double?
        var eval_loss: Double?
        var eval_top1: Double?
        var eval_top5: Double?
        var eval_macro_recall: Double?
        var error: String?
    }

    func stepFinished(_ event: StepFinished) throws {
        guard event.step % logInterval == 0 else { return }
        try log(
            Line(
                epoch: event.epoch, step: event.step, loss: event.loss, lr: event.learningRate,
                gradient_norm: event.gradientNorm, images_per_second: Double(event.images) / max(event.seconds, 1e-9)))
    }

    func epochFinished(_ event: EpochFinished) throws {
        // The adapter first: a line in the summary means that its epoch can be gone on from.
        var measured = [(name: "train loss", value: Formatting.fixed(event.trainLoss, 4))]
        if let validation = event.validation {
            measured.append((name: "validation top-1", value: Formatting.percent(validation.top1, 2) + " %"))
        }
        try writer.write(to: folder.file("last"), metrics: measured, state: event.state)
        if event.isBest { try writer.write(to: folder.file("best"), metrics: measured, state: nil) }

        let validation = event.validation
        func percent(_ part: Double?) -> String { part.map { Formatting.percent($0, 4) } ?? "" }
        try summary.append(
            CSV.row([
                String(event.epoch), Formatting.fixed(event.trainLoss, 6),
                validation.map { Formatting.fixed($0.loss, 6) } ?? "", percent(validation?.top1),
                percent(validation?.top5), String(event.learningRate), Formatting.fixed(event.imagesPerSecond, 2),
            ]))
        try log(
            Line(
                epoch: event.epoch, lr: event.learningRate, images_per_second: event.imagesPerSecond,
                train_loss: event.trainLoss, eval_loss: validation?.loss, eval_top1: validation.map { 100 * $0.top1 },
                eval_top5: validation.map { 100 * $0.top5 }, eval_macro_recall: validation.map { 100 * $0.macroRecall })
        )
    }

    func runDiverged(_ event: RunDiverged) throws {
        try log(Line(epoch: event.epoch, step: event.step, loss: event.loss, error: "the loss is not finite"))
        // The initial values are the last good ones of a run that fails in its first epoch.
        if event.restoredEpoch == nil { try writer.write(to: folder.file("last"), metrics: [], state: nil) }
    }

    private func log(_ line: Line) throws {
        try metrics.append(String(decoding: try encoder.encode(line), as: UTF8.self))
    }
}
