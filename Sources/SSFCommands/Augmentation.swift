import SSFImages
import SSFTensors

/// How training images are varied, resolved.
public struct Augmentation: Sendable, Equatable {
    /// For training and evaluation alike: both sides resized to the input size, nothing cut off.
    public var resizesDirectly: Bool
    /// nil shows training images as evaluation does.
    public var randomCrop: CropRule?
    public var flipProbability: Double

    /// As many pixels as the largest input has.
    static let largestPadding = PreprocessingOptions.largestSize

    static func resolve(
        _ options: AugmentationOptions, defaults: TrainingDefaults, _ resolver: SettingResolver
    ) throws -> Augmentation {
        func pair(_ key: String, _ flag: [Double], _ fallback: [Double]) throws -> ClosedRange<Double> {
            let values = try resolver.value(key, flag: flag.isEmpty ? nil : flag, default: fallback)
            guard values.count == 2, values[0] > 0, values[0] <= values[1] else {
                throw UserError("`\(key)` cannot be used", expected: "two positive numbers", found: "\(values)")
            }
            return values[0]...values[1]
        }
        let isOff = try resolver.value("no-aug", flag: options.noAug ? true : nil, default: !defaults.augments)
        let padding = try resolver.optional("pad-crop", flag: options.padCrop)
        let flip = try resolver.value("hflip", flag: options.hflip, default: isOff ? 0 : 0.5)
        let scale = try pair("scale", options.scale, [0.08, 1])
        let ratio = try pair("ratio", options.ratio, [3.0 / 4, 4.0 / 3])
        guard scale.upperBound <= 1 else {
            throw UserError("`scale` cannot be used", expected: "at most 1", found: "\(scale.upperBound)")
        }
        guard (0...1).contains(flip) else {
            throw UserError("`hflip` cannot be used", expected: "0...1", found: "\(flip)")
        }
        guard (0...largestPadding).contains(padding ?? 0) else {
            throw UserError(
                "`pad-crop` cannot be used", expected: "0 to \(largestPadding)", found: "\(padding ?? 0)")
        }
        let crop: CropRule? =
            padding.map { .padded(padding: $0) } ?? (isOff ? nil : .randomResized(scale: scale, ratio: ratio))
        return Augmentation(
            resizesDirectly: try resolver.value(
                "direct-resize", flag: options.directResize, default: !defaults.augments),
            randomCrop: crop, flipProbability: flip)
    }
}
