import Foundation

extension CostReport {
    /// The methods as comma-separated values with a heading; times with six significant digits, counts whole. Fields
    /// without a value are empty.
    public func csv() -> String {
        func number(_ value: Double) -> String { String(format: "%.6g", value) }
        func whole(_ value: Int?) -> String { value.map(String.init) ?? "" }
        var lines = [
            "method,title,trainable,merges,extra_parameters_training,extra_parameters_inference,"
                + "published_extra_parameters,extra_multiply_adds_training,extra_multiply_adds_inference,"
                + "published_extra_operations,published_at_inference,training_seconds,training_spread_seconds,"
                + "training_steps,training_peak_bytes,training_planned_bytes,training_flops,test_seconds,"
                + "test_spread_seconds,test_steps,test_peak_bytes,test_planned_bytes,test_flops"
        ]
        for method in methods {
            let counts = method.counts
            let fields = [
                method.name, method.title, whole(counts.trainable), String(counts.merges),
                whole(counts.extraTrainingParameters), whole(counts.extraInferenceParameters),
                whole(counts.published?.parameters), whole(counts.extraTrainingMultiplyAdds),
                whole(counts.extraInferenceMultiplyAdds), whole(counts.published?.operations),
                counts.published.map { String($0.holdsAtInference) } ?? "", number(method.training.median),
                number(method.training.spread), whole(method.training.seconds.count),
                whole(method.training.peakBytes), whole(method.training.plannedBytes), whole(counts.trainingFLOPs),
                number(method.test.median), number(method.test.spread), whole(method.test.seconds.count),
                whole(method.test.peakBytes), whole(method.test.plannedBytes), whole(counts.inferenceFLOPs),
            ]
            // A title lists settings: `LoRA (rank=4, alpha=8)`.
            lines.append(fields.map { $0.contains(",") ? "\"\($0)\"" : $0 }.joined(separator: ","))
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
