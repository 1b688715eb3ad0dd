import KernelCases
import StepCases
import Windows

/// The prepared steps of a run and the requests on them.
struct StepSession: WindowSession {
    private var steps: [String: PreparedStep] = [:]

    init(threads: Int) {}

    mutating func answer(_ request: String) throws -> String? {
        let words = request.split(separator: " ", maxSplits: 2).map(String.init)
        switch (words.first, words.count) {
        case ("case", 3):
            let step = try StepCase(line: words[2]).prepareStep()
            steps[words[1]] = step
            return "{\"flops\": \(step.flops), \"executed_flops\": \(step.executedFLOPs), "
                + "\"planned_bytes\": \(step.plannedByteCount), \"trainable\": \(step.trainableCount)}"
        case ("window", 3):
            guard let step = steps[words[1]], let calls = Int(words[2]), calls > 0 else { return nil }
            return window(of: step, calls: calls)
        case ("memory", 1):
            return "{\"peak_rss_bytes\": \(ProcessCounters.peakResidentBytes)}"
        case ("record", 3):
            let files = words[2].split(separator: " ").map(String.init)
            guard let step = steps[words[1]], files.count == 2 else { return nil }
            try step.record(inputs: files[0], output: files[1])
            return "{\"recorded\": true}"
        default:
            return nil
        }
    }

    private func window(of step: PreparedStep, calls: Int) -> String {
        let switched = ProcessCounters.involuntarySwitches
        let samples = (0..<calls).map { _ in Timing.secondsPerCall(of: step.run, calls: 1) }.sorted()
        return "{\"median\": \(samples[samples.count / 2]), \"best\": \(samples[0]), \"calls\": \(calls), "
            + "\"involuntary_switches\": \(ProcessCounters.involuntarySwitches - switched)}"
    }
}
