import SSFKernels
import SSFParallel
import SSFTensors

/// t-SNE (van der Maaten and Hinton 2008): places for samples in the plane such that those which are near in many
/// dimensions are near there.
///
/// Exact nearest neighbours, Gaussian affinities of a given perplexity, the two principal components as the beginning, and
/// gradient descent with momentum and gains, first with exaggerated attraction: the algorithm and the defaults of openTSNE
/// (Poličar et al. 2024), with exact neighbours where that approximates.
public struct TSNE {
    /// What an iteration came to, now and then.
    public struct Progress: Sendable {
        /// Iterations done, of both phases.
        public var iteration: Int
        public var iterations: Int
        public var isExaggerated: Bool
        /// Kullback-Leibler divergence, without exaggeration.
        public var divergence: Double
    }

    /// A finished embedding.
    public struct Result: Sendable {
        /// [samples, 2].
        public var points: [Float]
        /// Kullback-Leibler divergence of the embedding's affinities from those of the samples, in nats, with the
        /// normalisation of every pair.
        public var divergence: Double
        /// How repulsion was computed.
        public var method: TSNESettings.Method
        /// Samples whose perplexity could not be reached, because too many others are equally near.
        public var missedPerplexities: Int
    }

    public let settings: TSNESettings
    public let affinities: JointAffinities
    public let graph: NeighborGraph
    /// How long the search for neighbours took, and how long what came after it.
    public let neighborSeconds, affinitySeconds: Double
    private let missed: Int
    private let initial: [Float]

    /// Finds neighbours, affinities and the beginning.
    ///
    /// - Throws: `UserError` where the settings do not fit the samples.
    public init(_ features: SampleMatrix, settings: TSNESettings = TSNESettings()) throws {
        try settings.check(samples: features.rows)
        self.settings = settings
        let neighbors = min(ConditionalAffinities.neighbors(perplexity: settings.perplexity), features.rows - 1)
        let clock = ContinuousClock()
        let begin = clock.now
        graph = NeighborGraph(nearestNeighborsIn: features, k: neighbors)
        let found = clock.now
        let conditional = ConditionalAffinities(graph, perplexity: settings.perplexity)
        missed = conditional.missed
        affinities = JointAffinities(conditional, of: graph)
        initial = Self.initialPoints(features, settings)
        neighborSeconds = (found - begin) / .seconds(1)
        affinitySeconds = (clock.now - found) / .seconds(1)
    }

    /// Where the descent begins: the principal components with a standard deviation of `initialDeviation` along the first,
    /// and noise of a hundredth of it. [samples, 2].
    public static func initialPoints(_ features: SampleMatrix, _ settings: TSNESettings) -> [Float] {
        let scores = PrincipalComponents(features).scores
        let n = Double(features.rows)
        var squares = 0.0
        for row in 0..<features.rows { squares += Double(scores[2 * row]) * Double(scores[2 * row]) }
        let deviation = (squares / n).squareRoot()
        let scale = deviation > 0 ? settings.initialDeviation / deviation : 0
        var generator = RandomGenerator(seed: settings.seed, stream: "tsne-jitter")
        return scores.map { Float(Double($0) * scale + 0.01 * settings.initialDeviation * generator.normal()) }
    }

    /// Descends.
    ///
    /// - Parameters:
    ///   - interval: iterations between reports of progress; forming the divergence takes longer than an iteration.
    ///   - progress: called every so many iterations.
    public func run(interval: Int = 50, progress: ((Progress) -> Void)? = nil) -> Result {
        let count = affinities.count
        let repulsion = settings.repulsion(samples: count)
        let descent = GradientDescent(affinities, points: initial, settings: settings)
        let total = settings.earlyIterations + settings.iterations
        for iteration in 0..<total {
            let isEarly = iteration < settings.earlyIterations
            let exaggeration = isEarly ? settings.earlyExaggeration : settings.exaggeration
            descent.step(
                repulsion: repulsion, exaggeration: exaggeration,
                learningRate: settings.learningRate ?? Double(count) / exaggeration,
                momentum: isEarly ? settings.earlyMomentum : settings.momentum)
            if let progress, (iteration + 1) % interval == 0 {
                progress(
                    Progress(
                        iteration: iteration + 1, iterations: total, isExaggerated: isEarly,
                        divergence: descent.divergence(normalization: descent.normalization)))
            }
        }
        // What Barnes-Hut is off in Z shows in a small divergence; the grid is nearer.
        let last: any Repulsion = repulsion is BarnesHutRepulsion ? ExactRepulsion() : repulsion
        let divergence = descent.divergence(normalization: descent.evaluateNormalization(last))
        return Result(
            points: descent.points, divergence: divergence, method: settings.resolvedMethod(samples: count),
            missedPerplexities: missed)
    }
}
