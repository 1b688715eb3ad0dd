import SSFGraph
import SSFTensors
import SSFTuning

/// The part of a tuned model that training never changes, computed once for each image, and the trained end behind it,
/// which is all that a step then runs.
///
/// For linear probing the features are what the classifier sees, C numbers an image. The end has the operations and the
/// parameters of the whole model, so losses and gradients are the same to the bit; where the cut parts what fusion would
/// have joined (a norm between pooling and classifier), within rounding.
///
/// Used by one thread at a time.
public final class FrozenFeatures {
    private let model: TunedModel
    private let cut: ValueID
    /// Numbers kept of an image.
    public let width: Int
    private var ends: [String: Executor] = [:]
    private var beginning: Executor?

    private static let tap = "frozen features"

    /// - Returns: nil where training changes most of the model, or chance has a part in what it leaves as it is.
    /// - Throws: what recording the model throws.
    public init?(_ model: TunedModel) throws {
        let whole = try model.program(batch: 1, mode: .training)
        // A first layer alone is cheaper to compute again than to read back.
        guard let suffix = whole.trainedSuffix(), 2 * suffix.program.forwardFLOPs < whole.forwardFLOPs else {
            return nil
        }
        self.model = model
        cut = suffix.cut
        width = suffix.width
    }

    /// Bytes that the features of `count` images take.
    public func byteCount(images count: Int) -> Int { 4 * width * count }

    /// Runs the trained end; its `images` are the features of a batch.
    public func executor(batch: Int, mode: ExecutionMode, handsOverGradients: Bool = false) throws -> Executor {
        let key = "\(batch)/\(mode)/\(handsOverGradients)"
        if let found = ends[key] { return found }
        guard let suffix = try model.program(batch: batch, mode: mode).trainedSuffix() else {
            preconditionFailure("a model that can be cut for one image can be cut for \(batch)")
        }
        let made = Executor(
            suffix.program, parameters: model.parameters, mode: mode, precision: model.options.precision,
            handsOverGradients: handsOverGradients)
        ends[key] = made
        return made
    }

    /// The features of the images of a batch, [count, width], valid until the next call.
    public func features(of batch: ImageBatch) throws -> FloatView {
        let executor = try beginning(batch: batch.count)
        _ = executor.images.update(fromContentsOf: batch.pixels)
        executor.forward()
        return executor.tap(Self.tap).values
    }

    /// The features of every image of a set.
    ///
    /// - Parameters:
    ///   - batchSize: images that pass through the model together; the features do not depend on it.
    ///   - progress: is told after each batch how many images have passed; computing ends when it answers false.
    /// - Returns: a set that yields features where `source` yields pixels, in batches of the same images; nil if
    ///   `progress` ended it.
    /// - Throws: `UserError` that names an image which cannot be read, and what `progress` throws.
    public func source(
        of source: any BatchSource, batchSize: Int, progress: (Int) throws -> Bool = { _ in true }
    ) throws -> FeatureSource? {
        defer { beginning = nil }
        let result = FeatureSource(count: source.count, width: width)
        let stream = try source.batches(
            order: Array(0..<source.count), batchSize: min(batchSize, max(source.count, 1)), dropLast: false, epoch: 0)
        var done = 0
        while let batch = try stream.next() {
            if batch.count > 0 { result.fill(try features(of: batch), from: batch) }
            done += batch.count
            if try !progress(done) { return nil }
        }
        return result
    }

    /// One executor at a time: the last partial batch replaces that of the whole ones.
    private func beginning(batch: Int) throws -> Executor {
        if let beginning, beginning.batch == batch { return beginning }
        beginning = nil
        var program = try model.program(batch: batch, mode: .inference)
        program.mark(Self.tap, cut)
        let made = Executor(
            program, parameters: model.parameters, mode: .inference, taps: [Self.tap],
            precision: model.options.precision)
        beginning = made
        return made
    }
}

extension FrozenFeatures {
    /// A quarter of the memory that this process may use.
    public static let defaultByteLimit = MemoryLimit.allowed.bytes / 4

    /// Decides whether a run keeps features.
    static func decide(
        model: TunedModel, training: any BatchSource, validation: (any BatchSource)?, limit: Int
    ) throws -> (FrozenFeatures?, FeatureUse) {
        guard let features = try FrozenFeatures(model) else { return (nil, .none) }
        guard limit > 0 else { return (nil, .recomputed("keeping them is switched off")) }
        guard training.isRepeatable && validation?.isRepeatable ?? true else {
            return (nil, .recomputed("the training images are varied at random"))
        }
        let images = training.count + (validation?.count ?? 0)
        let bytes = features.byteCount(images: images)
        guard bytes <= limit else {
            return (
                nil,
                .recomputed(
                    "those of \(images) images take \(MemoryLimit.text(bytes)), more than the \(MemoryLimit.text(limit)) "
                        + "that are set apart for them")
            )
        }
        return (features, .kept(images: images, width: features.width, bytes: bytes))
    }
}
