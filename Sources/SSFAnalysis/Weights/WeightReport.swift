import Foundation

/// What tuning has made of the weights of one or more models that began with the same ones.
public struct WeightReport: Sendable, Encodable {
    /// One tuned model.
    public struct Model: Sendable, Encodable {
        public let name: String
        public let path: String
        /// The tuning method; nil for a checkpoint that does not say.
        public let method: String?
        public var changes: [WeightChange]
        /// Of an SSF adapter; empty for others.
        public var modulation: [Modulation]

        public init(name: String, path: String, method: String?, changes: [WeightChange], modulation: [Modulation]) {
            (self.name, self.path, self.method) = (name, path, method)
            (self.changes, self.modulation) = (changes, modulation)
        }

        func change(_ scope: String, _ part: WeightPart) -> WeightChange? {
            changes.first { $0.scope.name == scope && $0.scope.part == part }
        }
    }

    /// Name and version of what made it.
    public let program: String
    /// Path of the pre-trained model.
    public let pretrained: String
    public let settings: WeightSettings
    public var models: [Model]

    public init(program: String, pretrained: String, settings: WeightSettings, models: [Model]) {
        (self.program, self.pretrained) = (program, pretrained)
        (self.settings, self.models) = (settings, models)
    }

    // MARK: - Numbers

    /// A row for each model and scope, with a heading; fields without a value are empty.
    public func csv() -> String {
        var lines = [
            "model,part,scope,count,pretrained_mean,pretrained_std,mean,std,wasserstein,wasserstein_over_std,kl,changed,"
                + "changed_noticeably,mean_abs_change,max_abs_change,bin_lower,bin_upper,pretrained_outside,outside"
        ]
        for model in models {
            for change in model.changes {
                let numbers: [Double?] = [
                    change.pretrainedMean, change.pretrainedDeviation, change.mean, change.deviation,
                    change.wasserstein, change.relativeWasserstein, change.divergence, change.changed,
                    change.changedNoticeably, change.meanAbsoluteChange, change.largestAbsoluteChange,
                    change.bins.lower, change.bins.upper, change.pretrainedOutside, change.outside,
                ]
                lines.append(
                    Self.row(
                        [model.name, change.scope.part.rawValue, change.scope.name, String(change.count)], numbers))
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The counts of all bins: a row for each model, scope and bin.
    public func histogramCSV() -> String {
        var lines = ["model,part,scope,bin_lower,bin_upper,pretrained_count,count"]
        for model in models {
            for change in model.changes {
                let edges = change.bins.edges
                for bin in change.histogram.indices {
                    lines.append(
                        Self.row(
                            [model.name, change.scope.part.rawValue, change.scope.name],
                            [edges[bin], edges[bin + 1]])
                            + ",\(change.pretrainedHistogram[bin]),\(change.histogram[bin])")
                }
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// A row for each model and site that SSF modulates; nil where there is none.
    public func modulationCSV() -> String? {
        let rows = models.flatMap { model in
            model.modulation.map { site in
                Self.row(
                    [model.name, site.site, site.block.map(String.init) ?? "", site.layer, String(site.channels)],
                    [site.meanScaleChange, site.largestScaleChange, site.meanShift, site.largestShift])
            }
        }
        guard !rows.isEmpty else { return nil }
        let heading =
            "model,site,block,layer,channels,mean_abs_scale_minus_1,max_abs_scale_minus_1,mean_abs_shift,max_abs_shift"
        return ([heading] + rows).joined(separator: "\n") + "\n"
    }

    private static func row(_ texts: [String], _ numbers: [Double?]) -> String {
        let fields = texts.map { $0.contains { ",\"\n".contains($0) } ? "\"\($0.replacing("\"", with: "\"\""))\"" : $0 }
        return (fields + numbers.map { $0.map { String(format: "%.9g", $0) } ?? "" }).joined(separator: ",")
    }
}
