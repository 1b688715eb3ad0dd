import SSFGraph
import SSFTensors

/// What a recording depends on beside the architecture.
public struct RecordingOptions: Sendable, Hashable {
    /// Samples per step.
    public var batch: Int
    public var imageHeight: Int
    public var imageWidth: Int
    /// Rows of the classifier; 0 records none, and the pooled features are the answer.
    public var classCount: Int
    /// Stochastic depth of the last block; the blocks before it rise to it linearly from 0.
    public var dropPathRate: Double
    /// Label smoothing of the loss.
    public var smoothing: Double

    public init(
        batch: Int, imageHeight: Int, imageWidth: Int, classCount: Int, dropPathRate: Double = 0, smoothing: Double = 0
    ) {
        self.batch = batch
        self.imageHeight = imageHeight
        self.imageWidth = imageWidth
        self.classCount = classCount
        self.dropPathRate = dropPathRate
        self.smoothing = smoothing
    }
}

/// An architecture: what can be recorded as a program, and which checkpoints fit it. Knows of no tuning method.
public protocol Model: Sendable {
    /// The family's name, as timm names the file: `vision_transformer`.
    var family: String { get }
    /// Heights and widths of images must be multiples of this.
    var imageMultiple: Int { get }
    /// Height and width of the images the checkpoint was trained on.
    var nativeImageSize: (height: Int, width: Int) { get }
    /// Width of the features that the classifier sees.
    var featureWidth: Int { get }
    /// The sites of the classifier, whose parameters belong to the task and not to the backbone.
    var classifierSites: [String] { get }
    /// Norms between pooling and the classifier, which tuning methods leave alone.
    var poolingSites: [String] { get }
    /// What was found out about the checkpoint and should be said, in sentences.
    var notes: [String] { get }

    /// Records the model.
    ///
    /// - Throws: `UserError` where the image size does not fit the architecture.
    func record(_ options: RecordingOptions) throws -> Program

    /// The checkpoint's tensors as a recording for this image size takes them: a position embedding is resized.
    func adapted(_ tensors: [String: Tensor], options: RecordingOptions, resize: PositionEmbeddingResize) -> [String:
        Tensor]
}

extension Model {
    /// Checks the image size against the patches.
    public func checkImageSize(_ options: RecordingOptions) throws {
        for (side, size) in [("height", options.imageHeight), ("width", options.imageWidth)]
        where size <= 0 || size % imageMultiple != 0 {
            let lower = max(imageMultiple, size / imageMultiple * imageMultiple)
            throw UserError(
                "the image \(side) does not divide into patches", expected: "a multiple of \(imageMultiple)",
                found: "\(size)", remedy: "pass --img-size \(lower) or --img-size \(lower + imageMultiple)")
        }
    }
}
