/// Whether one model is nearest to the reference in the last block: what the SSF paper says of SSF and full tuning.
package struct SimilarityClaim: Codable, Sendable, Equatable {
    package enum Verdict: String, Codable, Sendable {
        /// Nearer than every other, with every interval above zero.
        case holds
        /// Some other is nearer, with its interval below zero.
        case fails
        /// The images do not decide it.
        case undecided
    }

    /// A number and the middle 95 % of its replicates.
    package struct Interval: Codable, Sendable, Equatable {
        package var model: String
        package var value: Double
        package var low: Double
        package var high: Double
    }

    package var measure: SimilarityMeasure
    package var subject: String
    /// How the images were drawn anew.
    package var resampling: String
    package var replicates: Int
    /// Of the last block, of each model.
    package var similarities: [Interval]
    /// The subject's similarity less that of each other model which is compared.
    package var differences: [Interval]
    package var verdict: Verdict

    /// - Parameters:
    ///   - models: beside the reference.
    ///   - estimates: similarity of the last block, of each of them.
    ///   - replicates: the same over resampled images.
    /// - Returns: nil where the subject cannot be compared, nothing else can, or there are no replicates.
    init?(
        _ measure: SimilarityMeasure, subject: String, models: [SimilarityReport.Model], estimates: [Double],
        replicates: [[Double]]
    ) {
        let known = models.indices.filter { estimates[$0].isFinite }
        guard let own = known.first(where: { models[$0].name == subject }), !replicates.isEmpty else { return nil }
        let rivals = known.filter { $0 != own && models[$0].role == .compared }
        guard !rivals.isEmpty else { return nil }
        self.measure = measure
        self.subject = subject
        self.replicates = replicates.count
        resampling =
            switch measure {
            case .cosine: "images drawn with replacement"
            case .biasedCKA, .unbiasedCKA: "halves of the images, drawn without replacement"
            case .minibatchCKA: "batches drawn with replacement"
            }
        func interval(_ model: Int, _ value: Double, _ drawn: [Double]) -> Interval {
            let sorted = drawn.filter(\.isFinite).sorted()
            // Moved to where the estimate is: a biased measure is larger on fewer images.
            let middle = Self.quantile(sorted, 0.5)
            let shift = measure == .cosine ? 0 : value - middle
            return Interval(
                model: models[model].name, value: value, low: Self.quantile(sorted, 0.025) + shift,
                high: Self.quantile(sorted, 0.975) + shift)
        }
        similarities = known.map { model in interval(model, estimates[model], replicates.map { $0[model] }) }
        differences = rivals.map { model in
            interval(model, estimates[own] - estimates[model], replicates.map { $0[own] - $0[model] })
        }
        verdict =
            differences.allSatisfy { $0.low > 0 }
            ? .holds : differences.contains { $0.high < 0 } ? .fails : .undecided
    }

    /// The value below which a part of the sorted numbers lies, straight between neighbours (type 7 of Hyndman and Fan).
    static func quantile(_ sorted: [Double], _ part: Double) -> Double {
        guard let last = sorted.last else { return .nan }
        let place = part * Double(sorted.count - 1)
        let index = Int(place)
        guard index + 1 < sorted.count else { return last }
        return sorted[index] + (place - Double(index)) * (sorted[index + 1] - sorted[index])
    }
}
