import ArgumentParser
import Foundation
import SSFAnalysis
import SSFCommands
import SSFKernels
import SSFParallel
import SSFTensors

/// How fast and how exact CKA of all layers is, beside the matrix products that its definition names: what
/// `tools/peers/compare-cka` runs.
struct MeasureSimilarity: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "measure-similarity",
        abstract: "CKA of all layers beside the plain products of the same size. Prints JSON.", shouldDisplay: false)

    @Option var images = 1000
    @Option var width = 768
    @Option(help: "Of each of two models.") var layers = 12
    @Option var rounds = 9
    @Option var threads: Int?
    @Flag(help: "Compare with double precision instead of measuring the time.") var check = false

    private struct Sample: Codable {
        var images: Int
        var width: Int
        var layers: Int
        var threads: Int
        var instructionSet: String
        /// Seconds of CKA, and of one product [n, p] x [p, n] for each layer, of each round.
        var seconds: [Double] = []
        var productSeconds: [Double] = []
        /// The largest difference from CKA in double precision.
        var error: Double?
    }

    func run() throws {
        try Program.begin(threads: threads)
        let form = SimilarityCollector.Form(tokens: 1, width: width, depth: layers)
        let pairs = LayerPairs(depths: [form.depth, form.depth])
        let features = drawn()
        FeatureMatrix.center(features)
        let blocks = [GramProducts.Block(rows: pairs.layers(of: 0), columns: pairs.layers(of: 1))]
        let workspace = Workspace()
        func similarity() -> HSIC {
            HSIC(
                pairs, GramProducts.products(features, blocks: blocks, workspace: workspace),
                norms: features.map { $0.squaredNorms() }, estimator: .unbiased)
        }
        var sample = Sample(
            images: images, width: width, layers: 2 * layers, threads: Parallel.threads,
            instructionSet: KernelTable.current.instructionSet.rawValue)
        if check {
            sample.error = largestDifference(similarity(), features, pairs)
        } else {
            let product = Tensor(zeros: [images, images])
            for round in 0...rounds {
                let seconds = time { _ = similarity() }
                let productSeconds = time { for layer in features { multiply(layer, product, workspace) } }
                // The first touches the memory.
                if round > 0 {
                    sample.seconds.append(seconds)
                    sample.productSeconds.append(productSeconds)
                }
            }
        }
        try StandardOutput.write(try JSONText.of(sample))
    }

    private func time(_ body: () -> Void) -> Double {
        let begin = DispatchTime.now().uptimeNanoseconds
        body()
        return Double(DispatchTime.now().uptimeNanoseconds - begin) / 1e9
    }

    private func multiply(_ x: FeatureMatrix, _ product: Tensor, _ workspace: Workspace) {
        let base = UnsafePointer(x.base)
        GEMM.multiply(
            m: images, n: images, k: width, a: base, aRowStride: width, aColumnStride: 1, b: base, bRowStride: 1,
            bColumnStride: width, c: product.floats.baseAddress!, cRowStride: images, workspace: workspace)
        withExtendedLifetime((x, product)) {}
    }

    /// Layers that share a part of one signal.
    private func drawn() -> [FeatureMatrix] {
        var random = RandomGenerator(seed: 0, stream: "similarity")
        let signal = (0..<images * width).map { _ in Float(random.normal()) }
        return (0..<2 * layers).map { layer in
            let matrix = FeatureMatrix(count: images, width: width)
            var state = UInt32(truncatingIfNeeded: random.next()) | 1
            for e in 0..<images * width {
                // Enough chance for noise, and quick.
                state ^= state << 13
                state ^= state >> 17
                state ^= state << 5
                matrix.base[e] =
                    Float(layer + 1) / Float(2 * layers) * signal[e] + Float(state) / Float(UInt32.max) - 0.5
            }
            return matrix
        }
    }

    /// CKA by its definition, every product and sum in double precision.
    private func largestDifference(_ seen: HSIC, _ features: [FeatureMatrix], _ pairs: LayerPairs) -> Double {
        let n = Double(images)
        let grams = features.map { x in
            (0..<images * images).map { e in
                e / images == e % images
                    ? 0 : SumOfProducts.of(x.row(e / images), x.row(e % images), count: width)
            }
        }
        let rowSums = grams.map { k in (0..<images).map { k[($0 * images)..<(($0 + 1) * images)].reduce(0, +) } }
        func hsic(_ i: Int, _ j: Int) -> Double {
            let inner = zip(grams[i], grams[j]).reduce(0) { $0 + $1.0 * $1.1 }
            let mixed = zip(rowSums[i], rowSums[j]).reduce(0) { $0 + $1.0 * $1.1 }
            let totals = rowSums[i].reduce(0, +) * rowSums[j].reduce(0, +)
            return inner + totals / ((n - 1) * (n - 2)) - 2 / (n - 2) * mixed
        }
        let own = features.indices.map { hsic($0, $0) }
        var worst = 0.0
        for i in pairs.layers(of: 0) {
            for j in pairs.layers(of: 1) {
                let expected = hsic(i, j) / (own[i] * own[j]).squareRoot()
                worst = max(worst, abs(seen.cka(i, 1, j - pairs.depths[0]) - expected))
            }
        }
        return worst
    }
}
