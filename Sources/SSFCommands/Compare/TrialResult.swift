import SSFAnalysis

/// How a trial ended: a row of `trials.csv`.
struct TrialResult {
    enum Status: String {
        case ok, diverged, failed
    }

    let trial: CompareTrial
    let status: Status
    let reason: String?
    let summary: RunSummary?
    /// On the validation part, where there is one.
    let validation: (last: (top1: Double, loss: Double)?, best: (top1: Double, loss: Double)?)?
    /// On the test part in per cent, of a reported run.
    let top1: (last: Double, best: Double)?
    /// Whether an earlier session made it.
    let isKept: Bool

    /// A run that came to its end, or diverged.
    init(_ trial: CompareTrial, summary: RunSummary, folder: TrialFolder, isKept: Bool) throws {
        self.trial = trial
        self.summary = summary
        self.isKept = isKept
        status = summary.status == .finished ? .ok : .diverged
        reason = summary.reason
        let last = folder.validation(epoch: summary.epochs - 1)
        let best = folder.validation(epoch: summary.bestEpoch)
        validation = last == nil && best == nil ? nil : (last, best)
        top1 = status == .ok && trial.stage == .final ? try folder.top1() : nil
    }

    /// A run that ended otherwise.
    init(_ trial: CompareTrial, failure: String) {
        self.trial = trial
        (status, reason, summary, validation, top1, isKept) = (.failed, failure, nil, nil, nil, false)
    }

    /// Of the report; nil where there is nothing to report.
    var run: ComparisonCell.Run? {
        guard let summary, let top1 else { return nil }
        return ComparisonCell.Run(
            seed: trial.seed, lastTop1: top1.last, bestTop1: top1.best, bestEpoch: summary.bestEpoch,
            seconds: summary.trainingSeconds, peakBytes: summary.peakBytes, adapterBytes: summary.adapterBytes)
    }

    /// `trials.csv`: a row for every run, sweeps and those that went wrong too.
    static func csv(_ results: [TrialResult], choices: [String: [Setting]]) -> String {
        var lines = [
            CSV.row([
                "dataset", "method", "stage", "seed", "settings", "status", "reason", "chosen", "epochs", "best_epoch",
                "val_top1_last", "val_top1_best", "val_loss_last", "test_top1_last", "test_top1_best", "trainable",
                "training_seconds", "peak_bytes", "adapter_bytes", "folder",
            ])
        ]
        func number(_ value: Double?, _ digits: Int) -> String { value.map { Formatting.fixed($0, digits) } ?? "" }
        for result in results {
            let (trial, summary) = (result.trial, result.summary)
            let choice = choices["\(trial.dataset)/\(trial.method)"]
            lines.append(
                CSV.row([
                    trial.dataset, trial.method, trial.stage.rawValue, String(trial.seed),
                    trial.settings.map { "\($0.key)=\($0.value)" }.joined(separator: " "), result.status.rawValue,
                    result.reason ?? "",
                    trial.stage == .sweep ? choice.map { $0 == trial.settings ? "yes" : "no" } ?? "" : "",
                    summary.map { String($0.completedEpochs) } ?? "", summary.map { String($0.bestEpoch) } ?? "",
                    number(result.validation?.last?.top1, 4), number(result.validation?.best?.top1, 4),
                    number(result.validation?.last?.loss, 6), number(result.top1?.last, 4),
                    number(result.top1?.best, 4), summary.map { String($0.trainable) } ?? "",
                    number(summary?.trainingSeconds, 3), summary.map { String($0.peakBytes) } ?? "",
                    summary.map { String($0.adapterBytes) } ?? "", trial.path,
                ]))
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
