import Foundation
import SSFAnalysis
import SSFParallel
import SSFTensors
import SSFTestSupport
import Testing

@Suite("t-SNE", .serialized)
struct TSNETests {
    static func features(_ golden: [String: Tensor]) throws -> SampleMatrix {
        let tensor = try #require(golden["features"])
        return try SampleMatrix(rows: tensor.shape[0], columns: tensor.shape[1], values: tensor.values)
    }

    static func integers(_ tensor: Tensor) -> [Int32] {
        precondition(tensor.dtype == .i32)
        return Array(
            UnsafeBufferPointer(start: tensor.rawPointer.assumingMemoryBound(to: Int32.self), count: tensor.count))
    }

    private static func number(_ golden: [String: Tensor], _ name: String) throws -> Double {
        Double(try #require(golden[name]).values[0])
    }

    /// The divergence over all pairs in double precision, as the golden's is computed.
    private func divergence(_ affinities: JointAffinities, _ points: [Float]) -> Double {
        let count = points.count / 2
        func kernel(_ i: Int, _ j: Int) -> Double {
            let dx = Double(points[2 * i]) - Double(points[2 * j])
            let dy = Double(points[2 * i + 1]) - Double(points[2 * j + 1])
            return 1 / (1 + dx * dx + dy * dy)
        }
        var normalization = 0.0
        for i in 0..<count {
            for j in 0..<i { normalization += 2 * kernel(i, j) }
        }
        return affinities.entries().reduce(0) {
            $0 + Double($1.value) * log(Double($1.value) * normalization / kernel($1.row, $1.column))
        }
    }

    @Test("The divergence is at most 1 % above openTSNE's, by every method", arguments: ["clusters", "curve"])
    func divergence(_ name: String) throws {
        let golden = try Goldens.tensors("tsne/\(name).safetensors")
        let features = try Self.features(golden)
        for method in [TSNESettings.Method.barnesHut, .grid, .exact] {
            var settings = TSNESettings()
            settings.method = method
            let tsne = try TSNE(features, settings: settings)
            let result = tsne.run()
            let exact = divergence(tsne.affinities, result.points)
            let theirs = try Self.number(golden, "divergence")
            #expect(exact <= 1.01 * theirs, "\(method): \(exact), \(theirs)")
            // What is reported is what it is.
            #expect(abs(result.divergence - exact) < 1e-3 * exact, "\(method): \(result.divergence), \(exact)")
            #expect(result.method == method && result.missedPerplexities == 0)
        }
        var early = TSNESettings()
        early.iterations = 0
        let begun = try TSNE(features, settings: early)
        let theirs = try Self.number(golden, "early_divergence")
        #expect(divergence(begun.affinities, begun.run().points) <= 1.01 * theirs)
    }

    @Test("Affinities are openTSNE's, and every sample has the perplexity", arguments: ["clusters", "curve"])
    func affinities(_ name: String) throws {
        let golden = try Goldens.tensors("tsne/\(name).safetensors")
        let features = try Self.features(golden)
        let graph = NeighborGraph(nearestNeighborsIn: features, k: 90)
        let conditional = ConditionalAffinities(graph, perplexity: 30)
        for row in 0..<graph.count {
            let probabilities = conditional.probabilities[row * 90..<row * 90 + 90].map(Double.init)
            let entropy = probabilities.reduce(0) { $0 - ($1 > 0 ? $1 * log($1) : 0) }
            #expect(abs(exp(entropy) - 30) < 1e-3)
        }
        let joint = JointAffinities(conditional, of: graph)
        let expected = try #require(golden["affinities"])
        var seen = [Float](repeating: 0, count: expected.count)
        var sum = 0.0
        for entry in joint.entries() {
            sum += Double(entry.value)
            if entry.row < 5 { seen[entry.row * graph.count + entry.column] = entry.value }
        }
        #expect(abs(sum - 1) < 1e-6)
        let largest = expected.values.max() ?? 0
        #expect(zip(seen, expected.values).allSatisfy { abs($0 - $1) < 1e-4 * largest })
    }

    @Test("Recall and trustworthiness are scikit-learn's", arguments: ["clusters", "curve"])
    func quality(_ name: String) throws {
        let golden = try Goldens.tensors("tsne/\(name).safetensors")
        let features = try Self.features(golden)
        let points = try #require(golden["embedding"]).values
        let all = EmbeddingQuality(of: points, features: features)
        let (trustworthiness, recall) = (
            try Self.number(golden, "trustworthiness"), try Self.number(golden, "recall")
        )
        #expect(abs(all.trustworthiness - trustworthiness) < 1e-6 && abs(all.recall - recall) < 1e-6)
        #expect(all.samples == features.rows && all.neighbors == 10)
        // A part of the samples says about the same.
        let part = EmbeddingQuality(of: points, features: features, limit: 200)
        #expect(part.samples == 200 && abs(part.trustworthiness - all.trustworthiness) < 0.01)
        #expect(abs(part.recall - all.recall) < 0.05)
    }

    @Test("The same bits for every thread count and every run, other ones for another seed")
    func determinism() throws {
        let features = try NeighborGraphTests.normal(rows: 300, columns: 8, seed: 6)
        func run(threads: Int, seed: UInt64, _ method: TSNESettings.Method) throws -> [Float] {
            var settings = TSNESettings()
            (settings.earlyIterations, settings.iterations, settings.seed) = (30, 30, seed)
            settings.method = method
            return try Parallel.withThreads(threads) { try TSNE(features, settings: settings).run().points }
        }
        for method in [TSNESettings.Method.barnesHut, .grid, .exact] {
            let one = try run(threads: 1, seed: 1, method)
            let other = try run(threads: 3, seed: 1, method)
            #expect(one.elementsEqual(other))
            let reseeded = try run(threads: 1, seed: 2, method)
            #expect(!one.elementsEqual(reseeded))
        }
    }

    @Test("The beginning is the principal components, the largest loading of each positive")
    func beginning() throws {
        // Variances 9, 4 and 1 along known directions.
        var generator = RandomGenerator(seed: 7)
        let values = (0..<400).flatMap { _ in
            let (a, b, c) = (3 * generator.normal(), 2 * generator.normal(), generator.normal())
            return [Float(100 + 0.6 * a - 0.8 * b), Float(-0.8 * a - 0.6 * b), Float(c)]
        }
        let features = try SampleMatrix(rows: 400, columns: 3, values: values)
        let scores = PrincipalComponents(features).scores
        var (first, second, product) = (0.0, 0.0, 0.0)
        for i in 0..<400 {
            first += Double(scores[2 * i] * scores[2 * i])
            second += Double(scores[2 * i + 1] * scores[2 * i + 1])
            product += Double(scores[2 * i] * scores[2 * i + 1])
        }
        // The scale is a power of two of the library's own.
        #expect(abs(first / second - 9.0 / 4) < 0.5 && abs(product) < 1e-4 * first)
        // Along the first direction, (-0.6, 0.8), the second column counts most and with a positive sign.
        let along = (0..<400).reduce(0.0) { $0 + Double(scores[2 * $1]) * Double(values[3 * $1 + 1]) }
        #expect(along > 0)
        let points = TSNE.initialPoints(features, TSNESettings())
        let deviation = ((0..<400).reduce(0.0) { $0 + Double(points[2 * $1] * points[2 * $1]) } / 400).squareRoot()
        #expect(abs(deviation - 1e-4) < 1e-6)
    }

    @Test("Samples that are the same, or vary in one direction only, are embedded all the same")
    func degenerate() throws {
        var settings = TSNESettings()
        (settings.earlyIterations, settings.iterations) = (40, 40)
        for method in [TSNESettings.Method.barnesHut, .grid, .exact] {
            settings.method = method
            settings.perplexity = 5
            let constant = try SampleMatrix(rows: 40, columns: 3, values: [Float](repeating: 2, count: 120))
            let tsne = try TSNE(constant, settings: settings)
            let result = tsne.run()
            #expect(result.points.allSatisfy { $0.isFinite } && result.divergence.isFinite)
            // All of the others are equally near, which is a perplexity of 15.
            #expect(result.missedPerplexities == 40)
            let line = try SampleMatrix(rows: 40, columns: 1, values: (0..<40).map { Float($0 / 2) })
            let embedded = try TSNE(line, settings: settings).run()
            #expect(embedded.points.allSatisfy { $0.isFinite })
        }
    }

    @Test("Settings that do not fit name what would")
    func mistakes() throws {
        let features = try NeighborGraphTests.normal(rows: 50, columns: 3, seed: 8)
        func refusal(_ features: SampleMatrix, _ change: (inout TSNESettings) -> Void) -> UserError? {
            var settings = TSNESettings()
            settings.perplexity = 10
            change(&settings)
            do {
                _ = try TSNE(features, settings: settings)
                return nil
            } catch { return error as? UserError }
        }
        #expect(refusal(features) { _ in } == nil)
        let large = refusal(features) { $0.perplexity = 30 }
        #expect(large?.what.contains("50 samples") == true && large?.remedy?.contains("--perplexity 16") == true)
        #expect(refusal(features) { $0.perplexity = .nan } != nil)
        #expect(refusal(features) { $0.perplexity = 0.5 } != nil)
        #expect(refusal(features) { $0.theta = -1 } != nil)
        #expect(refusal(features) { $0.learningRate = 0 } != nil)
        #expect(refusal(features) { $0.momentum = 1 } != nil)
        #expect(refusal(features) { $0.iterations = -1 } != nil)
        #expect(refusal(features) { $0.earlyExaggeration = 0 } != nil)
        #expect(refusal(features) { $0.gridSpacing = 0 } != nil)
        let few = try NeighborGraphTests.normal(rows: 3, columns: 3, seed: 8)
        #expect(refusal(few) { $0.perplexity = 1 }?.what.contains("more samples") == true)
    }
}
