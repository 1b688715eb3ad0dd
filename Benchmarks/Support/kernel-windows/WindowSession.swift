import Glibc
import KernelCases
import SSFKernels

/// The prepared cases of a run and the requests on them; every answer is one line of JSON.
struct WindowSession {
    private var cases: [String: () -> Void] = [:]
    private let meter: PeakMeter
    private let clock = ContinuousClock()

    init(threads: Int) {
        meter = PeakMeter(threads: threads)
    }

    /// What the kernels run on.
    var description: String {
        "{\"instruction_set\": \"\(InstructionSet.current.rawValue)\", \"threads\": \(meter.threads)}"
    }

    mutating func answer(_ request: String) -> String {
        let words = request.split(separator: " ", maxSplits: 2).map(String.init)
        do {
            switch (words.first, words.count) {
            case ("case", 3):
                cases[words[1]] = try KernelCaseRegistry.make(words[2]).prepare()
                return "{\"prepared\": true}"
            case ("window", 3):
                guard let call = cases[words[1]], let seconds = Double(words[2]) else { break }
                return window(of: call, seconds: seconds)
            case ("peak", 2):
                guard let rate = peak(words[1]) else { break }
                return "{\"rate\": \(rate)}"
            case ("drop", 2):
                cases[words[1]] = nil
                return "{\"dropped\": true}"
            default:
                break
            }
        } catch {
            return "{\"error\": \"\(error)\"}"
        }
        return "{\"error\": \"not understood: \(request.filter { $0 != "\"" && $0 != "\\" })\"}"
    }

    private func peak(_ name: String) -> Double? {
        if name == "triad" { return meter.triadGigabytes() }
        return Precision(rawValue: name).map(meter.gigaFLOPs)
    }

    /// Calls `call` for `seconds`. A sample is one call, or as many as make the clock's own time negligible.
    private func window(of call: () -> Void, seconds: Double) -> String {
        // Wakes the team, brings the caches and the clock of the cores where they stay.
        let calls = Timing.callsPerWindow(of: call, seconds: 50e-6)
        let warm = clock.now.advanced(by: .seconds(seconds / 10))
        while clock.now < warm { call() }

        let switched = involuntarySwitches()
        var samples: [Double] = []
        let end = clock.now.advanced(by: .seconds(seconds))
        repeat {
            samples.append(Timing.secondsPerCall(of: call, calls: calls))
        } while clock.now < end
        samples.sort()
        return "{\"median\": \(samples[samples.count / 2]), \"best\": \(samples[0]), \"samples\": \(samples.count), "
            + "\"calls\": \(calls * samples.count), \"involuntary_switches\": \(involuntarySwitches() - switched)}"
    }

    /// How often another program has taken a CPU from one of the threads so far.
    private func involuntarySwitches() -> Int {
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        return usage.ru_nivcsw
    }
}
