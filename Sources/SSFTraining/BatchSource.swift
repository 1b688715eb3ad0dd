import SSFTensors

/// Images that are ready for a network, in the order in which they were asked for.
public struct ImageBatch: @unchecked Sendable {
    /// Normalised pixels, [count, 3, height, width]; valid until the next batch is drawn.
    public var pixels: UnsafeBufferPointer<Float>
    /// Class of each image.
    public var labels: [Int32]
    /// Position of each image in its data set.
    public var indices: [Int]

    public var count: Int { labels.count }

    public init(pixels: UnsafeBufferPointer<Float>, labels: [Int32], indices: [Int]) {
        precondition(labels.count == indices.count)
        self.pixels = pixels
        self.labels = labels
        self.indices = indices
    }
}

/// The batches of one pass over a data set.
public protocol BatchStream: AnyObject {
    /// The next batch, or nil after the last.
    ///
    /// - Throws: `UserError` that names an image which cannot be read.
    func next() throws -> ImageBatch?
}

/// A data set as training and evaluation see it: something that yields batches in any order, as often as asked.
public protocol BatchSource: AnyObject {
    /// How many images there are.
    var count: Int { get }

    /// Whether an image looks the same in every epoch, so that what is computed from it may be kept.
    var isRepeatable: Bool { get }

    /// Bytes that stay from pass to pass.
    var keptByteCount: Int { get }

    /// Bytes that a pass takes while it lasts.
    func byteCount(batchSize: Int) -> Int

    /// Begins a pass.
    ///
    /// - Parameters:
    ///   - order: positions of the images, one pass's worth; any may be left out or repeated.
    ///   - batchSize: images of each batch; the last has what remains, or is left out with `dropLast`.
    ///   - epoch: distinguishes the random augmentations of one pass from those of another; the same epoch yields the
    ///     same pixels.
    func batches(order: [Int], batchSize: Int, dropLast: Bool, epoch: Int) throws -> any BatchStream
}

extension BatchSource {
    public var keptByteCount: Int { 0 }
    public func byteCount(batchSize: Int) -> Int { 0 }
}

/// A data set held as pixels in memory: [images, 3, height, width] and a label for each.
public final class MemoryBatchSource: BatchSource {
    private let pixels: Tensor
    private let labels: [Int32]
    public var count: Int { labels.count }
    public var isRepeatable: Bool { true }

    /// - Precondition: `pixels` is f32 and its first axis has one entry for each label.
    public init(pixels: Tensor, labels: [Int32]) {
        precondition(pixels.shape.rank == 4 && pixels.shape[0] == labels.count)
        self.pixels = pixels
        self.labels = labels
    }

    /// Reads every batch of `source` once, so that later passes cost a copy. Only for a source whose pixels do not
    /// depend on the epoch.
    public convenience init(readingAll source: any BatchSource, imageShape: Shape, batchSize: Int = 64) throws {
        let pixels = Tensor(zeros: Shape([source.count] + imageShape.dimensions))
        var labels = [Int32](repeating: 0, count: source.count)
        let stream = try source.batches(
            order: Array(0..<source.count), batchSize: batchSize, dropLast: false, epoch: 0)
        while let batch = try stream.next() {
            for (i, index) in batch.indices.enumerated() {
                let size = imageShape.count
                _ = UnsafeMutableBufferPointer(rebasing: pixels.floats[index * size..<(index + 1) * size])
                    .update(fromContentsOf: UnsafeBufferPointer(rebasing: batch.pixels[i * size..<(i + 1) * size]))
                labels[index] = batch.labels[i]
            }
        }
        self.init(pixels: pixels, labels: labels)
    }

    public func batches(order: [Int], batchSize: Int, dropLast: Bool, epoch: Int) -> any BatchStream {
        Stream(source: self, order: order, batchSize: batchSize, dropLast: dropLast)
    }

    private final class Stream: BatchStream {
        private let source: MemoryBatchSource
        private let order: [Int]
        private let batchSize: Int
        private var position = 0
        private let end: Int
        private let buffer: Tensor

        init(source: MemoryBatchSource, order: [Int], batchSize: Int, dropLast: Bool) {
            self.source = source
            self.order = order
            self.batchSize = batchSize
            end = dropLast ? order.count / batchSize * batchSize : order.count
            buffer = Tensor(
                zeros: Shape([min(batchSize, max(order.count, 1))] + source.pixels.shape.dimensions.dropFirst()))
        }

        func next() -> ImageBatch? {
            guard position < end else { return nil }
            let indices = Array(order[position..<min(position + batchSize, end)])
            position += indices.count
            let size = source.pixels.count / max(source.count, 1)
            for (i, index) in indices.enumerated() {
                _ = UnsafeMutableBufferPointer(rebasing: buffer.floats[i * size..<(i + 1) * size])
                    .update(fromContentsOf: source.pixels.floats[index * size..<(index + 1) * size])
            }
            return ImageBatch(
                pixels: UnsafeBufferPointer(rebasing: buffer.floats[..<(indices.count * size)]),
                labels: indices.map { source.labels[$0] }, indices: indices)
        }
    }
}
