/// How far apart two methods are on a set of images, or in the mean over all sets, and whether that could be chance.
public struct MethodDifference: Codable, Sendable, Equatable {
    public var first: String
    public var second: String
    /// nil for the mean over the sets.
    public var dataset: String?
    /// First minus second, in points of top-1, seeds averaged.
    public var points: Double
    /// 95 % of the paired resamples of the images lie between these.
    public var low: Double
    public var high: Double
    /// For each seed that both have; empty for the mean.
    public var tests: [SeedTest]

    public struct SeedTest: Codable, Sendable, Equatable {
        public var seed: Int
        public var test: McNemarTest

        public init(seed: Int, test: McNemarTest) { (self.seed, self.test) = (seed, test) }
    }

    /// Whether the interval leaves 0 out.
    public var isClear: Bool { low > 0 || high < 0 }

    public init(
        first: String, second: String, dataset: String?, points: Double, low: Double, high: Double, tests: [SeedTest]
    ) {
        (self.first, self.second, self.dataset, self.points) = (first, second, dataset, points)
        (self.low, self.high, self.tests) = (low, high, tests)
    }

    /// What a method had right on the test part of a set: for each seed, each image, in the same order for all methods.
    public struct Outcomes: Sendable {
        public var method: String
        public var bySeed: [Int: [Bool]]

        public init(method: String, bySeed: [Int: [Bool]]) { (self.method, self.bySeed) = (method, bySeed) }

        /// The part of the seeds that have each image right.
        var scores: [Double] {
            let runs = bySeed.sorted { $0.key < $1.key }.map(\.value)
            return runs[0].indices.map { image in
                Double(runs.count { $0[image] }) / Double(runs.count)
            }
        }
    }

    /// Every pair of methods on every set, and in the mean over the sets for methods that all of them have.
    ///
    /// - Parameter outcomes: by set; methods without any run are left out.
    /// - Precondition: within a set every run has the same images.
    public static func all(
        _ outcomes: [(dataset: String, methods: [Outcomes])], resamples: Int = PairedBootstrap.standardResamples
    ) -> [MethodDifference] {
        var differences: [MethodDifference] = []
        var bootstraps: [(methods: [String], means: [Double], bootstrap: PairedBootstrap)] = []
        for (dataset, methods) in outcomes {
            let methods = methods.filter { !$0.bySeed.isEmpty }
            guard let first = methods.first, !first.scores.isEmpty else { continue }
            let scores = methods.map(\.scores)
            let means = scores.map { 100 * $0.reduce(0, +) / Double($0.count) }
            let bootstrap = PairedBootstrap(scores: scores, resamples: resamples, stream: dataset)
            bootstraps.append((methods.map(\.method), means, bootstrap))
            for (i, j) in pairs(methods.count) {
                let seeds = methods[i].bySeed.keys.filter { methods[j].bySeed[$0] != nil }.sorted()
                differences.append(
                    MethodDifference(
                        methods[i].method, methods[j].method, dataset: dataset, means[i] - means[j],
                        bootstrap.interval(i, j),
                        tests: seeds.map { seed in
                            SeedTest(
                                seed: seed,
                                test: McNemarTest(first: methods[i].bySeed[seed]!, second: methods[j].bySeed[seed]!))
                        }))
            }
        }
        guard bootstraps.count == outcomes.count, bootstraps.count > 1,
            bootstraps.allSatisfy({ $0.methods == bootstraps[0].methods })
        else { return differences }
        let mean = PairedBootstrap(meanOf: bootstraps.map(\.bootstrap))
        let names = bootstraps[0].methods
        for (i, j) in pairs(names.count) {
            let points = bootstraps.reduce(0) { $0 + $1.means[i] - $1.means[j] } / Double(bootstraps.count)
            differences.append(
                MethodDifference(names[i], names[j], dataset: nil, points, mean.interval(i, j), tests: []))
        }
        return differences
    }

    private init(
        _ first: String, _ second: String, dataset: String?, _ points: Double, _ interval: ClosedRange<Double>,
        tests: [SeedTest]
    ) {
        self.init(
            first: first, second: second, dataset: dataset, points: points, low: 100 * interval.lowerBound,
            high: 100 * interval.upperBound, tests: tests)
    }

    private static func pairs(_ count: Int) -> [(Int, Int)] {
        (0..<count).flatMap { i in (i + 1..<max(count, i + 1)).map { (i, $0) } }
    }
}
