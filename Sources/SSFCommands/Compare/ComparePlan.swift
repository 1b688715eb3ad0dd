import Foundation
import SSFImages
import SSFTensors
import SSFTuning

/// The runs of a comparison, as far as they are known before the first of them.
struct ComparePlan {
    let settings: CompareSettings
    /// Of the sweep: runs of every method that has something to choose, on every set.
    let budget: Int
    /// In sentences, for the report.
    let notes: [String]
    private let shared: [String]
    /// Options of the sweep's runs, by set.
    private let sweepOptions: [String: [String]]

    init(_ settings: CompareSettings) throws {
        self.settings = settings
        budget = settings.trials ?? SweepPlan.budget(settings.methods.map { Self.axes(settings.axes, of: $0) })
        let options = try settings.parsed(settings.training)
        let hasSplitSeed = options.splitSeed != nil || settings.file?.entries["split-seed"] != nil
        // What is set apart is the same for every seed: no image of a sweep may be tested later.
        shared = settings.training + (hasSplitSeed ? [] : ["--split-seed=0"])
        let statesSplits =
            options.data.trainSplit != nil || options.data.valSplit != nil
            || ["train-split", "val-split"].contains { settings.file?.entries[$0] != nil }
        var byDataset: [String: [String]] = [:]
        var notes: [String] = []
        for dataset in settings.datasets {
            let splits = statesSplits ? nil : Self.benchmarkSplits(dataset.collection)
            byDataset[dataset.name] =
                ["--no-test"] + (splits.map { ["--train-split=\($0)", "--val-split=\($1)"] } ?? [])
            if !settings.axes.isEmpty {
                notes.append(
                    splits.map { "\(dataset.name): chosen on \($0) by \($1), then trained on both and tested" }
                        ?? "\(dataset.name): chosen by the validation part of the reported runs, then tested")
            }
        }
        sweepOptions = byDataset
        for method in settings.methods where !settings.axes.isEmpty {
            let axes = Self.axes(settings.axes, of: method)
            let plan = SweepPlan(axes: axes, budget: budget, stream: method.name)
            if axes.isEmpty {
                notes.append("\(method.name): has none of the keys; nothing is chosen for it")
            } else if plan.combinations > budget {
                notes.append("\(method.name): \(budget) of \(plan.combinations) combinations, drawn")
            } else if plan.combinations < budget {
                notes.append(
                    "\(method.name): \(Formatting.counted(plan.combinations, "combination")), repeated with further "
                        + "seeds to the \(budget) runs of the others")
            }
        }
        self.notes = notes
    }

    /// train800 and val200 where VTAB's lists would be trained on whole.
    private static func benchmarkSplits(_ collection: DatasetCollection) -> (train: String, validation: String)? {
        let names = collection.splits.map(\.name)
        return collection.format == .vtab
            && ["train800val200", "train800", "val200"].allSatisfy { names.contains($0) }
            ? ("train800", "val200") : nil
    }

    /// The axes that a method has and does not state itself.
    private static func axes(_ axes: [SweepAxis], of method: CompareSettings.Method) -> [SweepAxis] {
        let own = method.type.options.map(\.key)
        return axes.filter { axis in
            (own.contains(axis.key) || TrialArguments.runKeys.contains(axis.key))
                && method.named.tuning.options[axis.key] == nil && !method.settings.contains { $0.key == axis.key }
        }
    }

    // MARK: Runs

    /// The runs by which the settings of a method are chosen on a set.
    func sweep(_ method: CompareSettings.Method, on dataset: CompareSettings.Dataset) throws -> [CompareTrial] {
        guard !settings.axes.isEmpty else { return [] }
        let plan = SweepPlan(axes: Self.axes(settings.axes, of: method), budget: budget, stream: method.name)
        return try plan.trials.map { trial in
            // Seeds behind the first one: those of the reported runs as far as there are any.
            let seed =
                trial.round < settings.seeds.count
                ? settings.seeds[trial.round] : settings.seeds.max()! + 1 + trial.round - settings.seeds.count
            return try self.trial(method, dataset, .sweep, seed: seed, settings: trial.settings)
        }
    }

    /// The runs that are reported.
    func final(
        _ method: CompareSettings.Method, on dataset: CompareSettings.Dataset, chosen: [Setting]
    ) throws -> [CompareTrial] {
        try settings.seeds.map { try trial(method, dataset, .final, seed: $0, settings: chosen) }
    }

    private func trial(
        _ method: CompareSettings.Method, _ dataset: CompareSettings.Dataset, _ stage: CompareTrial.Stage, seed: Int,
        settings chosen: [Setting]
    ) throws -> CompareTrial {
        let arguments =
            shared + ["--model=\(settings.model)", "--data=\(dataset.location)", "--seed=\(seed)"]
            + (try TrialArguments.options(method.named.tuning))
            + (method.settings + chosen).map { TrialArguments.option($0, of: method.type) }
            + (stage == .sweep ? sweepOptions[dataset.name]! : ["--test-last"])
        return CompareTrial(
            dataset: dataset.name, method: method.name, stage: stage, seed: seed, settings: chosen,
            arguments: arguments, folder: "\(dataset.name)/\(CompareTrial.fileName(method.name))",
            name: CompareTrial.name(stage: stage, settings: chosen, seed: seed))
    }

    /// Everything that a run would resolve, as YAML.
    ///
    /// - Throws: `UserError` for a setting that it would refuse.
    func document(_ trial: CompareTrial) throws -> String {
        let dataset = settings.datasets.first { $0.name == trial.dataset }!
        do {
            let options = try settings.parsed(trial.arguments)
            let resolver = SettingResolver(file: settings.file)
            let source = try TrainSettings.source(options, resolver)
            _ = try TrainSettings.resolve(source, format: dataset.collection.format, options: options, resolver)
            _ = try PreprocessingResolution.stated(options.preprocessing, resolver: resolver)
            return resolver.document
        } catch let error as UserError {
            throw Self.naming(trial, error)
        }
    }

    /// What a run would be, after everything that would refuse it.
    func preview(_ trial: CompareTrial) throws -> (preview: RunPreview, run: TrainingRun) {
        do {
            let run = try TrainingRun(
                options: try settings.parsed(trial.arguments), file: settings.file, console: Console(quiet: true))
            return (try RunPreview(run), run)
        } catch let error as UserError {
            throw Self.naming(trial, error)
        }
    }

    private static func naming(_ trial: CompareTrial, _ error: UserError) -> UserError {
        var error = error
        let settings = trial.settings.map { " \($0.key)=\($0.value)" }.joined()
        error.what = "\(trial.method) on \(trial.dataset)\(settings): \(error.what)"
        return error
    }
}
