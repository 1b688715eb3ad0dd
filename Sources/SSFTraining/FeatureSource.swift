import SSFTensors

/// Features of a data set in memory, [images, width], which yield batches as the images themselves would.
public final class FeatureSource: BatchSource {
    /// One row for each image.
    public let features: Tensor
    /// Class of each image.
    public private(set) var labels: [Int32]
    /// Whether an image has features: one that could not be read, and was skipped, has none.
    public private(set) var isPresent: [Bool]
    public let width: Int

    public var count: Int { labels.count }
    public var isRepeatable: Bool { true }

    init(count: Int, width: Int) {
        features = Tensor(zeros: [count, width])
        labels = [Int32](repeating: 0, count: count)
        isPresent = [Bool](repeating: false, count: count)
        self.width = width
    }

    /// Takes over the features of a batch, in the order of its images.
    func fill(_ values: FloatView, from batch: ImageBatch) {
        let rows = features.floats
        for (i, index) in batch.indices.enumerated() {
            for c in 0..<width { rows[index * width + c] = values[i * width + c] }
            labels[index] = batch.labels[i]
            isPresent[index] = true
        }
    }

    /// The images at `indices`, in that order, as a set of their own.
    public func subset(_ indices: [Int]) -> FeatureSource {
        let part = FeatureSource(count: indices.count, width: width)
        for (i, index) in indices.enumerated() {
            (part.features.floats.baseAddress! + i * width).update(
                from: features.floats.baseAddress! + index * width, count: width)
            part.labels[i] = labels[index]
            part.isPresent[i] = isPresent[index]
        }
        return part
    }

    /// A part of each class, drawn by the seed, and the rest, as indices in ascending order. Of a class with two images
    /// or more at least one goes and one stays; images without features are in neither.
    public func stratified(fraction: Double, classes: Int, seed: UInt64) -> (rest: [Int], part: [Int]) {
        var byClass = [[Int]](repeating: [], count: classes)
        for index in labels.indices where isPresent[index] { byClass[Int(labels[index])].append(index) }
        var rest: [Int] = []
        var part: [Int] = []
        for (label, members) in byClass.enumerated() {
            var random = RandomGenerator(seed: seed, stream: "held out", index: UInt64(label))
            let order = random.permutation(members.count).map { members[$0] }
            let wanted = Int((Double(members.count) * fraction).rounded())
            let taken = members.count < 2 ? 0 : min(max(wanted, 1), members.count - 1)
            part += order[..<taken]
            rest += order[taken...]
        }
        return (rest.sorted(), part.sorted())
    }

    /// Batches of the images that are there: one that is left out makes its batch smaller, as it does in a loader.
    public func batches(order: [Int], batchSize: Int, dropLast: Bool, epoch: Int) -> any BatchStream {
        Stream(source: self, order: order, batchSize: batchSize, dropLast: dropLast)
    }

    private final class Stream: BatchStream {
        private let source: FeatureSource
        private let order: [Int]
        private let batchSize: Int
        private let end: Int
        private let buffer: Tensor
        private var position = 0

        init(source: FeatureSource, order: [Int], batchSize: Int, dropLast: Bool) {
            self.source = source
            self.order = order
            self.batchSize = batchSize
            end = dropLast ? order.count / batchSize * batchSize : order.count
            buffer = Tensor(zeros: [min(batchSize, max(order.count, 1)), source.width])
        }

        func next() -> ImageBatch? {
            while position < end {
                let indices = order[position..<min(position + batchSize, end)].filter { source.isPresent[$0] }
                position = min(position + batchSize, end)
                if indices.isEmpty { continue }
                let width = source.width
                let target = buffer.floats.baseAddress!
                let rows = source.features.floats.baseAddress!
                for (i, index) in indices.enumerated() {
                    (target + i * width).update(from: rows + index * width, count: width)
                }
                return ImageBatch(
                    pixels: UnsafeBufferPointer(rebasing: buffer.floats[..<(indices.count * width)]),
                    labels: indices.map { source.labels[$0] }, indices: indices)
            }
            return nil
        }
    }
}
