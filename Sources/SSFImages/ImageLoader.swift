import Foundation
import SSFParallel
import SSFTensors

/// Prepares the batches of one epoch, ahead of their use, on threads of its own.
///
/// Batches come in the order asked for, and what is in them depends on the set, the order, the pipeline, the seed and
/// the epoch only, never on the number of threads or on timing. The threads run where the process may run, not on the
/// CPU that the calling thread is bound to.
public final class ImageLoader {
    /// A batch that is ready. Its memory belongs to the loader and is valid until the next call of `next`.
    public struct Batch {
        /// Number of images; less than the batch size at the end of the order, or where images were skipped.
        public let count: Int
        /// Where each image stands in the set.
        public let indices: [Int]
        /// [count, 3, height, width], normalised.
        public let images: UnsafeBufferPointer<Float>
        /// [count]
        public let labels: UnsafeBufferPointer<Int32>
    }

    public let batchSize: Int
    /// Number of batches of the epoch, if no image is skipped.
    public let batchCount: Int
    /// An image that could not be read, and why.
    public struct BadImage: Sendable {
        public let index: Int
        public let error: UserError
    }
    /// The images that were left out so far, if bad ones are skipped.
    public private(set) var skipped: [BadImage] = []

    private let shared: LoaderState

    /// Starts to load.
    ///
    /// - Parameters:
    ///   - order: Indices of images in the set, as often and in what order they are wanted; nil for all as they stand.
    ///   - dropLast: Leaves out the last batch if it is not whole.
    ///   - seed: With the epoch and the image's index, the seed of everything random about the image.
    ///   - threads: How many threads decode.
    ///   - cache: Keeps resized images for later epochs; made for this set and pipeline.
    ///   - skipBadImages: Leaves out images that cannot be read: their batch is smaller, one without any image is not
    ///     delivered, and `skipped` names them. Otherwise the first one ends the loading with an error.
    public init(
        _ dataset: ImageDataset, order: [Int]? = nil, batchSize: Int, dropLast: Bool = false, pipeline: Pipeline,
        seed: UInt64 = 0, epoch: Int = 0, threads: Int = 1, cache: ImageCache? = nil, skipBadImages: Bool = false
    ) {
        precondition(batchSize > 0 && threads > 0)
        var order = order ?? Array(dataset.items.indices)
        precondition(
            order.allSatisfy { dataset.items.indices.contains($0) }, "the order names an image that is not there")
        if dropLast { order.removeLast(order.count % batchSize) }
        self.batchSize = batchSize
        batchCount = (order.count + batchSize - 1) / batchSize
        shared = LoaderState(
            dataset: dataset, order: order, batchSize: batchSize, batchCount: batchCount, depth: threads + 2,
            pipeline: pipeline, seed: seed, epoch: epoch, cache: cache, skipsBadImages: skipBadImages)
        for _ in 0..<min(threads, batchCount) {
            let thread = Thread { [shared] in
                Parallel.restoreInheritedMask()
                shared.work()
            }
            thread.name = "ssf-loader"
            thread.start()
        }
    }

    deinit { shared.stop() }

    /// Waits for the next batch; nil after the last.
    ///
    /// - Throws: `UserError` naming the image and its line in the list, for the first image of the batch that cannot
    ///   be read, unless bad images are skipped. Nothing can be loaded after that.
    public func next() throws -> Batch? {
        while let slot = shared.take() {
            let bad = slot.failures.sorted { $0.position < $1.position }
            if let first = bad.first, !shared.skipsBadImages {
                shared.stop()
                throw first.error
            }
            skipped += bad.map { BadImage(index: slot.indices[$0.position], error: $0.error) }
            slot.remove(positions: bad.map(\.position), floatsPerImage: shared.floatsPerImage)
            if slot.indices.isEmpty { continue }
            let count = slot.indices.count
            return Batch(
                count: count, indices: slot.indices,
                images: UnsafeBufferPointer(start: slot.images, count: count * shared.floatsPerImage),
                labels: UnsafeBufferPointer(start: slot.labels, count: count))
        }
        return nil
    }
}

/// The memory of one batch under way.
private final class BatchSlot {
    let images: UnsafeMutablePointer<Float>
    let labels: UnsafeMutablePointer<Int32>
    var indices: [Int] = []
    var remaining = 0
    var failures: [(position: Int, error: UserError)] = []

    init(batchSize: Int, floatsPerImage: Int) {
        images = .allocate(capacity: batchSize * floatsPerImage)
        labels = .allocate(capacity: batchSize)
    }

    deinit {
        images.deallocate()
        labels.deallocate()
    }

    /// Closes the gaps that images leave which could not be read; `positions` ascend.
    func remove(positions: [Int], floatsPerImage: Int) {
        for position in positions.reversed() {
            let after = indices.count - position - 1
            indices.remove(at: position)
            (images + position * floatsPerImage).update(
                from: images + (position + 1) * floatsPerImage, count: after * floatsPerImage)
            (labels + position).update(from: labels + position + 1, count: after)
        }
    }
}

/// What the loader and its threads share. The lock guards every `var`; a batch's memory is written by the threads that
/// claimed its images, without the lock, and read after the last of them has reported under it.
private final class LoaderState: @unchecked Sendable {
    let floatsPerImage: Int
    let skipsBadImages: Bool

    private let dataset: ImageDataset
    private let order: [Int]
    private let batchSize: Int
    private let batchCount: Int
    private let pipeline: Pipeline
    private let seed: UInt64
    private let epoch: Int
    private let cache: ImageCache?

    private let condition = NSCondition()
    private let slots: [BatchSlot]
    /// The next position of the order that nobody has claimed.
    private var claimed = 0
    /// Batches handed out, and those of them whose memory the caller is done with: all but the last.
    private var taken = 0
    private var freed = 0
    private var isStopped = false

    init(
        dataset: ImageDataset, order: [Int], batchSize: Int, batchCount: Int, depth: Int, pipeline: Pipeline,
        seed: UInt64, epoch: Int, cache: ImageCache?, skipsBadImages: Bool
    ) {
        self.dataset = dataset
        self.order = order
        self.batchSize = batchSize
        self.batchCount = batchCount
        self.pipeline = pipeline
        self.seed = seed
        self.epoch = epoch
        self.cache = cache
        self.skipsBadImages = skipsBadImages
        floatsPerImage = pipeline.byteCount
        let size = min(batchSize, order.count)
        slots = (0..<min(depth, batchCount)).map { [floatsPerImage] _ in
            BatchSlot(batchSize: size, floatsPerImage: floatsPerImage)
        }
        for batch in slots.indices { prepare(batch) }
    }

    /// Readies the slot of a batch for the threads.
    private func prepare(_ batch: Int) {
        let slot = slots[batch % slots.count]
        slot.indices = Array(order[(batch * batchSize)..<min(order.count, (batch + 1) * batchSize)])
        slot.remaining = slot.indices.count
        slot.failures = []
    }

    func stop() {
        condition.lock()
        isStopped = true
        condition.broadcast()
        condition.unlock()
    }

    /// Waits for the next batch in order; nil after the last.
    func take() -> BatchSlot? {
        condition.lock()
        defer { condition.unlock() }
        // The caller is done with the batch it took before: its slot is free for a later one.
        if freed < taken {
            if freed + slots.count < batchCount { prepare(freed + slots.count) }
            freed += 1
            condition.broadcast()
        }
        guard taken < batchCount && !isStopped else { return nil }
        let slot = slots[taken % slots.count]
        while slot.remaining > 0 { condition.wait() }
        taken += 1
        return slot
    }

    /// A loading thread's life.
    func work() {
        let preparer = ImagePreparer(pipeline)
        while let (slot, position, index) = claim() {
            let failure = load(index, at: position, of: slot, with: preparer)
            condition.lock()
            if let failure { slot.failures.append((position, failure)) }
            slot.remaining -= 1
            if slot.remaining == 0 { condition.broadcast() }
            condition.unlock()
        }
    }

    private func claim() -> (slot: BatchSlot, position: Int, index: Int)? {
        condition.lock()
        defer { condition.unlock() }
        while !isStopped && claimed < order.count && claimed / batchSize >= freed + slots.count {
            condition.wait()
        }
        guard !isStopped && claimed < order.count else { return nil }
        let position = claimed
        claimed += 1
        return (slots[position / batchSize % slots.count], position % batchSize, order[position])
    }

    private func load(_ index: Int, at position: Int, of slot: BatchSlot, with preparer: ImagePreparer) -> UserError? {
        let item = dataset.items[index]
        slot.labels[position] = item.label
        // One stream of numbers for each image of each epoch.
        var random = RandomGenerator(
            seed: seed, stream: "augment", index: UInt64(epoch) << 40 | UInt64(index))
        do {
            try preparer.prepare(
                item, index: index, cache: cache, random: &random, into: slot.images + position * floatsPerImage)
            return nil
        } catch {
            var mistake = error as? UserError ?? UserError("\(item.name) cannot be loaded", found: "\(error)")
            if mistake.what.hasPrefix(item.name) {
                mistake.what = dataset.place(of: index) + mistake.what.dropFirst(item.name.count)
            }
            if mistake.remedy == nil {
                mistake.remedy = "remove it from the set, or leave it out with --skip-bad-images"
            }
            return mistake
        }
    }
}
