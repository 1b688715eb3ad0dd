import SSFKernels

/// What all methods are measured under.
public struct CostSetting: Codable, Sendable, Equatable {
    /// The model as people know it: timm's name, or the path of the checkpoint.
    public var model: String
    /// Whether the weights were drawn at random. Neither time nor memory depends on their values.
    public var hasRandomWeights: Bool
    /// Height and width of the images, in pixels.
    public var imageSize: Int
    /// Images of a step of training, and of a batch at test.
    public var batch: Int
    /// `bf16` is mixed precision: products with frozen weights, and what is kept between them, in bfloat16; trained
    /// weights, sums, norms and the residual stream in single precision.
    public var precision: Precision
    /// Rows of the classifier.
    public var classes: Int
    public var threads: Int
    /// Measured steps, at most; those before them that count for nothing; and the seconds after which no further one is
    /// begun.
    public var steps: Int
    public var warmUpSteps: Int
    public var secondsPerMeasurement: Double

    enum CodingKeys: String, CodingKey {
        case model, batch, precision, classes, threads, steps
        case hasRandomWeights = "random_weights"
        case imageSize = "img_size"
        case warmUpSteps = "warm_up_steps"
        case secondsPerMeasurement = "seconds_per_measurement"
    }

    public init(
        model: String, hasRandomWeights: Bool, imageSize: Int, batch: Int, precision: Precision, classes: Int,
        threads: Int, steps: Int, warmUpSteps: Int, secondsPerMeasurement: Double
    ) {
        precondition(imageSize > 0 && batch > 0 && classes > 0 && threads > 0 && steps > 0 && warmUpSteps >= 0)
        (self.model, self.hasRandomWeights, self.imageSize, self.batch) = (model, hasRandomWeights, imageSize, batch)
        (self.precision, self.classes, self.threads, self.steps) = (precision, classes, threads, steps)
        (self.warmUpSteps, self.secondsPerMeasurement) = (warmUpSteps, secondsPerMeasurement)
    }
}
