import SSFParallel

/// Times calls in windows.
public enum Timing {
    /// How many calls last at least `seconds`, from a few that are thrown away.
    public static func callsPerWindow(of call: () -> Void, seconds: Double) -> Int {
        call()
        var calls = 1
        while true {
            let window = secondsPerCall(of: call, calls: calls) * Double(calls)
            if window >= seconds { return calls }
            // Towards the goal, but never on the word of one short window.
            calls = max(calls + 1, min(calls * 10, Int(Double(calls) * seconds / max(window, 1e-9))))
        }
    }

    /// Seconds of one of `calls` calls in a row.
    public static func secondsPerCall(of call: () -> Void, calls: Int) -> Double {
        let duration = ContinuousClock().measure { for _ in 0..<calls { call() } }
        let (seconds, attoseconds) = duration.components
        return (Double(seconds) + Double(attoseconds) * 1e-18) / Double(calls)
    }
}

/// How measuring programs use threads.
public enum ThreadSetup {
    /// Uses `threads` threads from here on and binds each to a CPU; also a single one, which would else wander. From the
    /// thread that measures, before anything else that is parallel.
    ///
    /// - Returns: the threads in use, at most those that the machine allows.
    @discardableResult
    public static func use(_ threads: Int) -> Int {
        let granted = Parallel.setThreads(threads)
        if granted == 1 {
            // The last one: the first often serves the interrupts.
            if let last = CPUMask.inherited?.cpus.last { CPUMask(cpus: [last]).applyToCurrentThread() }
        } else {
            _ = Parallel.pinProgram()
        }
        return granted
    }
}
