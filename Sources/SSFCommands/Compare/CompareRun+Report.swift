import Foundation
import SSFAnalysis
import SSFParallel
import SSFTensors

extension CompareRun {
    /// Writes the report into the folder.
    func writeReport() throws -> ComparisonReport {
        let report = try makeReport()
        let names = try folder.write(report)
        console.line("written to \(folder.path): \(names.joined(separator: ", "))")
        return report
    }

    private func makeReport() throws -> ComparisonReport {
        let finals = results.filter { $0.trial.stage == .final }
        var cells: [ComparisonCell] = []
        for method in settings.methods {
            for dataset in settings.datasets {
                let own = finals.filter { $0.trial.method == method.name && $0.trial.dataset == dataset.name }
                let chosen = choices[Self.key(method, dataset)] ?? []
                let counts = try estimate.counts(method, on: dataset, chosen: chosen)
                cells.append(
                    ComparisonCell(
                        method: method.name, dataset: dataset.name, trainable: counts.trainable,
                        parameters: counts.parameters, extraParameters: counts.extraParameters,
                        extraMultiplyAdds: counts.extraMultiplyAdds,
                        chosen: Dictionary(uniqueKeysWithValues: chosen.map { ($0.key, $0.value) }),
                        runs: own.compactMap(\.run),
                        diverged: own.filter { $0.status == .diverged }.map(\.trial.seed),
                        failed: own.filter { $0.status == .failed }.map(\.trial.seed)))
            }
        }
        let environment = EnvironmentReport.current()
        var shared: [String: String] = [:]
        for (index, argument) in settings.training.enumerated() where argument.hasPrefix("-") {
            let next = settings.training.dropFirst(index + 1).prefix { !$0.hasPrefix("-") }
            let pair = argument.drop { $0 == "-" }.split(separator: "=", maxSplits: 1).map(String.init)
            shared[pair[0]] = pair.count > 1 ? pair[1] : next.isEmpty ? "true" : next.joined(separator: " ")
        }
        for (key, entry) in settings.file?.entries ?? [:] where shared[key] == nil {
            shared[key] = entry.value.scalar?.string ?? "a list"
        }
        return ComparisonReport(
            machine: .init(
                program: "ssf \(ProgramVersion.text)", cpu: environment.cpu,
                instructionSet: environment.instructionSet,
                threads: try settings.parsed(settings.training).runtime.threads ?? Parallel.threads,
                date: Date.now.formatted(.iso8601)),
            model: settings.model, settings: shared, seeds: settings.seeds,
            sweep: settings.axes.isEmpty
                ? nil
                : .init(
                    values: Dictionary(uniqueKeysWithValues: settings.axes.map { ($0.key, $0.values) }),
                    trialsPerMethod: plan.budget, notes: plan.notes),
            datasets: settings.datasets.map { estimate.dataset($0.name) },
            methods: try settings.methods.map { method in
                let isSwept = settings.axes.contains { axis in method.type.options.contains { $0.key == axis.key } }
                return .init(
                    method.named, title: isSwept ? "\(method.named.methodTitle) (swept)" : method.named.title,
                    isUnified: method.type.hasUnifiedSpace,
                    merges: try estimate.counts(method, on: settings.datasets[0], chosen: []).merges)
            }, cells: cells, differences: MethodDifference.all(try outcomes(finals)))
    }

    /// What every reported run had right, image by image.
    private func outcomes(
        _ finals: [TrialResult]
    ) throws -> [(dataset: String, methods: [MethodDifference.Outcomes])] {
        try settings.datasets.map { dataset in
            var images: [String]?
            let methods = try settings.methods.map { method in
                var bySeed: [Int: [Bool]] = [:]
                for result in finals
                where result.status == .ok && result.trial.method == method.name
                    && result.trial.dataset == dataset.name
                {
                    let run = folder.trial(result.trial)
                    let found = try run.outcomes()
                    guard (images ?? found.images).elementsEqual(found.images) else {
                        throw UserError(
                            "\(run.path) was tested on other images than the runs before it",
                            remedy: "begin again in another --output")
                    }
                    images = found.images
                    bySeed[result.trial.seed] = found.isRight
                }
                return MethodDifference.Outcomes(method: method.name, bySeed: bySeed)
            }
            return (dataset.name, methods)
        }
    }
}
