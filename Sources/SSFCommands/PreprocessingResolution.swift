import SSFCheckpoints
import SSFImages
import SSFTensors

/// What becomes of the preprocessing that a model states, under the options of a command.
public enum PreprocessingResolution {
    /// What is used, and said, where neither the model nor the command states it: timm's for vision transformers.
    static let fallback = PartialPreprocessing(
        mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], interpolation: "bicubic", cropFraction: 0.9, cropMode: "center")

    /// Options of a command, as far as they are given.
    static func stated(
        _ options: PreprocessingOptions, resolver: SettingResolver = SettingResolver(file: nil)
    ) throws -> PartialPreprocessing {
        func channels(_ key: String, _ flag: [Double]) throws -> [Float]? {
            guard let values = try resolver.optional(key, flag: flag.isEmpty ? nil : flag) else { return nil }
            guard values.count == 1 || values.count == 3 else {
                throw UserError("`\(key)` cannot be used", expected: "one number or three", found: "\(values.count)")
            }
            return (values.count == 1 ? [Double](repeating: values[0], count: 3) : values).map(Float.init)
        }
        let size = try resolver.optional("img-size", flag: options.imgSize)
        if let size, !(1...PreprocessingOptions.largestSize).contains(size) {
            throw UserError(
                "`img-size` cannot be used", expected: "1 to \(PreprocessingOptions.largestSize)", found: "\(size)")
        }
        let std = try channels("std", options.std)
        if let std, std.contains(where: { !($0 > 0) }) {
            throw UserError("`std` cannot be used", expected: "positive numbers", found: "\(std)")
        }
        let crop = try resolver.optional("crop-pct", flag: options.cropPct)
        if let crop, !(crop > 0 && crop <= 1) {
            throw UserError("`crop-pct` cannot be used", expected: "more than 0, at most 1", found: "\(crop)")
        }
        return PartialPreprocessing(
            inputSize: size.map { [3, $0, $0] }, mean: try channels("mean", options.mean), std: std,
            interpolation: try resolver.optional("interpolation", flag: options.interpolation),
            cropFraction: crop.map(Float.init))
    }

    /// The whole: options over the model's own over the fallback, which is announced.
    ///
    /// - Parameters:
    ///   - nativeSize: height and width that the model was trained on.
    ///   - resizesDirectly: images are shown whole, and no crop fraction matters unless the options give one.
    static func resolve(
        options: PartialPreprocessing, model: PartialPreprocessing, nativeSize: (height: Int, width: Int),
        resizesDirectly: Bool
    ) throws -> (preprocessing: Preprocessing, notes: [String]) {
        var known = options
        if resizesDirectly && options.cropFraction == nil {
            known.cropMode = "squash"
            known.cropFraction = 1
        }
        known = known.filled(from: model)
        // The size of the weights counts, not what a file says of the images they saw last.
        known.inputSize = options.inputSize ?? [3, nativeSize.height, nativeSize.width]
        var notes: [String] = []
        if !known.missing.isEmpty {
            let missing = known.missing
            known = known.filled(from: fallback)
            notes.append(
                "preprocessing: no configuration states \(missing.joined(separator: ", ")); used are mean "
                    + "\(known.mean!.map(String.init(describing:)).joined(separator: " ")), std "
                    + "\(known.std!.map(String.init(describing:)).joined(separator: " ")), \(known.interpolation!), "
                    + "crop \(known.cropFraction!)")
        }
        guard let complete = known.complete else { preconditionFailure("the fallback states everything but the size") }
        guard max(complete.height, complete.width) <= PreprocessingOptions.largestSize else {
            throw UserError(
                "the input size cannot be used", expected: "at most \(PreprocessingOptions.largestSize)",
                found: "\(complete.height)x\(complete.width)")
        }
        guard Interpolation(rawValue: complete.interpolation) != nil else {
            throw UserError(
                "the interpolation `\(complete.interpolation)` is not known",
                expected: Interpolation.allCases.map(\.rawValue).joined(separator: ", "),
                remedy: "choose one with --interpolation")
        }
        return (complete, notes)
    }
}

extension Preprocessing {
    /// The rule by which evaluation crops.
    var cropRule: CropRule {
        switch cropMode {
        case "squash": cropFraction == 1 ? .direct : .squash(fraction: Double(cropFraction))
        default: .center(fraction: Double(cropFraction))
        }
    }

    /// The pipeline of evaluation and prediction.
    ///
    /// - Precondition: the interpolation is one that exists.
    func pipeline(orientation: OrientationPolicy) -> Pipeline {
        Pipeline(
            width: width, height: height, crop: cropRule, interpolation: Interpolation(rawValue: interpolation)!,
            mean: mean, deviation: std, decoder: ImageDecoder(orientation: orientation))
    }

    /// The part of an image that the model is shown, in pixels of the image: edges may lie between pixels, and outside of
    /// the image where black was filled in.
    package func visiblePart(
        ofWidth width: Int, height: Int
    ) -> (x: Double, y: Double, width: Double, height: Double) {
        cropRule.visiblePart(ofWidth: width, height: height, targetWidth: self.width, targetHeight: self.height)
    }

    /// The pipeline of training.
    func pipeline(orientation: OrientationPolicy, augmentation: Augmentation) -> Pipeline {
        var pipeline = pipeline(orientation: orientation)
        if let crop = augmentation.randomCrop { pipeline.crop = crop }
        pipeline.flipProbability = augmentation.flipProbability
        return pipeline
    }
}
