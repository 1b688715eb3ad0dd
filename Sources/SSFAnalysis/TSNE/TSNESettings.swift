import SSFTensors

/// How an embedding is computed. The defaults are openTSNE's.
public struct TSNESettings: Codable, Sendable, Equatable {
    /// How repulsion is computed.
    public enum Method: String, Codable, Sendable, CaseIterable {
        /// Barnes-Hut below 10,000 samples, the grid from there on.
        case automatic = "auto"
        case exact
        case barnesHut = "barnes-hut"
        case grid = "fft"
    }

    /// Neighbours that a sample has, in effect.
    public var perplexity = 30.0
    public var method = Method.automatic
    /// Of Barnes-Hut: 0 exact, 1 coarse.
    public var theta = 0.5
    /// Spacing of the grid in units of the embedding, in which the kernel's width is 1.
    public var gridSpacing = Double(GridRepulsion.defaultSpacing)
    /// Iterations with attraction multiplied by `earlyExaggeration`.
    public var earlyIterations = 250
    public var earlyExaggeration = 12.0
    /// Iterations after those.
    public var iterations = 500
    public var exaggeration = 1.0
    /// Nil: samples over exaggeration, in each phase (Belkina et al. 2019).
    public var learningRate: Double?
    public var earlyMomentum = 0.8
    public var momentum = 0.8
    public var minimumGain = 0.01
    /// No point moves further in one iteration.
    public var maximumStep = 5.0
    /// Standard deviation of the first coordinate in the beginning.
    public var initialDeviation = 1e-4
    /// Of the noise, a hundredth of that, which parts samples that are the same.
    public var seed: UInt64 = 0

    public init() {}

    enum CodingKeys: String, CodingKey {
        case perplexity, method, theta, iterations, exaggeration, momentum, seed
        case gridSpacing = "grid_spacing"
        case earlyIterations = "early_iterations"
        case earlyExaggeration = "early_exaggeration"
        case learningRate = "learning_rate"
        case earlyMomentum = "early_momentum"
        case minimumGain = "minimum_gain"
        case maximumStep = "maximum_step"
        case initialDeviation = "initial_deviation"
    }

    /// From so many samples on `automatic` takes the grid.
    public static let gridSamples = 10_000

    /// The method for so many samples; never `automatic`.
    public func resolvedMethod(samples: Int) -> Method {
        guard method == .automatic else { return method }
        return samples < Self.gridSamples ? .barnesHut : .grid
    }

    func repulsion(samples: Int) -> any Repulsion {
        switch resolvedMethod(samples: samples) {
        case .exact: ExactRepulsion()
        case .grid: GridRepulsion(spacing: Float(gridSpacing))
        case .barnesHut, .automatic: BarnesHutRepulsion(theta: Float(theta))
        }
    }

    /// - Throws: `UserError` for settings that mean nothing, or that so many samples do not allow.
    public func check(samples: Int) throws {
        guard samples >= 4 else {
            throw UserError(
                "t-SNE needs more samples", expected: "at least 4: each must have a neighbour or more to be near to",
                found: "\(samples)")
        }
        let largest = ConditionalAffinities.largestPerplexity(samples: samples)
        func require(_ condition: Bool, _ what: String, _ expected: String, _ found: String, _ remedy: String? = nil)
            throws
        {
            if !condition { throw UserError(what, expected: expected, found: found, remedy: remedy) }
        }
        let perplexity = Self.shown(perplexity)
        try require(
            self.perplexity >= 1 && self.perplexity.isFinite,
            "the perplexity, how many neighbours a sample has in effect",
            "1 or more", perplexity)
        try require(
            self.perplexity <= largest, "the perplexity is too large for \(samples) samples",
            "at most \(Self.shown(largest.rounded(.down))): a third of the other samples", perplexity,
            "pass --perplexity \(Self.shown(largest.rounded(.down))) or less, or more samples")
        try require(theta >= 0 && theta <= 2, "theta", "0 ... 2", Self.shown(theta))
        try require(
            gridSpacing >= 0.05 && gridSpacing <= 2, "the spacing of the grid", "0.05 ... 2", Self.shown(gridSpacing))
        try require(
            earlyIterations >= 0 && iterations >= 0, "iterations", "0 or more", "\(earlyIterations) and \(iterations)")
        try require(
            earlyExaggeration > 0 && exaggeration > 0 && earlyExaggeration.isFinite && exaggeration.isFinite,
            "the exaggeration", "a positive number", "\(Self.shown(earlyExaggeration)), \(Self.shown(exaggeration))")
        try require(
            learningRate.map { $0 > 0 && $0.isFinite } ?? true, "the learning rate", "a positive number",
            Self.shown(learningRate ?? 0))
        try require(
            (0..<1).contains(momentum) && (0..<1).contains(earlyMomentum), "the momentum", "0 or more, less than 1",
            "\(Self.shown(earlyMomentum)), \(Self.shown(momentum))")
    }

    private static func shown(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
    }
}
