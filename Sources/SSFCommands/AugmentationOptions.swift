import ArgumentParser

/// How training images are varied.
public struct AugmentationOptions: ParsableArguments {
    @Flag(help: "Show training images as evaluation shows them.")
    public var noAug = false

    @Flag(inversion: .prefixedNo, help: "Resize to the input size directly, whatever the shape of the image.")
    public var directResize: Bool?

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Part of the image's area that a random crop keeps.", valueName: "low high"))
    public var scale: [Double] = []

    @Option(
        parsing: .upToNextOption, help: ArgumentHelp("Aspect ratio of a random crop.", valueName: "low high"))
    public var ratio: [Double] = []

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Instead of a random crop, shift by up to this many pixels.", valueName: "pixels"))
    public var padCrop: Int?

    @Option(parsing: .unconditional, help: "Probability of a horizontal flip.")
    public var hflip: Double?

    public init() {}

    public func validate() throws {
        for (name, values) in [("scale", scale), ("ratio", ratio)] where !values.isEmpty {
            guard values.count == 2, values[0] > 0, values[0] <= values[1] else {
                throw ValidationError("--\(name) takes two positive numbers, the smaller first.")
            }
        }
        if let high = scale.last, high > 1 { throw ValidationError("--scale is at most 1.") }
        if let padCrop, !(0...Augmentation.largestPadding).contains(padCrop) {
            throw ValidationError("--pad-crop must be 0 to \(Augmentation.largestPadding), not \(padCrop).")
        }
        if let hflip, !(0...1).contains(hflip) { throw ValidationError("--hflip must be 0...1, not \(hflip).") }
    }
}
