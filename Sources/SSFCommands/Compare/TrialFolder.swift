import Foundation
import SSFAnalysis
import SSFTensors
import Yams

/// The run folder of a trial, as a comparison reads it.
struct TrialFolder {
    let path: String

    enum State {
        case absent
        /// Complete, or diverged, which a second run would do again.
        case ended(RunSummary)
        /// Stopped between two epochs.
        case resumable
        /// Ended by force: nothing can be made of it.
        case broken
    }

    private func file(_ name: String) -> String { path + "/" + name }

    /// Keys that do not decide what a run comes to, or only where it goes.
    private static let irrelevant: Set<String> = ["output", "experiment", "threads", "workers", "no-feature-cache"]

    /// What there is of the run.
    ///
    /// - Parameter settings: what the run would resolve, as YAML.
    /// - Throws: `UserError` where the folder holds a run of other settings.
    func state(settings: String) throws -> State {
        guard FileManager.default.fileExists(atPath: path) else { return .absent }
        guard let text = try? String(contentsOfFile: file("args.yaml"), encoding: .utf8) else { return .broken }
        let (wanted, found) = (try Self.entries(settings), try Self.entries(text))
        for (key, value) in wanted.sorted(by: { $0.key < $1.key }) where found[key] != value {
            throw UserError(
                "\(path) holds a run of other settings", expected: "\(key): \(value)",
                found: "\(key): \(found[key] ?? "none")",
                remedy: "choose another --output, or remove that folder")
        }
        guard let summary = RunSummary.read(path) else { return .broken }
        switch summary.status {
        case .finished, .diverged: return .ended(summary)
        case .stopped: return summary.completedEpochs > 0 ? .resumable : .broken
        }
    }

    private static func entries(_ document: String) throws -> [String: String] {
        let file = try SettingsFile(text: document, path: "args.yaml", known: TrainSettings.keys)
        return try file.entries.filter { !irrelevant.contains($0.key) }.mapValues {
            try Yams.serialize(node: $0.value).trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }

    /// Top-1 and loss on the validation part.
    ///
    /// - Parameter epoch: counted from 0.
    /// - Returns: nil where the run has no such part.
    func validation(epoch: Int) -> (top1: Double, loss: Double)? {
        guard let text = try? String(contentsOfFile: file("summary.csv"), encoding: .utf8) else { return nil }
        let rows = CSV.rows(text)
        guard let header = rows.first, let top1 = header.firstIndex(of: "eval_top1"),
            let loss = header.firstIndex(of: "eval_loss"),
            let row = rows.dropFirst().first(where: { $0.first == String(epoch) }), row.count == header.count,
            let accuracy = Double(row[top1]), let value = Double(row[loss])
        else { return nil }
        return (accuracy, value)
    }

    /// Top-1 on the test part in per cent, after the last epoch and after the best.
    ///
    /// - Throws: `UserError` where the run did not write it.
    func top1() throws -> (last: Double, best: Double) {
        func read(_ name: String) throws -> Double? {
            guard let data = FileManager.default.contents(atPath: file(name)) else { return nil }
            guard let summary = try? JSONDecoder().decode(RunResults.Summary.self, from: data) else {
                throw UserError("\(file(name)) cannot be read", remedy: "remove the folder and pass --resume")
            }
            return summary.top1
        }
        guard let best = try read("results.json") else {
            throw UserError("\(path) has no results of the test part", remedy: "remove the folder and pass --resume")
        }
        return (try read("results-last.json") ?? best, best)
    }

    /// The names of the test images and whether each was right, after the best epoch.
    func outcomes() throws -> (images: [String], isRight: [Bool]) {
        guard let text = try? String(contentsOfFile: file("predictions.csv"), encoding: .utf8) else {
            throw UserError("\(path) has no predictions.csv", remedy: "remove the folder and pass --resume")
        }
        let rows = CSV.rows(text).dropFirst().filter { $0.count > 1 }
        return (rows.map { $0[0] }, rows.map { $0[$0.count - 1] == "1" })
    }
}
