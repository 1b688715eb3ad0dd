/// Mean and spread of a few numbers, such as the accuracies of a method over seeds.
public struct SampleSummary: Codable, Sendable, Equatable {
    public var count: Int
    public var mean: Double
    /// Standard deviation of the sample, with `count - 1`; nil for a single number.
    public var deviation: Double?

    public init(count: Int, mean: Double, deviation: Double?) {
        (self.count, self.mean, self.deviation) = (count, mean, deviation)
    }

    /// nil for no numbers.
    public init?(_ values: [Double]) {
        guard !values.isEmpty else { return nil }
        let mean = values.reduce(0, +) / Double(values.count)
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        self.init(
            count: values.count, mean: mean,
            deviation: values.count > 1 ? (squares / Double(values.count - 1)).squareRoot() : nil)
    }
}
