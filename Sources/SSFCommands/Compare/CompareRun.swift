import Foundation
import SSFAnalysis
import SSFKernels
import SSFParallel
import SSFTensors
import SSFTuning

/// `ssf compare`: methods, seeds and sets of images in one run, with a report.
public final class CompareRun {
    private let options: CompareOptions
    let console: Console
    let settings: CompareSettings
    let plan: ComparePlan
    let folder: CompareFolder
    let estimate: CompareEstimate
    var results: [TrialResult] = []
    private var runSeconds: [String: (work: Double, seconds: Double)] = [:]
    /// What the sweep has chosen, by set and method.
    var choices: [String: [Setting]] = [:]

    /// Opens everything and refuses what cannot be compared, before the first run.
    ///
    /// - Throws: `UserError` that names it.
    public init(options: CompareOptions, console: Console) throws {
        self.options = options
        self.console = console
        settings = try CompareSettings(options)
        plan = try ComparePlan(settings)
        folder = CompareFolder(path: settings.output)
        var first: [CompareTrial] = []
        for dataset in settings.datasets {
            for method in settings.methods {
                let sweep = try plan.sweep(method, on: dataset)
                let final = try plan.final(method, on: dataset, chosen: sweep.first?.settings ?? [])
                for trial in sweep + final { _ = try plan.document(trial) }
                first.append(final[0])
            }
        }
        try Self.checkFolders(first)
        estimate = try CompareEstimate(plan)
    }

    private static func checkFolders(_ trials: [CompareTrial]) throws {
        for (index, trial) in trials.enumerated() {
            if let other = trials[..<index].first(where: { $0.folder == trial.folder }) {
                throw UserError(
                    "\(other.method) and \(trial.method) would have the same folder, \(trial.folder)",
                    remedy: "spell one of them another way")
            }
        }
    }

    /// - Returns: the exit code: 0 when every run came to an end, also one that diverged.
    public func run() throws -> Int32 {
        let count = try total()
        if options.dryRun {
            try printPlan()
            return 0
        }
        try folder.open(resumes: options.resume, file: settings.file)
        try checkEarlier()
        describe(count)
        Interruption.listen()
        for (method, dataset) in pairs() {
            let trials = try plan.sweep(method, on: dataset)
            guard !trials.isEmpty else { continue }
            var scores: [SweepPlan.Score] = []
            for trial in trials {
                guard let result = try perform(trial, of: count) else { return try stop() }
                scores.append(SweepPlan.Score(settings: trial.settings, validation: score(result, on: dataset)))
            }
            choices[Self.key(method, dataset)] = SweepPlan.choice(scores)
        }
        // Seed by seed, so that a comparison that is stopped has something of every method.
        for index in settings.seeds.indices {
            for (method, dataset) in pairs() {
                guard let trial = try final(method, dataset)?[index] else { continue }
                guard try perform(trial, of: count) != nil else { return try stop() }
            }
        }
        let report = try writeReport()
        switch options.format {
        case .json: try StandardOutput.write(try JSONText.of(report))
        case .text: for line in ComparisonText.lines(report) { try StandardOutput.line(line) }
        }
        let failed = results.count { $0.status == .failed }
        if failed > 0 {
            console.warning("\(Formatting.counted(failed, "run")) failed; \(folder.file("trials.csv")) says why")
        }
        return failed > 0 ? 1 : 0
    }

    // MARK: Runs

    static func key(_ method: CompareSettings.Method, _ dataset: CompareSettings.Dataset) -> String {
        dataset.name + "/" + method.name
    }

    private func pairs() -> [(CompareSettings.Method, CompareSettings.Dataset)] {
        settings.datasets.flatMap { dataset in settings.methods.map { ($0, dataset) } }
    }

    /// nil where every setting of the sweep diverged or failed.
    private func final(
        _ method: CompareSettings.Method, _ dataset: CompareSettings.Dataset
    ) throws -> [CompareTrial]? {
        if try plan.sweep(method, on: dataset).isEmpty { return try plan.final(method, on: dataset, chosen: []) }
        return try choices[Self.key(method, dataset)].map { try plan.final(method, on: dataset, chosen: $0) }
    }

    private func total() throws -> Int {
        try pairs().reduce(0) { try $0 + plan.sweep($1.0, on: $1.1).count + settings.seeds.count }
    }

    /// Runs of other settings are refused before the first run; those that depend on what a sweep chooses, then.
    private func checkEarlier() throws {
        for (method, dataset) in pairs() {
            let sweep = try plan.sweep(method, on: dataset)
            for trial in sweep.isEmpty ? try plan.final(method, on: dataset, chosen: []) : sweep {
                _ = try folder.trial(trial).state(settings: plan.document(trial))
            }
        }
    }

    /// Runs a trial, or takes over what there is of it.
    ///
    /// - Returns: nil where a stop was asked for.
    private func perform(_ trial: CompareTrial, of count: Int) throws -> TrialResult? {
        if Interruption.isRequested { return nil }
        let runs = folder.trial(trial)
        let state = try runs.state(settings: plan.document(trial))
        let log = folder.file(trial.path) + ".log"
        var arguments = ["train"]
        switch state {
        case .ended(let summary):
            return try finish(TrialResult(trial, summary: summary, folder: runs, isKept: true), count)
        case .resumable: arguments += ["--resume=\(runs.path)"]
        case .broken: try folder.remove(trial)
        case .absent: break
        }
        try folder.makeParent(of: trial)
        arguments += trial.arguments
        if settings.file != nil { arguments.append("--config=\(folder.settingsFile)") }
        arguments += ["--output=\(folder.file(trial.folder))", "--experiment=\(trial.name)"]
        let begin = ProcessInfo.processInfo.systemUptime
        let ending = try TrialProcess.run(arguments: arguments, log: log) { line in
            console.transient("\(position(count)) \(label(trial)): \(line)")
        }
        let seconds = ProcessInfo.processInfo.systemUptime - begin
        let summary = RunSummary.read(runs.path)
        if Interruption.isRequested, summary?.status != .finished { return nil }
        if let summary, summary.status != .stopped {
            folder.keepLog(log, of: trial)
            let before = runSeconds[trial.method] ?? (0, 0)
            runSeconds[trial.method] = (before.work + estimate.work(trial), before.seconds + seconds)
            return try finish(TrialResult(trial, summary: summary, folder: runs, isKept: false), count)
        }
        return try finish(TrialResult(trial, failure: Self.reason(ending, log: log)), count)
    }

    private static func reason(_ ending: TrialProcess.Ending, log: String) -> String {
        let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        let lines = text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        let said = lines.lastIndex { $0.hasPrefix("error: ") }.map { lines[$0...].joined(separator: "; ") }
        switch ending {
        case .exited(let code): return said ?? lines.last ?? "exit code \(code)"
        case .killed(let signal):
            return "ended by signal \(signal)" + (signal == SIGKILL ? ", as the system does when memory runs out" : "")
        }
    }

    private func finish(_ result: TrialResult, _ count: Int) throws -> TrialResult {
        results.append(result)
        try folder.write(TrialResult.csv(results, choices: choices), to: "trials.csv")
        var text = "\(position(count, done: true)) \(label(result.trial))  "
        switch result.status {
        case .ok:
            text +=
                result.trial.stage == .sweep
                ? result.validation.map { "validation \(Formatting.fixed($0.last?.top1 ?? 0, 2)) %" } ?? ""
                : "top-1 \(Formatting.fixed(result.top1?.best ?? 0, 2)) %"
            text += "  \(Formatting.fixed(result.summary?.trainingSeconds ?? 0, 1)) s"
        case .diverged: text += "diverged"
        case .failed: text += "failed: \(result.reason ?? "")"
        }
        if result.isKept { text += "  kept" } else { text += "  left \(Formatting.duration(try secondsLeft()))" }
        console.line(text)
        return result
    }

    private func position(_ count: Int, done: Bool = false) -> String {
        let width = String(count).count
        let number = String(results.count + (done ? 0 : 1))
        return "[" + String(repeating: " ", count: max(0, width - number.count)) + number + "/\(count)]"
    }

    private func label(_ trial: CompareTrial) -> String {
        "\(trial.dataset)  \(trial.method)  \(trial.name)"
    }

    /// The validation part after the epoch that the reported runs report: the best where they choose one, else the last.
    private func score(
        _ result: TrialResult, on dataset: CompareSettings.Dataset
    ) -> (top1: Double, loss: Double)? {
        guard result.status == .ok, let validation = result.validation else { return nil }
        return estimate.dataset(dataset.name).choosesEpoch ? validation.best : validation.last
    }

    private func stop() throws -> Int32 {
        console.warning(
            "stopped after \(Formatting.counted(results.count, "run")); what was done stands in \(folder.path)")
        console.next("the same command with --resume")
        return 130
    }

    // MARK: Saying what will be done

    private func describe(_ count: Int) {
        console.line(
            "comparing \(Formatting.counted(settings.methods.count, "method")) on "
                + "\(Formatting.counted(settings.datasets.count, "set")) with "
                + "\(Formatting.counted(settings.seeds.count, "seed")): \(Formatting.counted(count, "run")), about "
                + Formatting.duration(estimate.seconds((try? allTrials()) ?? [], known: [:])))
        for note in plan.notes { console.note(note) }
    }

    /// Every run, those behind a sweep with its first settings.
    private func allTrials() throws -> [CompareTrial] {
        try pairs().flatMap { method, dataset in
            let sweep = try plan.sweep(method, on: dataset)
            return try sweep + plan.final(method, on: dataset, chosen: sweep.first?.settings ?? [])
        }
    }

    private func secondsLeft() throws -> Double {
        let done = Dictionary(grouping: results) { "\($0.trial.folder) \($0.trial.stage)" }.mapValues(\.count)
        var seen: [String: Int] = [:]
        let left = try allTrials().filter { trial in
            let key = "\(trial.folder) \(trial.stage)"
            seen[key, default: 0] += 1
            return seen[key]! > done[key] ?? 0
        }
        return estimate.seconds(left, known: runSeconds)
    }

    private func printPlan() throws {
        let trials = try allTrials()
        switch options.format {
        case .json:
            struct Planned: Encodable {
                var dataset: String
                var method: String
                var stage: String
                var folder: String
                var seconds: Double
                var arguments: [String]
            }
            try StandardOutput.write(
                try JSONText.of(
                    trials.map {
                        Planned(
                            dataset: $0.dataset, method: $0.method, stage: $0.stage.rawValue, folder: $0.path,
                            seconds: estimate.seconds([$0], known: [:]), arguments: ["train"] + $0.arguments)
                    }))
        case .text:
            var table = TextTable(["run", "stage", "trained", "seconds"])
            for trial in trials {
                let method = settings.methods.first { $0.name == trial.method }!
                let dataset = settings.datasets.first { $0.name == trial.dataset }!
                let counts = try estimate.counts(method, on: dataset, chosen: trial.settings)
                table.add([
                    // The settings are known when the sweep has chosen.
                    trial.stage == .final && !trial.settings.isEmpty
                        ? "\(trial.folder)/(chosen)-seed-\(trial.seed)" : trial.path,
                    trial.stage.rawValue, Formatting.grouped(counts.trainable),
                    Formatting.fixed(estimate.seconds([trial], known: [:]), 1),
                ])
            }
            for line in table.lines(indent: 0) { try StandardOutput.line(line) }
            for note in plan.notes { try StandardOutput.line(note) }
            try StandardOutput.line(
                "\(Formatting.counted(trials.count, "run")), about "
                    + Formatting.duration(estimate.seconds(trials, known: [:])))
        }
    }
}
