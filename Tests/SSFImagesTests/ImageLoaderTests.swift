import Foundation
import SSFImages
import SSFTensors
import SSFTestSupport
import Testing

@Suite struct ImageLoaderTests {
    private let drawn = try! DatasetCollection.open("synthetic:shape?train=50&val=0&test=1&size=16").splits[0]

    private func pipeline(_ crop: CropRule = .direct) -> Pipeline {
        Pipeline(
            width: 12, height: 12, crop: crop, flipProbability: 0.5, mean: [0.5, 0.5, 0.5],
            deviation: [0.5, 0.5, 0.5])
    }

    private struct Epoch: Equatable {
        var indices: [[Int]] = []
        var labels: [Int32] = []
        var images: [Float] = []
    }

    private func run(_ loader: ImageLoader) throws -> Epoch {
        var epoch = Epoch()
        while let batch = try loader.next() {
            #expect(batch.count == batch.indices.count && batch.labels.count == batch.count)
            epoch.indices.append(batch.indices)
            epoch.labels += batch.labels
            epoch.images += batch.images
        }
        #expect(try loader.next() == nil)
        return epoch
    }

    @Test func batchesComeInOrder() throws {
        var random = RandomGenerator(seed: 1)
        let order = random.permutation(50)
        let loader = ImageLoader(drawn, order: order, batchSize: 16, pipeline: pipeline())
        #expect(loader.batchCount == 4)
        let epoch = try run(loader)
        #expect(epoch.indices.map(\.count) == [16, 16, 16, 2] && epoch.indices.flatMap { $0 } == order)
        #expect(epoch.labels == order.map { drawn.items[$0].label })
    }

    @Test func theLastPartialBatchCanBeDropped() throws {
        let loader = ImageLoader(drawn, batchSize: 16, dropLast: true, pipeline: pipeline())
        #expect(loader.batchCount == 3)
        #expect(try run(loader).labels.count == 48)
        let none = ImageLoader(drawn, batchSize: 64, dropLast: true, pipeline: pipeline())
        #expect(try none.batchCount == 0 && none.next() == nil)
    }

    @Test(arguments: [CropRule.direct, .center(fraction: 0.9), .randomResized(), .padded(padding: 2)])
    func numbersDoNotDependOnThreadsOrCache(crop: CropRule) throws {
        let pipeline = pipeline(crop)
        let reference = try run(ImageLoader(drawn, batchSize: 8, pipeline: pipeline, seed: 4, epoch: 2))
        for threads in [2, 5] {
            let loader = ImageLoader(drawn, batchSize: 8, pipeline: pipeline, seed: 4, epoch: 2, threads: threads)
            #expect(try run(loader) == reference)
        }
        let cache = ImageCache(imageCount: drawn.count, pipeline: pipeline)
        #expect((cache == nil) == (crop == .randomResized()))
        for _ in 0..<2 {
            let loader = ImageLoader(
                drawn, batchSize: 8, pipeline: pipeline, seed: 4, epoch: 2, threads: 3, cache: cache)
            #expect(try run(loader) == reference)
        }
        #expect(try run(ImageLoader(drawn, batchSize: 8, pipeline: pipeline, seed: 4, epoch: 3)) != reference)
        #expect(try run(ImageLoader(drawn, batchSize: 8, pipeline: pipeline, seed: 5, epoch: 2)) != reference)
    }

    @Test func anImageDoesNotDependOnItsPlaceInTheOrder() throws {
        let forward = try run(ImageLoader(drawn, batchSize: 50, pipeline: pipeline()))
        let backward = try run(
            ImageLoader(drawn, order: Array((0..<50).reversed()), batchSize: 50, pipeline: pipeline()))
        let size = 3 * 12 * 12
        for index in 0..<50 {
            let other = 49 - index
            #expect(
                forward.images[(index * size)..<((index + 1) * size)].elementsEqual(
                    backward.images[(other * size)..<((other + 1) * size)]))
        }
    }

    @Test func aSlowReaderGetsEveryBatch() throws {
        // The loader must stop ahead of the reader, not run over memory that is in use.
        let loader = ImageLoader(drawn, batchSize: 3, pipeline: pipeline(), threads: 2)
        let reference = try run(ImageLoader(drawn, batchSize: 3, pipeline: pipeline()))
        var images: [Float] = []
        while let batch = try loader.next() {
            Thread.sleep(forTimeInterval: 0.003)
            images += batch.images
        }
        #expect(images == reference.images)
    }

    @Test func aLoaderCanBeLeftEarly() throws {
        for _ in 0..<20 {
            let loader = ImageLoader(drawn, batchSize: 2, pipeline: pipeline(), threads: 2)
            #expect(try loader.next()?.count == 2)
        }
    }

    // MARK: Bad images

    /// Six listed images, of which the second, third and last are bad.
    private func damaged() throws -> (Layout, ImageDataset) {
        let layout = try Layout()
        for i in 0..<6 { try layout.image("images/\(i).png", UInt8(i)) }
        for i in [1, 2, 5] { try layout.write("images/\(i).png", "not an image") }
        try layout.write("test.txt", "images/0.png 0\n")
        try layout.write("train800val200.txt", (0..<6).map { "images/\($0).png \($0 % 2)\n" }.joined())
        return (layout, try DatasetCollection.open(layout.path).select().train)
    }

    @Test func theFirstBadImageIsNamedWithItsLine() throws {
        let (layout, set) = try damaged()
        defer { layout.keep() }
        let loader = ImageLoader(set, batchSize: 6, pipeline: pipeline(), threads: 3)
        let error = #expect(throws: UserError.self) { try loader.next() }
        let place = "images/1.png (line 2 of \(layout.path)/train800val200.txt) is not an image"
        #expect(error?.what.hasSuffix(place) == true && error?.remedy?.contains("--skip-bad-images") == true)
        #expect(try loader.next() == nil)
    }

    @Test func badImagesCanBeLeftOut() throws {
        let (layout, set) = try damaged()
        defer { layout.keep() }
        let loader = ImageLoader(
            set, order: [0, 1, 3, 2, 5, 1, 4], batchSize: 3, pipeline: pipeline(), threads: 2, skipBadImages: true)
        let epoch = try run(loader)
        // The second batch has nothing left and does not come.
        #expect(epoch.indices == [[0, 3], [4]] && epoch.labels == [0, 1, 0])
        #expect(loader.skipped.map(\.index) == [1, 2, 5, 1])
        for (position, value) in [0, 3, 4].enumerated() {
            let expected = (Float(value) / 255 - 0.5) / 0.5
            #expect(epoch.images[(position * 432)..<((position + 1) * 432)].allSatisfy { $0 == expected })
        }
    }
}
