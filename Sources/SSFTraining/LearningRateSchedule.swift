#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Warm-up followed by a cosine to a minimum, counted in optimiser steps or in epochs.
///
/// Both forms count the phase of the cosine from the very beginning, so that warm-up and cosine overlap and the peak is
/// approached but never held. Rates are computed in double precision.
public struct LearningRateSchedule: Sendable, Equatable {
    /// What the schedule counts.
    public enum Unit: String, Sendable, Codable, CaseIterable {
        /// `peak * min(1, (t + 1) / W) * (1 + cos(pi t / T)) / 2` at optimiser step `t` of `T`, with `W` warm-up steps.
        case step
        /// The formula of timm 0.6's cosine scheduler, with which the SSF reference trains: one rate for a whole epoch,
        /// a linear climb from the warm-up rate that ends one epoch short of the peak, then the cosine, then a cooldown
        /// at the minimum.
        case epoch
    }

    public var unit: Unit
    /// The learning rate that a user names.
    public var peak: Double
    /// Steps or epochs of warm-up and cosine together, without the cooldown.
    public var length: Int
    /// Steps or epochs of warm-up.
    public var warmup: Int
    /// The rate from which the warm-up climbs.
    public var warmupRate: Double
    /// The rate at which the cosine ends.
    public var minimumRate: Double

    public init(
        unit: Unit, peak: Double, length: Int, warmup: Int, warmupRate: Double = 0, minimumRate: Double = 0
    ) {
        precondition(length > 0 && warmup >= 0, "a schedule has a positive length and no negative warm-up")
        self.unit = unit
        self.peak = peak
        self.length = length
        self.warmup = warmup
        self.warmupRate = warmupRate
        self.minimumRate = minimumRate
    }

    /// The rate of optimiser step `step`, which belongs to epoch `epoch`; both count from 0. Past the schedule's length
    /// (the cooldown) it is `minimumRate`.
    public func rate(step: Int, epoch: Int) -> Double {
        let time = unit == .step ? step : epoch
        if time >= length { return minimumRate }
        let cosine = (1 + cos(.pi * Double(time) / Double(length))) / 2
        switch unit {
        case .step:
            let climbed =
                time + 1 < warmup
                ? warmupRate + (peak - warmupRate) * Double(time + 1) / Double(warmup)
                : peak
            return minimumRate + (climbed - minimumRate) * cosine
        case .epoch:
            return time < warmup
                ? warmupRate + (peak - warmupRate) * Double(time) / Double(warmup)
                : minimumRate + (peak - minimumRate) * cosine
        }
    }
}
