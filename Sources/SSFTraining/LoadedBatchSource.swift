import SSFImages
import SSFTensors

/// A data set on disk: decoded, resized and augmented ahead of their use by an `ImageLoader`.
public final class LoadedBatchSource: BatchSource {
    public let dataset: ImageDataset
    public let pipeline: Pipeline
    private let seed: UInt64
    private let threads: Int
    private let skipsBadImages: Bool
    private let cache: ImageCache?
    /// The images that could not be read, by their position, if bad ones are skipped.
    public private(set) var badImages: [Int: UserError] = [:]

    public var count: Int { dataset.count }

    /// False with a random crop or shift, mirroring, changes of colour or erasing.
    public var isRepeatable: Bool {
        if case .padded(let padding) = pipeline.crop, padding > 0 { return false }
        return pipeline.isCacheable && pipeline.flipProbability == 0 && pipeline.jitter == nil
            && pipeline.erasing == nil
    }

    /// - Parameters:
    ///   - seed: of the augmentations.
    ///   - threads: that decode.
    ///   - skipsBadImages: leaves out images that cannot be read instead of stopping.
    public init(
        _ dataset: ImageDataset, pipeline: Pipeline, seed: UInt64 = 0, threads: Int = 1, skipsBadImages: Bool = false
    ) {
        self.dataset = dataset
        self.pipeline = pipeline
        self.seed = seed
        self.threads = threads
        self.skipsBadImages = skipsBadImages
        cache = ImageCache(imageCount: dataset.count, pipeline: pipeline)
    }

    /// Resized pixels, where they are kept.
    public var keptByteCount: Int { cache == nil ? 0 : count * pipeline.width * pipeline.height * 3 }

    /// The batches that are prepared ahead: two more than there are threads.
    public func byteCount(batchSize: Int) -> Int {
        let batches = (count + batchSize - 1) / max(batchSize, 1)
        return 4 * min(threads + 2, batches) * min(batchSize, count) * 3 * pipeline.width * pipeline.height
    }

    public func batches(order: [Int], batchSize: Int, dropLast: Bool, epoch: Int) -> any BatchStream {
        let loader = ImageLoader(
            dataset, order: order, batchSize: batchSize, dropLast: dropLast && order.count >= batchSize,
            pipeline: pipeline, seed: seed, epoch: epoch, threads: threads, cache: cache,
            skipBadImages: skipsBadImages)
        return Stream(loader: loader, source: self)
    }

    private final class Stream: BatchStream {
        private let loader: ImageLoader
        private let source: LoadedBatchSource

        init(loader: ImageLoader, source: LoadedBatchSource) {
            self.loader = loader
            self.source = source
        }

        func next() throws -> ImageBatch? {
            let batch = try loader.next()
            for bad in loader.skipped { source.badImages[bad.index] = bad.error }
            return batch.map { ImageBatch(pixels: $0.images, labels: Array($0.labels), indices: $0.indices) }
        }
    }
}
