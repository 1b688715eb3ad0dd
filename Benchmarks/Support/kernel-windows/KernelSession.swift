import KernelCases
import Windows

/// The prepared kernels of a run and the requests on them.
struct KernelSession: WindowSession {
    private var cases: [String: () -> Void] = [:]
    private let clock = ContinuousClock()

    init(threads: Int) {}

    mutating func answer(_ request: String) throws -> String? {
        let words = request.split(separator: " ", maxSplits: 2).map(String.init)
        switch (words.first, words.count) {
        case ("case", 3):
            cases[words[1]] = try KernelCaseRegistry.make(words[2]).prepare()
            return "{\"prepared\": true}"
        case ("window", 3):
            guard let call = cases[words[1]], let seconds = Double(words[2]) else { return nil }
            return window(of: call, seconds: seconds)
        case ("drop", 2):
            cases[words[1]] = nil
            return "{\"dropped\": true}"
        default:
            return nil
        }
    }

    /// Calls `call` for `seconds`. A sample is one call, or as many as make the clock's own time negligible.
    private func window(of call: () -> Void, seconds: Double) -> String {
        // Wakes the team, brings the caches and the clock of the cores where they stay.
        let calls = Timing.callsPerWindow(of: call, seconds: 50e-6)
        let warm = clock.now.advanced(by: .seconds(seconds / 10))
        while clock.now < warm { call() }

        let switched = ProcessCounters.involuntarySwitches
        var samples: [Double] = []
        let end = clock.now.advanced(by: .seconds(seconds))
        repeat {
            samples.append(Timing.secondsPerCall(of: call, calls: calls))
        } while clock.now < end
        samples.sort()
        return "{\"median\": \(samples[samples.count / 2]), \"best\": \(samples[0]), \"samples\": \(samples.count), "
            + "\"calls\": \(calls * samples.count), "
            + "\"involuntary_switches\": \(ProcessCounters.involuntarySwitches - switched)}"
    }
}
