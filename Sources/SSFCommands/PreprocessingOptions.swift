import ArgumentParser
import SSFCheckpoints

/// How images become the input of a model; what is not given comes from the model's configuration.
public struct PreprocessingOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Height and width of the input (default: the model's own).", valueName: "pixels"))
    public var imgSize: Int?

    @Option(parsing: .upToNextOption, help: ArgumentHelp("Mean of each channel, on 0...1.", valueName: "r g b"))
    public var mean: [Double] = []

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Standard deviation of each channel, on 0...1.", valueName: "r g b"))
    public var std: [Double] = []

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Part of the shorter side that the centre crop keeps.", valueName: "part"))
    public var cropPct: Double?

    @Option(help: "Filter of the resize: bilinear, bicubic or lanczos.")
    public var interpolation: String?

    public init() {}

    /// Pixels; at larger inputs the attention of no vision transformer fits any machine.
    static let largestSize = 4096

    public func validate() throws {
        if let imgSize, !(1...Self.largestSize).contains(imgSize) {
            throw ValidationError("--img-size must be 1 to \(Self.largestSize), not \(imgSize).")
        }
        for (name, values) in [("mean", mean), ("std", std)] where ![0, 1, 3].contains(values.count) {
            throw ValidationError("--\(name) takes one number or three, not \(values.count).")
        }
        if std.contains(where: { $0 <= 0 }) { throw ValidationError("--std must be positive.") }
        if let cropPct, !(cropPct > 0 && cropPct <= 1) {
            throw ValidationError("--crop-pct must be more than 0 and at most 1, not \(cropPct).")
        }
    }
}
