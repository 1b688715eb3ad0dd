import SSFTensors
import SSFTraining
import Testing

@Suite("Batches and their order")
struct BatchTests {
    private func source(_ count: Int) -> MemoryBatchSource {
        MemoryBatchSource(
            pixels: Tensor((0..<count * 12).map(Float.init), shape: [count, 3, 2, 2]),
            labels: (0..<count).map(Int32.init))
    }

    @Test("A pass has the images of its order, the last batch what remains")
    func pass() throws {
        let stream = source(5).batches(order: [4, 0, 3], batchSize: 2, dropLast: false, epoch: 0)
        let first = try #require(try stream.next())
        #expect(first.indices == [4, 0])
        #expect(first.labels == [4, 0])
        #expect(Array(first.pixels) == (48..<60).map(Float.init) + (0..<12).map(Float.init))
        let second = try #require(try stream.next())
        #expect(second.indices == [3])
        #expect(second.pixels.count == 12)
        #expect(try stream.next() == nil)
    }

    @Test("The last partial batch can be left out")
    func dropLast() throws {
        let stream = source(5).batches(order: Array(0..<5), batchSize: 2, dropLast: true, epoch: 0)
        #expect(try stream.next()?.count == 2)
        #expect(try stream.next()?.count == 2)
        #expect(try stream.next() == nil)
    }

    @Test("Reading all of a source gives the same pixels and labels")
    func readAll() throws {
        let original = source(7)
        let copy = try MemoryBatchSource(readingAll: original, imageShape: [3, 2, 2], batchSize: 3)
        let stream = copy.batches(order: Array(0..<7), batchSize: 7, dropLast: false, epoch: 0)
        let batch = try #require(try stream.next())
        #expect(Array(batch.pixels) == (0..<84).map(Float.init))
        #expect(batch.labels == (0..<7).map(Int32.init))
    }

    @Test("Each epoch has a permutation of its own, the same for the same seed")
    func order() {
        let order = BatchOrder.shuffled(seed: 3)
        let first = order.positions(epoch: 0, count: 100)
        #expect(first.sorted() == Array(0..<100))
        #expect(first == BatchOrder.shuffled(seed: 3).positions(epoch: 0, count: 100))
        #expect(first != order.positions(epoch: 1, count: 100))
        #expect(first != BatchOrder.shuffled(seed: 4).positions(epoch: 0, count: 100))
        #expect(BatchOrder.explicit([[1], [0]]).positions(epoch: 1, count: 2) == [0])
    }
}
