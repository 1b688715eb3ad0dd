import SSFAnalysis
import SSFCommands

/// The report of `ssf-analyze cost` for a terminal, no line longer than 100 letters.
enum CostText {
    static func lines(_ report: CostReport) -> [String] {
        heading(report) + [""] + measured(report) + [""] + counted(report) + [""] + reading(report)
    }

    /// `lora: training 1.93 s, 1.62 GB; test 0.71 s, 0.44 GB`
    static func line(_ result: CostResult) -> String {
        "\(result.name): training \(seconds(result.training)) s, \(gigabytes(result.training.peakBytes)) GB; "
            + "test \(seconds(result.test)) s, \(gigabytes(result.test.peakBytes)) GB"
    }

    /// All of the setting but the model, in a line.
    static func setting(_ report: CostReport) -> String {
        let setting = report.setting
        return
            "\(setting.imageSize) pixels, batch \(setting.batch), \(setting.precision.rawValue), \(setting.classes) classes, "
            + "\(Formatting.counted(setting.steps, "step")), \(Formatting.counted(setting.threads, "thread"))"
    }

    private static func heading(_ report: CostReport) -> [String] {
        let machine = report.machine
        return [
            "model      \(report.setting.model)\(report.setting.hasRandomWeights ? ", random weights" : "")",
            "setting    \(setting(report))",
            "processor  \(machine.cpu), \(machine.instructionSet.rawValue), \(machine.affinity)",
            "begun      \(machine.date)"
                + (machine.loadAverage.map { ", load average \(Formatting.fixed($0, 2))" } ?? ""),
        ]
    }

    private static func measured(_ report: CostReport) -> [String] {
        var table = TextTable([
            "method", "training s", "GFLOP/s", "peak GB", "planned GB", "test s", "GFLOP/s", "peak GB", "planned GB",
        ])
        for result in report.methods {
            table.add([
                result.name, seconds(result.training), Formatting.fixed(result.trainingRate, 0),
                gigabytes(result.training.peakBytes), gigabytes(result.training.plannedBytes), seconds(result.test),
                Formatting.fixed(result.testRate, 0), gigabytes(result.test.peakBytes),
                gigabytes(result.test.plannedBytes),
            ])
        }
        return table.lines(indent: 0)
    }

    private static func counted(_ report: CostReport) -> [String] {
        var table = TextTable([
            "method", "trained", "added", "at test", "Table 2", "added GMAC", "at test", "Table 2",
        ])
        for result in report.methods {
            let counts = result.counts
            table.add([
                result.name, Formatting.grouped(counts.trainable), Formatting.grouped(counts.extraTrainingParameters),
                Formatting.grouped(counts.extraInferenceParameters),
                counts.published.map { Formatting.grouped($0.parameters) } ?? "",
                billions(counts.extraTrainingMultiplyAdds), billions(counts.extraInferenceMultiplyAdds),
                counts.published.map { billions($0.operations) } ?? "",
            ])
        }
        return table.lines(indent: 0)
    }

    private static func reading(_ report: CostReport) -> [String] {
        var lines = [
            "Time: the median of the measured steps. Peak: all that the process held; planned: inputs,",
            "activations and gradients of it. A method that merges is tested as the base.",
            "Added: numbers, and multiply-adds of an image, beyond the base with its classifier"
                + (report.methods.first.map { " (\(billions($0.counts.baseMultiplyAdds)) G)" } ?? "") + ",",
            "in training and at test, as counted; Table 2: as arXiv 2210.08823 states them.",
        ]
        if report.methods.contains(where: { $0.tuning.method.hasPrefix("vpt") }) {
            lines += [
                "Its formulas for VPT count the products of tokens by tokens alone, and for VPT-Shallow those of one",
                "layer; prompts pass through every linear layer, too.",
            ]
        }
        if report.methods.contains(where: { $0.tuning.method == "ssf" }) {
            lines.append("For SSF it states none at test, and counts a multiply-add as two operations.")
        }
        return lines
    }

    private static func seconds(_ sample: CostSample) -> String {
        Formatting.fixed(sample.median, sample.median < 0.1 ? 4 : 3)
    }

    private static func gigabytes(_ bytes: Int) -> String { Formatting.fixed(Double(bytes) / 1e9, 3) }

    private static func billions(_ count: Int) -> String { Formatting.fixed(Double(count) / 1e9, 3) }
}
