import SSFAnalysis
import SSFKernels
import SSFParallel
import SSFTensors
import SSFTestSupport
import Testing

/// Similarity against numpy in float64 (`tools/goldens/similarity.py`).
@Suite("Similarity of layers")
struct SimilarityTests {
    private let golden: [String: Tensor]

    init() throws { golden = try Goldens.tensors("similarity/measures.safetensors") }

    /// Layers of a model, [images, layers, channels] in the golden; only some images if given.
    private func layers(_ name: String, _ images: [Int]? = nil) -> [FeatureMatrix] {
        let tensor = golden[name]!
        let values = tensor.values
        let (count, depth, width) = (tensor.shape[0], tensor.shape[1], tensor.shape[2])
        return (0..<depth).map { layer in
            FeatureMatrix(
                (images ?? Array(0..<count)).flatMap { values[(($0 * depth + layer) * width)...].prefix(width) },
                width: width)
        }
    }

    /// 1e-6 is what is promised; the golden itself is rounded to 6e-8 of its values.
    private func check(_ seen: [Double], _ name: String) {
        let expected = golden[name]!.values
        #expect(seen.count == expected.count, "\(name)")
        let worst = zip(seen, expected).map { abs($0 - Double($1)) }.max() ?? .infinity
        #expect(worst <= 1e-6, "\(name): off by \(worst)")
    }

    private func collected(_ batchSize: Int, replicates: Int = 0) -> SimilarityValues {
        let names = ["reference", "other", "wider"]
        let forms = names.map { name in
            SimilarityCollector.Form(tokens: 1, width: golden[name]!.shape[2], depth: golden[name]!.shape[1])
        }
        let count = golden["reference"]!.shape[0]
        var collector = SimilarityCollector(forms: forms, count: count, measures: Set(SimilarityMeasure.allCases))
        for first in stride(from: 0, to: count, by: batchSize) {
            let images = Array(first..<min(first + batchSize, count))
            collector.add(names.map { layers($0, images) }, at: images)
        }
        return collector.finish(replicates: replicates, seed: 3)
    }

    @Test("Every measure equals numpy's, pair of layers by pair of layers")
    func measures() throws {
        let values = collected(8)
        check(try #require(values.curves[.cosine]?[0]), "cosine")
        for (index, other) in ["other", "wider"].enumerated() {
            check(try #require(values.maps[.biasedCKA])[index].flatMap { $0 }, "biased.\(other)")
            check(try #require(values.maps[.unbiasedCKA])[index].flatMap { $0 }, "unbiased.\(other)")
            check(try #require(values.maps[.minibatchCKA])[index].flatMap { $0 }, "minibatch.\(other)")
        }
        // Block by block only where the depths are equal; number by number only where the widths are.
        for measure in SimilarityMeasure.allCases { #expect(values.curves[measure]?[1] == nil) }
        let diagonal = try #require(values.curves[.biasedCKA]?[0])
        #expect(diagonal == (0..<3).map { values.maps[.biasedCKA]![0][$0][$0] })
    }

    @Test("CKA over all images does not depend on how they came")
    func batches() throws {
        for size in [1, 7, 45] {
            let values = collected(size)
            check(try #require(values.maps[.unbiasedCKA])[0].flatMap { $0 }, "unbiased.other")
            check(try #require(values.curves[.cosine]?[0]), "cosine")
        }
        // One batch of everything is the estimate over everything.
        let values = collected(45)
        let (whole, batch) = (values.maps[.unbiasedCKA]![0], values.maps[.minibatchCKA]![0])
        for (a, b) in zip(whole.flatMap { $0 }, batch.flatMap { $0 }) { #expect(abs(a - b) < 1e-9) }
    }

    @Test("Gram and covariance form agree, strips and parts too", arguments: [45, 500])
    func forms(count: Int) {
        var random = RandomGenerator(seed: 1)
        let features = [30, 70, 30].map { width in
            FeatureMatrix((0..<count * width).map { _ in Float(random.normal()) }, width: width)
        }
        FeatureMatrix.center(features)
        let blocks = [GramProducts.Block(rows: 0..<1, columns: 1..<3)]
        let workspace = Workspace()
        let gram = GramProducts.products(features, blocks: blocks, form: .gram, workspace: workspace)
        let covariance = GramProducts.products(features, blocks: blocks, form: .covariance, workspace: workspace)
        for (i, j) in [(0, 0), (1, 1), (2, 2), (0, 1), (0, 2)] {
            #expect(abs(gram[i, j] / covariance[i, j] - 1) < 1e-6, "\(i) \(j)")
        }
        #expect(gram[1, 2].isNaN && covariance[1, 2].isNaN)
        #expect(GramProducts.cheaperForm(count: 100, widths: [768, 768], blocks: []) == .gram)
        #expect(GramProducts.cheaperForm(count: 100_000, widths: [768, 768], blocks: []) == .covariance)
        for threads in [1, 3] {
            let other = Parallel.withThreads(threads) {
                GramProducts.products(features, blocks: blocks, form: .gram, workspace: workspace)
            }
            #expect(other[0, 1] == gram[0, 1] && other[2, 2] == gram[2, 2], "\(threads) threads")
        }
    }

    @Test("CKA of samples of the images equals numpy's over them alone")
    func samples() {
        let images = (0..<golden["sample"]!.count).map {
            Int(golden["sample"]!.bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self))
        }
        for (estimator, name) in [(HSIC.Estimator.biased, "biased"), (.unbiased, "unbiased")] {
            let last = ["reference", "other", "wider"].map { layers($0).last! }
            FeatureMatrix.center(last)
            let sampled = SampledCKA(last, estimator, Workspace())
            let values = sampled.similarities([images.reversed(), Array(25..<45), images])
            for (seen, expected) in zip(values[2], golden["\(name).sample"]!.values) {
                // In single precision, of sums that are taken from each other.
                #expect(abs(seen - Double(expected)) < 1e-5, "\(name)")
            }
            #expect(values[0] == values[2] && values[0] != values[1])
        }
    }

    @Test("A model is wholly similar to itself, and cosine sees a sign that CKA does not")
    func itself() throws {
        let layer = layers("reference")[0]
        let turned = FeatureMatrix((0..<45 * 24).map { -layer.base[$0] }, width: 24)
        let form = SimilarityCollector.Form(tokens: 2, width: 12, depth: 1)
        var collector = SimilarityCollector(
            forms: [form, form, form], count: 45, measures: [.cosine, .biasedCKA, .unbiasedCKA])
        collector.add([[layer], [layer], [turned]], at: Array(0..<45))
        let values = collector.finish(replicates: 5, seed: 0)
        for (measure, expected) in [
            (SimilarityMeasure.cosine, [1.0, -1]), (.biasedCKA, [1, 1]), (.unbiasedCKA, [1, 1]),
        ] {
            for (curve, value) in zip(try #require(values.curves[measure]), expected) {
                #expect(abs(try #require(curve)[0] - value) < 1e-6, "\(measure)")
            }
            for replicate in try #require(values.replicates[measure]) {
                #expect(abs(replicate[0] - 1) < 1e-5, "\(measure)")
            }
        }
    }

    @Test("Features that do not vary have no CKA")
    func constant() {
        let form = SimilarityCollector.Form(tokens: 1, width: 3, depth: 1)
        var collector = SimilarityCollector(forms: [form, form], count: 8, measures: [.biasedCKA, .minibatchCKA])
        let varied = FeatureMatrix((0..<24).map { Float($0 * $0 % 7) }, width: 3)
        collector.add([[varied], [FeatureMatrix([Float](repeating: 2, count: 24), width: 3)]], at: Array(0..<8))
        let values = collector.finish(replicates: 0, seed: 0)
        #expect(values.curves[.biasedCKA]?[0]?[0].isNaN == true)
        #expect(values.curves[.minibatchCKA]?[0]?[0].isNaN == true)
    }

    // MARK: Reports

    private func report(_ values: SimilarityValues, subject: String?) -> SimilarityReport {
        let setting = SimilarityReport.Setting(
            program: "ssf-analyze", data: "data/set", split: "test", images: 45, classes: 3, tokens: "class",
            measures: [.unbiasedCKA, .cosine], batchSize: 8, limit: nil, seed: 3, precision: "f32", replicates: 50,
            instructionSet: "avx2", threads: 1)
        let models = [("full", SimilarityReport.Role.reference, 3), ("a,b", .compared, 3), ("small", .compared, 2)].map
        {
            SimilarityReport.Model(
                name: $0.0, role: $0.1, path: nil, method: nil, blocks: $0.2, width: 24, tokens: 17,
                imageSize: [16, 16])
        }
        return SimilarityReport(setting: setting, models: models, values: values, subject: subject, notes: [])
    }

    @Test("Replicates give intervals about the estimates, the same for a seed")
    func claims() throws {
        let values = collected(8, replicates: 50)
        let report = report(values, subject: "a,b")
        #expect(report == self.report(collected(8, replicates: 50), subject: "a,b"))
        // By cosine nothing can be compared with the wider model.
        let claim = try #require(report.claims.first)
        #expect(
            report.claims.count == 1 && claim.measure == .unbiasedCKA && claim.differences.map(\.model) == ["small"])
        let difference = claim.differences[0]
        let expected =
            golden["unbiased.other"]!.values.last! - golden["unbiased.wider"]!.values.last!
        #expect(abs(difference.value - Double(expected)) < 2e-6)
        #expect(difference.low < difference.value && difference.value < difference.high)
        #expect(difference.high - difference.low < 1)
        #expect(claim.verdict == .undecided && difference.low < 0 && difference.high > 0)
        #expect(self.report(values, subject: nil).claims.isEmpty)
    }

    @Test("Rows of the CSV files and lines of the figures are those of the values")
    func files() throws {
        let report = report(collected(8), subject: nil)
        let rows = report.csv().split(separator: "\n")
        #expect(rows.count == 1 + 2 * 3)
        #expect(rows[1].hasPrefix("cka-unbiased,\"a,b\",compared,1,0.17074"))
        #expect(report.layerCSV().split(separator: "\n").count == 1 + 9 + 6)
        let figure = report.figure()
        #expect(figure.panels.flatMap { $0 }.map(\.title) == ["linear CKA (unbiased)", "mean cosine"])
        #expect(figure.caption?.contains("does not say which measure") == true)
        let layers = try #require(report.layerFigure())
        let maps = layers.panels.flatMap { $0 }.flatMap(\.marks).compactMap { $0 as? HeatMap }
        #expect(maps.map(\.rows) == [3, 3] && maps.map(\.columns) == [3, 2])
    }
}
