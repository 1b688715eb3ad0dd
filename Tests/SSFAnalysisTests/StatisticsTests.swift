import Foundation
import SSFAnalysis
import SSFTestSupport
import Testing

/// Against SciPy, statsmodels and NumPy; `tools/goldens/statistics.py`.
@Suite("Statistics of comparisons") struct StatisticsTests {
    private struct Golden: Decodable {
        struct Table: Decodable {
            let only_first: Int
            let only_second: Int
            let exact: Double
            let corrected: Double?
        }
        struct Interval: Decodable {
            let first: Int
            let second: Int
            let low: Double
            let high: Double
            let standard_error: Double
        }
        struct Bootstrap: Decodable {
            let scores: [[Double]]
            let intervals: [Interval]
        }
        struct Quantiles: Decodable {
            let numbers: [Double]
            let parts: [Double]
            let values: [Double]
        }
        struct Sample: Decodable {
            let numbers: [Double]
            let mean: Double
            let deviation: Double
        }
        let mcnemar: [Table]
        let bootstrap: Bootstrap
        let quantiles: Quantiles
        let samples: [Sample]
    }

    private let golden: Golden

    init() throws {
        golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: Goldens.url("statistics.json")))
    }

    @Test("McNemar's test: exact below 25 differing images, else with the correction for continuity")
    func mcNemar() {
        for table in golden.mcnemar {
            let test = McNemarTest(onlyFirst: table.only_first, onlySecond: table.only_second)
            let isFew = table.only_first + table.only_second < 25
            #expect(test.form == (isFew ? .exact : .corrected))
            guard let expected = isFew ? table.exact : table.corrected else { continue }
            #expect(abs(test.pValue - expected) <= 1e-12 + 1e-10 * expected, "\(table): \(test.pValue)")
            #expect(
                test.pValue == McNemarTest(onlyFirst: table.only_second, onlySecond: table.only_first).pValue)
        }
        #expect(McNemarTest(onlyFirst: 40, onlySecond: 40).pValue == 1)
        let outcomes = ([true, true, false, false], [true, false, true, false])
        #expect(McNemarTest(first: outcomes.0, second: outcomes.1) == McNemarTest(onlyFirst: 1, onlySecond: 1))
    }

    /// The ends of an interval of B resamples scatter by sqrt(0.025 * 0.975 / B) / density, which is 2.7 % of the
    /// standard error for 10,000; six times that, and a step of the scores, is what is left to chance.
    @Test("The paired bootstrap's interval is SciPy's, within what resamples scatter")
    func bootstrap() {
        let bootstrap = PairedBootstrap(scores: golden.bootstrap.scores)
        let step = 1.0 / Double(3 * golden.bootstrap.scores[0].count)
        for expected in golden.bootstrap.intervals {
            let interval = bootstrap.interval(expected.first, expected.second)
            let tolerance = 6 * 0.027 * expected.standard_error + step
            #expect(abs(interval.lowerBound - expected.low) < tolerance, "\(interval), \(expected)")
            #expect(abs(interval.upperBound - expected.high) < tolerance, "\(interval), \(expected)")
            let mirrored = bootstrap.interval(expected.second, expected.first)
            #expect(abs(mirrored.lowerBound + interval.upperBound) < 1e-12)
        }
    }

    @Test("The same seed draws the same resamples; paired methods that agree differ by nothing")
    func determinism() {
        let scores = golden.bootstrap.scores
        let first = PairedBootstrap(scores: scores, resamples: 50)
        #expect(first.means == PairedBootstrap(scores: scores, resamples: 50).means)
        #expect(first.means != PairedBootstrap(scores: scores, resamples: 50, seed: 1).means)
        #expect(first.means != PairedBootstrap(scores: scores, resamples: 50, stream: "other").means)
        #expect(PairedBootstrap(scores: [scores[0], scores[0]], resamples: 50).interval(0, 1) == 0...0)
        // The mean over two sets, one of which has no spread, has half the spread.
        let constant = PairedBootstrap(scores: scores.map { $0.map { _ in 0.5 } }, resamples: 50)
        let mean = PairedBootstrap(meanOf: [first, constant])
        #expect(abs(mean.interval(0, 1).lowerBound - first.interval(0, 1).lowerBound / 2) < 1e-12)
    }

    @Test("Quantiles and deviations are NumPy's")
    func summaries() throws {
        for (part, value) in zip(golden.quantiles.parts, golden.quantiles.values) {
            #expect(abs(PairedBootstrap.quantile(part, of: golden.quantiles.numbers) - value) < 1e-14)
        }
        for sample in golden.samples {
            let summary = try #require(SampleSummary(sample.numbers))
            #expect(abs(summary.mean - sample.mean) < 1e-12)
            #expect(abs(summary.deviation! - sample.deviation) < 1e-12)
        }
        #expect(SampleSummary([]) == nil)
        #expect(SampleSummary([3])?.deviation == nil)
    }
}
