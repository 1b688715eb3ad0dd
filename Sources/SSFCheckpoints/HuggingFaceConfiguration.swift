import SSFTensors

/// Reads the `config.json` and `preprocessor_config.json` of a Hugging Face transformers folder.
///
/// Source: transformers 5.23, `configuration_{vit,deit,vit_mae,dinov2,dinov2_with_registers}.py` and the image
/// processors' files. A field that a file leaves out has the default of its `model_type`.
enum HuggingFaceConfiguration {
    /// The `model_type`s that can be read.
    enum ModelType: String, CaseIterable {
        case vit
        case deit
        case mae = "vit_mae"
        case dinov2
        case dinov2WithRegisters = "dinov2_with_registers"

        var family: ModelConfiguration.Family {
            switch self {
            case .vit: .vit
            case .deit: .deit
            case .mae: .mae
            case .dinov2, .dinov2WithRegisters: .dinov2
            }
        }

        /// The default of `layer_norm_eps`.
        var layerNormEpsilon: Double { family == .dinov2 ? 1e-6 : 1e-12 }
    }

    static func modelType(_ object: [String: JSONValue], file: String) throws -> ModelType {
        let reader = ConfigurationReader(file: file, object: object)
        guard let type = try ModelType(rawValue: reader.string("model_type") ?? "") else {
            try reader.refuse(
                "model_type",
                expected: ModelType.allCases.map(\.rawValue).joined(separator: ", ")
                    + ", or a timm config.json with its architecture")
        }
        return type
    }

    /// - Throws: A `UserError` that names the file and the field.
    static func read(_ object: [String: JSONValue], file: String) throws -> ModelConfiguration {
        let reader = ConfigurationReader(file: file, object: object)
        let type = try modelType(object, file: file)
        var result = ModelConfiguration()
        result.sources = [file]
        result.family = type.family
        result.globalPool = "token"
        result.classToken = true
        result.numFeatures = try reader.count("hidden_size")
        result.depth = try reader.count("num_hidden_layers")
        result.headCount = try reader.count("num_attention_heads")
        result.imageSize = try reader.pair("image_size")
        result.patchSize = try reader.pair("patch_size")
        result.layerNormEpsilon = try reader.number("layer_norm_eps") ?? type.layerNormEpsilon
        result.activation = try reader.string("hidden_act") ?? "gelu"
        result.qkvBias = try reader.bool("qkv_bias") ?? true
        if let hidden = try reader.count("intermediate_size"), let width = result.numFeatures, width > 0 {
            result.mlpRatio = Double(hidden) / Double(width)
        }
        if type.family == .dinov2 {
            result.mlpRatio = try reader.number("mlp_ratio") ?? 4
            result.layerScaleInit = try reader.number("layerscale_value") ?? 1
            result.gatedMLP = try reader.bool("use_swiglu_ffn") ?? false
        }
        if type == .dinov2WithRegisters {
            result.registerCount = try reader.count("num_register_tokens") ?? 4
            result.noEmbedClass = true
        }
        let names = try reader.field("id2label", "an object from class index to name") {
            $0.object.flatMap(namesByIndex)
        }
        result.numClasses = try names?.count ?? reader.count("num_labels")
        // The names that transformers makes up where nobody gave any say nothing about the classes.
        if let names, names != names.indices.map({ "LABEL_\($0)" }) { result.labelNames = names }
        return result
    }

    /// What `preprocessor_config.json` states, in timm's terms.
    ///
    /// - Throws: A `UserError` that names the file and the field; also where the file asks for something that cannot be
    ///   said in timm's terms.
    static func preprocessing(_ object: [String: JSONValue], file: String) throws -> PartialPreprocessing {
        let reader = ConfigurationReader(file: file, object: object)
        var result = PartialPreprocessing()
        if let factor = try reader.number("rescale_factor"), abs(factor * 255 - 1) > 1e-3 {
            try reader.refuse("rescale_factor", expected: "1/255")
        }
        if try reader.bool("do_normalize") ?? true {
            result.mean = try reader.channels("image_mean")
            result.std = try reader.channels("image_std")
            if let std = result.std, std.contains(where: { !($0 > 0) }) {
                try reader.refuse("image_std", expected: "positive numbers")
            }
        } else {
            result.mean = [0, 0, 0]
            result.std = [1, 1, 1]
        }
        guard try reader.bool("do_resize") ?? true else { return result }

        // The numbers of Pillow's filters.
        result.interpolation = try reader.field("resample", "a number from 0 to 5") { value in
            let filters = ["nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"]
            return value.integer.flatMap { filters.indices.contains($0) ? filters[$0] : nil }
        }
        guard let size = try Size(reader, "size") else { return result }
        // Old files of ViT processors have no `do_center_crop` and do not crop.
        let cropsCenter = try reader.bool("do_center_crop") ?? false
        let crop = cropsCenter ? try Size(reader, "crop_size")?.square : nil
        switch (size, crop) {
        case (.sides(let height, let width), nil):
            result.inputSize = [3, height, width]
            result.cropFraction = 1
            result.cropMode = "squash"
        case (.sides(let height, let width), (let cropHeight, let cropWidth)?):
            guard height * cropWidth == width * cropHeight, cropHeight <= height else { return result }
            result.inputSize = [3, cropHeight, cropWidth]
            result.cropFraction = Float(cropHeight) / Float(height)
            result.cropMode = "squash"
        case (.shorter(let edge), (let cropHeight, let cropWidth)?):
            guard cropHeight <= edge, cropWidth <= edge else { return result }
            result.inputSize = [3, cropHeight, cropWidth]
            result.cropFraction = Float(min(cropHeight, cropWidth)) / Float(edge)
            result.cropMode = "center"
        case (.shorter(let edge), nil):
            // Without a crop the images keep their aspect; a batch needs one size, so the middle square is taken.
            result.inputSize = [3, edge, edge]
            result.cropFraction = 1
            result.cropMode = "center"
        }
        return result
    }

    /// A `size` or `crop_size`: a number, `{"height", "width"}` or `{"shortest_edge"}`.
    private enum Size {
        case sides(Int, Int)
        case shorter(Int)

        init?(_ reader: ConfigurationReader, _ key: String) throws {
            let size = try reader.field(key, "a number, height and width, or shortest_edge") { value -> Size? in
                if let side = value.integer { return side > 0 ? .sides(side, side) : nil }
                guard let object = value.object else { return nil }
                if let edge = object["shortest_edge"]?.integer, edge > 0 { return .shorter(edge) }
                guard let height = object["height"]?.integer, let width = object["width"]?.integer, height > 0,
                    width > 0
                else { return nil }
                return .sides(height, width)
            }
            guard let size else { return nil }
            self = size
        }

        /// Height and width, of a square where only an edge is given.
        var square: (height: Int, width: Int) {
            switch self {
            case .sides(let height, let width): (height, width)
            case .shorter(let edge): (edge, edge)
            }
        }
    }
}
