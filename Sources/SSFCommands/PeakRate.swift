import SSFTensors
import SSFTraining

/// The peak learning rate of a run: stated as it is, or for a batch of another size.
package struct PeakRate {
    /// Of this run's updates.
    package var rate: Double
    /// How it came about where it was not stated as it is.
    package var note: String?

    /// How a rate follows the number of images behind an update; timm's names.
    enum Scale: String, CaseIterable {
        case linear, sqrt
    }

    /// timm's: what gradient descent takes for a batch of 256 where nobody states a rate.
    package static let standardBase = 0.1

    /// Resolves `lr`, `lr-base`, `lr-base-size` and `lr-base-scale`. Of `lr` and `lr-base` the one wins that was stated
    /// with more weight: a flag over the file over the run that is resumed.
    ///
    /// - Parameters:
    ///   - images: behind one update: the batch times the accumulated batches.
    ///   - standard: the rate of AdamW where nobody states one; gradient descent then begins with `standardBase`.
    /// - Throws: `UserError` where both are stated in the same place, or a number cannot be used.
    package static func resolve(
        _ options: OptimizationOptions, _ resolver: SettingResolver, images: Int, optimizer: OptimizerChoice,
        standard: Double
    ) throws -> PeakRate {
        let plain = resolver.origin(of: "lr", isFlagged: options.lr != nil)
        let base = resolver.origin(of: "lr-base", isFlagged: options.lrBase != nil)
        if let plain, plain == base {
            throw UserError(
                "lr and lr-base exclude each other",
                expected: "the rate of this run, or that of a batch of lr-base-size",
                remedy: "leave one out")
        }
        let followsBatch =
            plain.map { plain in base.map { $0 < plain } ?? false } ?? (base != nil || optimizer != .adamw)
        guard followsBatch else {
            resolver.leaveUnset("lr-base")
            for (key, isFlagged) in [
                ("lr-base-size", options.lrBaseSize != nil), ("lr-base-scale", options.lrBaseScale != nil),
            ] {
                if base == nil, resolver.isStated(key, isFlagged: isFlagged) {
                    throw UserError("`\(key)` says nothing without lr-base", remedy: "state lr-base, or leave it out")
                }
                resolver.leaveUnset(key)
            }
            return PeakRate(rate: try resolver.value("lr", flag: options.lr, default: standard))
        }
        resolver.leaveUnset("lr")
        let stated = try resolver.value("lr-base", flag: options.lrBase, default: standardBase)
        let size = try resolver.value("lr-base-size", flag: options.lrBaseSize, default: 256)
        let scale = try resolver.choice(
            "lr-base-scale", flag: options.lrBaseScale, default: optimizer.scalesByRoot ? Scale.sqrt : .linear)
        guard stated > 0, stated.isFinite else {
            throw UserError("--lr-base cannot be used", expected: "a positive number", found: "\(stated)")
        }
        guard (1...1_000_000).contains(size) else {
            throw UserError("--lr-base-size cannot be used", expected: "1 to 1000000", found: "\(size)")
        }
        let ratio = Double(images) / Double(size)
        let rate = stated * (scale == .sqrt ? ratio.squareRoot() : ratio)
        return PeakRate(
            rate: rate,
            note:
                "lr: \(stated) for \(size) images comes to \(Formatting.significant(rate)) for the \(images) of an update"
                + (scale == .sqrt ? ", by the root of the ratio" : ""))
    }
}
