import SSFTensors

/// Reads the `config.json` of a timm `local-dir` or hub folder.
///
/// Source: timm 1.0, `models/_hub.py` (`_parse_model_cfg`, `save_config_for_hf`).
enum TimmConfiguration {
    static func recognises(_ object: [String: JSONValue]) -> Bool {
        object["architecture"] != nil || object["pretrained_cfg"] != nil
    }

    /// - Throws: A `UserError` that names the file and the field.
    static func read(_ object: [String: JSONValue], file: String) throws -> ModelConfiguration {
        let root = ConfigurationReader(file: file, object: object)
        let arguments = try root.object("model_args")
        // Older files have no `pretrained_cfg`: its fields stand at the top.
        let pretrained = try root.object("pretrained_cfg") ?? root

        var result = ModelConfiguration()
        result.sources = [file]
        result.architecture = try root.string("architecture") ?? pretrained.string("architecture")
        result.family = result.architecture.flatMap(family)
        result.numClasses = try root.count("num_classes") ?? pretrained.count("num_classes")
        result.globalPool =
            try arguments?.string("global_pool") ?? root.string("global_pool") ?? pretrained.string("global_pool")
        result.numFeatures = try root.count("num_features") ?? arguments?.count("embed_dim")
        // `labels` is the name of old files.
        for reader in [root, pretrained] where result.labelNames == nil {
            result.labelNames = try names(reader, "label_names") ?? names(reader, "labels")
        }
        for reader in [root, pretrained] where result.labelDescriptions == nil {
            result.labelDescriptions = try descriptions(reader, names: result.labelNames)
        }
        result.statedPreprocessing = try preprocessing(pretrained)
        result.imageSize =
            try arguments?.pair("img_size") ?? result.statedPreprocessing.inputSize.map { Array($0.dropFirst()) }
        result.layerNormEpsilon = try root.number("layer_norm_eps")
        result.modelArguments = arguments?.object ?? [:]
        result.pretrainedConfiguration = try root.object("pretrained_cfg")?.object ?? [:]
        if let arguments { try readArguments(arguments, into: &result) }
        return result
    }

    /// What timm's `VisionTransformer` takes.
    private static func readArguments(_ arguments: ConfigurationReader, into result: inout ModelConfiguration) throws {
        result.patchSize = try arguments.pair("patch_size")
        result.depth = try arguments.count("depth")
        result.headCount = try arguments.count("num_heads")
        result.mlpRatio = try arguments.number("mlp_ratio")
        result.activation = try arguments.string("act_layer")
        result.qkvBias = try arguments.bool("qkv_bias")
        result.qkNorm = try arguments.bool("qk_norm")
        result.preNorm = try arguments.bool("pre_norm")
        result.finalNorm = try arguments.bool("final_norm")
        result.fcNorm = try arguments.bool("fc_norm")
        result.classToken = try arguments.bool("class_token")
        result.noEmbedClass = try arguments.bool("no_embed_class")
        result.registerCount = try arguments.count("reg_tokens")
        result.layerScaleInit = try arguments.number("init_values")
        if let layer = try arguments.string("mlp_layer") { result.gatedMLP = layer.lowercased().contains("glu") }
        if let classes = try arguments.count("num_classes") { result.numClasses = classes }
    }

    /// timm's names begin with the family, after which comes the size.
    private static func family(_ architecture: String) -> ModelConfiguration.Family? {
        if architecture.contains("dinov2") { return .dinov2 }
        if architecture.hasPrefix("deit") { return .deit }
        return architecture.hasPrefix("vit_") ? .vit : nil
    }

    private static func preprocessing(_ reader: ConfigurationReader) throws -> PartialPreprocessing {
        var result = PartialPreprocessing()
        result.inputSize = try reader.field("input_size", "channels, height and width") { value in
            guard let list = value.array else { return nil }
            let sizes = list.compactMap(\.integer)
            return list.count == 3 && sizes.count == 3 && sizes.allSatisfy { $0 > 0 } ? sizes : nil
        }
        result.mean = try reader.channels("mean")
        result.std = try reader.channels("std")
        if let std = result.std, std.contains(where: { !($0 > 0) }) {
            try reader.refuse("std", expected: "positive numbers")
        }
        result.interpolation = try reader.string("interpolation")
        result.cropFraction = try reader.field("crop_pct", "a number in (0, 1]") { value in
            value.number.flatMap { $0 > 0 && $0 <= 1 ? Float($0) : nil }
        }
        result.cropMode = try reader.string("crop_mode")
        return result
    }

    /// A list in head order, or an object from class index to name, whose gaps get their number for a name.
    private static func names(_ reader: ConfigurationReader, _ key: String) throws -> [String]? {
        try reader.field(key, "a list of class names") { value in
            if let list = value.array {
                let names = list.compactMap { $0.string ?? $0.integer.map(String.init) }
                return names.count == list.count ? names : nil
            }
            return value.object.flatMap(namesByIndex)
        }
    }

    /// Descriptions by name, or a list in head order.
    private static func descriptions(_ reader: ConfigurationReader, names: [String]?) throws -> [String: String]? {
        try reader.field("label_descriptions", "an object from class name to description") { value in
            if let object = value.object {
                let texts = object.compactMapValues(\.string)
                return texts.count == object.count ? texts : nil
            }
            guard let list = value.array?.compactMap(\.string), let names, list.count == names.count else { return nil }
            return Dictionary(zip(names, list), uniquingKeysWith: { first, _ in first })
        }
    }
}

/// The names of an object whose keys are class indices; indices that it leaves out get their number for a name.
///
/// `nil` where a key is no index, a value no string, or the largest index is beyond reason for so few names.
func namesByIndex(_ object: [String: JSONValue]) -> [String]? {
    var names: [Int: String] = [:]
    for (key, value) in object {
        guard let index = Int(key), index >= 0, let name = value.string else { return nil }
        names[index] = name
    }
    guard let last = names.keys.max(), last < 1_000_000 else { return object.isEmpty ? [] : nil }
    return (0...last).map { names[$0] ?? String($0) }
}
