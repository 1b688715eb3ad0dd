import Foundation
import SSFTensors
import SSFTraining
import Testing

@Suite("Nearest neighbours by cosine")
struct NearestNeighboursTests {
    private func vectors(_ count: Int, width: Int, seed: UInt64) -> Tensor {
        var random = RandomGenerator(seed: seed, stream: "vectors")
        return Tensor((0..<count * width).map { _ in Float(random.normal()) }, shape: [count, width])
    }

    private func cosine(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>) -> Double {
        var ab = 0.0
        var aa = 0.0
        var bb = 0.0
        for (x, y) in zip(a, b) {
            ab += Double(x) * Double(y)
            aa += Double(x) * Double(x)
            bb += Double(y) * Double(y)
        }
        return ab / (aa * bb).squareRoot()
    }

    /// Around the sizes of the blocks: 256 queries, 4096 vectors.
    @Test("Agrees with a search in double precision", arguments: [(1, 1), (7, 30), (300, 5000)])
    func exact(queries: Int, count: Int) {
        let width = 19
        let a = vectors(queries, width: width, seed: 1)
        let b = vectors(count, width: width, seed: 2)
        let found = NearestNeighbours(b).search(NearestNeighbours(a), k: 5)
        #expect(found.count == queries)
        let x = a.values
        let y = b.values
        for query in stride(from: 0, to: queries, by: 37) {
            let expected = (0..<count).map { row in
                cosine(x[query * width..<(query + 1) * width], y[row * width..<(row + 1) * width])
            }.sorted(by: >).prefix(5)
            #expect(found[query].count == min(5, count))
            // 19 products of numbers below 1, rounded to 2^-24 each.
            for (seen, wanted) in zip(found[query], expected) { #expect(abs(Double(seen.similarity) - wanted) < 2e-6) }
        }
    }

    @Test("A vector is not its own neighbour where that is asked for, but its copy is")
    func itself() {
        var values = vectors(6, width: 4, seed: 3).values
        for c in 0..<4 { values[5 * 4 + c] = 2 * values[c] }
        let set = NearestNeighbours(Tensor(values, shape: [6, 4]))
        let with = set.search(set, k: 1)
        #expect(with.map { $0[0].index } == [0, 1, 2, 3, 4, 0])
        let without = set.search(set, rows: [5, 0], k: 1, excludesSelf: true)
        #expect(without.map { $0[0].index } == [0, 5])
        #expect(abs(without[0][0].similarity - 1) < 1e-6)
        #expect(set.pairs(set, above: 0.999).filter { $0.query != $0.neighbour.index }.map(\.query) == [0, 5])
    }

    @Test("Zeros are like nothing")
    func zeros() {
        let set = NearestNeighbours(Tensor([0, 0, 1, 0], shape: [2, 2]))
        #expect(set.search(set, k: 2)[0].map(\.similarity) == [0, 0])
    }

    @Test("Near neighbours weigh more than many far ones")
    func vote() {
        typealias Neighbour = NearestNeighbours.Neighbour
        let near = Neighbour(index: 0, similarity: 0.99)
        let far = [1, 2, 3].map { Neighbour(index: $0, similarity: 0.5) }
        #expect(NearestNeighbours.vote([near] + far, labels: [2, 1, 1, 1], classes: 3) == 2)
        #expect(NearestNeighbours.vote(far, labels: [2, 1, 1, 0], classes: 3) == 1)
        #expect(NearestNeighbours.vote([], labels: [], classes: 3) == 0)
    }

    @Test("Linear probes choose by the validation part and leave the classifier as it was")
    func probe() throws {
        let model = try TinyTask.model(method: "linear")
        let features = try #require(try FrozenFeatures(model))
        let training = try #require(try features.source(of: TinyTask.images(64), batchSize: 16))
        let validation = try #require(try features.source(of: TinyTask.images(40, seed: 2), batchSize: 16))
        let before = model.parameters.trainable.values
        var probe = LinearProbe()
        probe.learningRates = [1e-6, 3e-2]
        probe.weightDecays = [0]
        probe.batchSize = 16
        let candidates = try probe.candidates(model: model, training: training, validation: validation)
        #expect(candidates.map(\.learningRate) == [3e-2, 1e-6])
        #expect(candidates[0].metrics.top1 > candidates[1].metrics.top1)
        #expect(model.parameters.trainable.values == before)
    }

    @Test("A part of each class is set apart, by the seed")
    func stratified() throws {
        let features = try #require(try FrozenFeatures(try TinyTask.model(method: "linear")))
        let source = try #require(try features.source(of: TinyTask.images(40), batchSize: 16))
        let (rest, part) = source.stratified(fraction: 0.2, classes: 4, seed: 7)
        #expect(Set(rest + part) == Set(0..<40))
        #expect(part.count == 8)
        for label in 0..<4 { #expect(part.filter { source.labels[$0] == Int32(label) }.count == 2) }
        #expect(source.stratified(fraction: 0.2, classes: 4, seed: 7).part == part)
        #expect(source.stratified(fraction: 0.2, classes: 4, seed: 8).part != part)
        let subset = source.subset(part)
        #expect(subset.labels == part.map { source.labels[$0] })
        #expect(subset.features.values[..<24] == source.features.values[part[0] * 24..<(part[0] + 1) * 24])
    }
}
