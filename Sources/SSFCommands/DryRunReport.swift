import Foundation
import SSFTraining

/// `ssf train --dry-run`: what a run would do and take, as text and as JSON.
struct DryRunReport {
    let settings: [SettingResolver.Resolved]
    let trainable: Int
    let parameters: Int
    let flops: (forward: Int, backward: Int)
    let steps: Int
    let memory: MemoryEstimate
    let allowed: MemoryLimit.Allowance
    let batchSize: Int
    /// The largest batch that fits into nine tenths of what is allowed; nil where that is smaller than this one.
    let largestBatch: Int?
    let estimate: RunEstimate
    let features: FeatureUse

    // MARK: Text

    var lines: [String] {
        var lines = ["settings"]
        for setting in settings {
            guard let value = setting.yaml else { continue }
            lines.append(
                "  \(setting.key): \(value)" + (setting.origin == .default ? "" : "  # \(setting.origin.rawValue)"))
        }
        lines += ["", "arithmetic of a step"]
        lines.append(
            "  forward \(gigaFLOPs(flops.forward)), backward \(gigaFLOPs(flops.backward)): "
                + "\(gigaFLOPs(flops.forward + flops.backward)) for \(Formatting.counted(batchSize, "image"))")
        if case .kept(let images, let width, _) = features {
            lines.append(
                "  frozen features are computed once: \(Formatting.counted(images, "image")), \(width) numbers each")
        }
        var table = TextTable(["memory", "MB", "share %"])
        for part in memory.parts.sorted(by: { $0.bytes > $1.bytes }) where part.bytes > 0 {
            table.add([
                part.name, Formatting.fixed(Double(part.bytes) * 1e-6, 1),
                Formatting.percent(Double(part.bytes) / Double(memory.total)),
            ])
        }
        table.add(["all, at the peak", Formatting.fixed(Double(memory.total) * 1e-6, 1), "100.0"])
        lines += [""] + table.lines(indent: 0)
        lines += ["", "time"]
        lines.append(
            "  \(Formatting.counted(estimate.steps, "step")) of \(Formatting.fixed(1000 * estimate.secondsPerStep, 1)) ms"
                + (estimate.secondsPerEvaluation > 0
                    ? ", \(Formatting.counted(estimate.evaluations, "evaluation")) of "
                        + "\(Formatting.fixed(estimate.secondsPerEvaluation, 1)) s" : "")
                + (estimate.secondsForFeatures > 0
                    ? ", features \(Formatting.fixed(estimate.secondsForFeatures, 1)) s, once" : ""))
        lines += ["", "advice"] + advice.map { "  \($0)" }
        lines += [
            "",
            "dry run: about \(Formatting.duration(estimate.seconds)), \(Formatting.bytes(memory.total)) of memory; "
                + "nothing was trained or written",
        ]
        return lines
    }

    private func gigaFLOPs(_ count: Int) -> String { Formatting.fixed(Double(count) * 1e-9, 2) + " GFLOP" }

    /// What a person might change, in sentences.
    var advice: [String] {
        let share = Double(memory.total) / Double(allowed.bytes)
        var advice: [String] = []
        if share > 0.9 {
            advice.append(
                "memory is tight: \(Formatting.bytes(memory.total)) of \(Formatting.bytes(allowed.bytes)), "
                    + "\(allowed.reason); "
                    + (largestBatch.map { "--batch-size \($0) leaves a tenth free" }
                        ?? "choose a smaller model or --img-size"))
        } else {
            advice.append(
                "memory suffices: \(Formatting.percent(share)) % of \(Formatting.bytes(allowed.bytes)), \(allowed.reason)"
                    + (largestBatch.map { $0 > batchSize ? "; batches up to \($0) would fit" : "" } ?? ""))
        }
        switch features {
        case .recomputed(let reason): advice.append("features of frozen layers are computed in every epoch: \(reason)")
        case .kept, .none: break
        }
        if estimate.seconds > 3600 {
            advice.append(
                "a run of hours: `ssf triage` says in seconds what it could gain, and --epochs or --img-size shorten it"
            )
        }
        return advice
    }

    // MARK: JSON

    struct JSON: Encodable {
        struct Part: Encodable {
            var name: String
            var bytes: Int
        }
        struct Setting: Encodable {
            var value: String
            var origin: String
        }
        var settings: [String: Setting]
        var trainable: Int
        var parameters: Int
        var forward_flops_per_step: Int
        var backward_flops_per_step: Int
        var steps: Int
        var seconds_per_step: Double
        var seconds: Double
        var memory: [Part]
        var memory_bytes: Int
        var allowed_bytes: Int
        var largest_batch_size: Int?
        var keeps_features: Bool
        var advice: [String]
    }

    /// Values of settings are YAML.
    var json: JSON {
        JSON(
            settings: Dictionary(
                settings.compactMap { setting in
                    setting.yaml.map { (setting.key, JSON.Setting(value: $0, origin: setting.origin.rawValue)) }
                }, uniquingKeysWith: { _, last in last }),
            trainable: trainable, parameters: parameters, forward_flops_per_step: flops.forward,
            backward_flops_per_step: flops.backward, steps: steps, seconds_per_step: estimate.secondsPerStep,
            seconds: estimate.seconds, memory: memory.parts.map { JSON.Part(name: $0.name, bytes: $0.bytes) },
            memory_bytes: memory.total, allowed_bytes: allowed.bytes, largest_batch_size: largestBatch,
            keeps_features: { if case .kept = features { true } else { false } }(), advice: advice)
    }
}
