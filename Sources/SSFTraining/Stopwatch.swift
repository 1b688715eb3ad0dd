/// Seconds on the monotonic clock.
struct Stopwatch {
    private var start = ContinuousClock.now

    var seconds: Double {
        let duration = ContinuousClock.now - start
        return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    }

    /// The seconds since the start or the last lap, and begins another.
    mutating func lap() -> Double {
        let passed = seconds
        start = ContinuousClock.now
        return passed
    }
}
