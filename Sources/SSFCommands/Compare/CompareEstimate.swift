import SSFAnalysis
import SSFTensors
import SSFTraining
import SSFTuning

/// What the runs of a comparison count and about how long they take, before the first of them.
struct CompareEstimate {
    private var datasets: [ComparisonReport.Dataset] = []
    /// Of each method on the first set.
    private var previews: [String: RunPreview] = [:]
    private var workByFolder: [String: [CompareTrial.Stage: Double]] = [:]
    private var secondsPerOperation = 1e-11
    /// Seconds that a process takes beside its steps.
    private static let start = 0.5

    /// Of a method on a set.
    struct Counts {
        var trainable: Int
        var parameters: Int
        var merges: Bool
        var extraParameters: Int
        var extraMultiplyAdds: Int
    }

    /// Opens every method on the first set and every set with the first method, which refuses what they would refuse.
    ///
    /// - Throws: `UserError` for what does not fit the model or the memory, and for a set without a test part.
    init(_ plan: ComparePlan) throws {
        let settings = plan.settings
        var byDataset: [String: RunPreview] = [:]
        var byMethod: [String: RunPreview] = [:]
        var sweepShare: [String: Double] = [:]
        var rate: Double?
        for dataset in settings.datasets {
            for method in settings.methods where byDataset[dataset.name] == nil || byMethod[method.name] == nil {
                let sweep = try plan.sweep(method, on: dataset)
                let trial = try plan.final(method, on: dataset, chosen: sweep.first?.settings ?? [])[0]
                let (preview, run) = try plan.preview(trial)
                byMethod[method.name] = byMethod[method.name] ?? preview
                if rate == nil, !preview.keepsFeatures {
                    rate = try run.makeTrainer().estimate().secondsPerStep / Double(preview.stepFLOPs)
                }
                if byDataset[dataset.name] == nil {
                    byDataset[dataset.name] = preview
                    guard preview.testImages > 0 else {
                        throw UserError(
                            "\(dataset.location) has no test part", expected: "images that nothing is chosen by",
                            remedy: "name one with --test-split")
                    }
                    if let first = sweep.first {
                        let (smaller, _) = try plan.preview(first)
                        guard smaller.validationImages > 0 else {
                            throw UserError(
                                "\(dataset.location) has no validation part to choose settings by",
                                remedy: "leave --sweep out, or name a part with --val-split")
                        }
                        sweepShare[dataset.name] = smaller.work / preview.work
                    }
                    datasets.append(
                        ComparisonReport.Dataset(
                            name: dataset.name, location: dataset.location, classes: preview.classes,
                            trainImages: preview.trainImages, validationImages: preview.validationImages,
                            testImages: preview.testImages,
                            baseMultiplyAdds: try CostCounts(
                                TuningConfiguration(method: "linear"), of: preview.model, batch: 1,
                                imageSize: preview.imageSize, classes: preview.classes, precision: preview.precision
                            ).baseMultiplyAdds))
                }
            }
        }
        if let rate { secondsPerOperation = rate }
        previews = byMethod
        let first = byDataset[settings.datasets[0].name]!
        for dataset in settings.datasets {
            let share = byDataset[dataset.name]!.work / first.work
            for method in settings.methods {
                let work = byMethod[method.name]!.work * share
                let folder = try plan.final(method, on: dataset, chosen: [])[0].folder
                workByFolder[folder] = [.final: work, .sweep: work * (sweepShare[dataset.name] ?? 1)]
            }
        }
    }

    /// Counts a method on a set.
    ///
    /// - Parameter chosen: settings of the sweep, some of which may be the method's own.
    func counts(
        _ method: CompareSettings.Method, on dataset: CompareSettings.Dataset, chosen: [Setting]
    ) throws -> Counts {
        let own = previews[method.name]!
        var tuning = method.named.tuning
        for setting in chosen {
            guard let option = method.type.options.first(where: { $0.key == setting.key }) else { continue }
            tuning.options[setting.key] = option.value(of: setting.value)
        }
        let counts = try CostCounts(
            tuning, of: own.model, batch: 1, imageSize: own.imageSize, classes: self.dataset(dataset.name).classes,
            precision: own.precision)
        return Counts(
            trainable: counts.trainable, parameters: counts.parameters, merges: counts.merges,
            extraParameters: counts.extraInferenceParameters, extraMultiplyAdds: counts.extraInferenceMultiplyAdds)
    }

    /// - Precondition: the set is one of the comparison.
    func dataset(_ name: String) -> ComparisonReport.Dataset { datasets.first { $0.name == name }! }

    /// Floating-point operations of a run, about.
    func work(_ trial: CompareTrial) -> Double { workByFolder[trial.folder]![trial.stage]! }

    /// About how long runs take.
    ///
    /// - Parameter known: operations and seconds of runs that are done, by method.
    func seconds(_ trials: [CompareTrial], known: [String: (work: Double, seconds: Double)]) -> Double {
        let all = known.values.reduce((work: 0.0, seconds: 0.0)) { ($0.work + $1.work, $0.seconds + $1.seconds) }
        return trials.reduce(0) { total, trial in
            let work = work(trial)
            if let own = known[trial.method], own.work > 0 { return total + work * own.seconds / own.work }
            let rate = all.work > 0 ? all.seconds / all.work : secondsPerOperation
            return total + Self.start + work * rate
        }
    }
}
