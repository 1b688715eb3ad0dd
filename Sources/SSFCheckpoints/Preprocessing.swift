/// How an image becomes the input of a model, in timm's terms: resize so that the crop of `inputSize` is `cropFraction`
/// of the shorter side, crop, scale to 0...1, subtract `mean`, divide by `std`.
///
/// Every value is stated; what a configuration file says, which may be less, is a `PartialPreprocessing`.
public struct Preprocessing: Sendable, Hashable, Codable {
    /// Channels, height and width that the model receives.
    public var inputSize: [Int]
    /// One value for each channel, on the scale 0...1.
    public var mean: [Float]
    /// One value for each channel, on the scale 0...1; none is zero.
    public var std: [Float]
    /// `bicubic`, `bilinear`, `lanczos` or another of timm's names.
    public var interpolation: String
    /// The part of the shorter side that the crop keeps, in (0, 1].
    public var cropFraction: Float
    /// `center` (resize the shorter side, crop the middle), `squash` (resize both sides, whatever the aspect) or
    /// `border`.
    public var cropMode: String

    public init(
        inputSize: [Int], mean: [Float], std: [Float], interpolation: String = "bicubic", cropFraction: Float = 1,
        cropMode: String = "center"
    ) {
        self.inputSize = inputSize
        self.mean = mean
        self.std = std
        self.interpolation = interpolation
        self.cropFraction = cropFraction
        self.cropMode = cropMode
    }

    public var height: Int { inputSize[1] }
    public var width: Int { inputSize[2] }

    /// The names that timm's `pretrained_cfg` uses.
    enum CodingKeys: String, CodingKey {
        case inputSize = "input_size"
        case mean, std, interpolation
        case cropFraction = "crop_pct"
        case cropMode = "crop_mode"
    }
}

/// What a configuration file says about preprocessing; `nil` is not stated, and nothing is guessed.
public struct PartialPreprocessing: Sendable, Hashable, Codable {
    public var inputSize: [Int]?
    public var mean: [Float]?
    public var std: [Float]?
    public var interpolation: String?
    public var cropFraction: Float?
    public var cropMode: String?

    public init(
        inputSize: [Int]? = nil, mean: [Float]? = nil, std: [Float]? = nil, interpolation: String? = nil,
        cropFraction: Float? = nil, cropMode: String? = nil
    ) {
        self.inputSize = inputSize
        self.mean = mean
        self.std = std
        self.interpolation = interpolation
        self.cropFraction = cropFraction
        self.cropMode = cropMode
    }

    public init(_ whole: Preprocessing) {
        self.init(
            inputSize: whole.inputSize, mean: whole.mean, std: whole.std, interpolation: whole.interpolation,
            cropFraction: whole.cropFraction, cropMode: whole.cropMode)
    }

    /// The options, as timm spells them, whose values are not stated. An unstated crop mode is `center`, as in timm.
    public var missing: [String] {
        var names: [String] = []
        if inputSize == nil { names.append("--img-size") }
        if mean == nil { names.append("--mean") }
        if std == nil { names.append("--std") }
        if interpolation == nil { names.append("--interpolation") }
        if cropFraction == nil { names.append("--crop-pct") }
        return names
    }

    /// The whole, where everything but the crop mode is stated; else `nil`.
    public var complete: Preprocessing? {
        guard let inputSize, let mean, let std, let interpolation, let cropFraction else { return nil }
        return Preprocessing(
            inputSize: inputSize, mean: mean, std: std, interpolation: interpolation, cropFraction: cropFraction,
            cropMode: cropMode ?? "center")
    }

    /// What is stated here, and for the rest what `other` states.
    public func filled(from other: PartialPreprocessing) -> PartialPreprocessing {
        PartialPreprocessing(
            inputSize: inputSize ?? other.inputSize, mean: mean ?? other.mean, std: std ?? other.std,
            interpolation: interpolation ?? other.interpolation, cropFraction: cropFraction ?? other.cropFraction,
            cropMode: cropMode ?? other.cropMode)
    }
}
