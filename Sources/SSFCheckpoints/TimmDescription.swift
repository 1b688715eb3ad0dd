import SSFTensors

/// The `config.json` with which timm builds a given plain vision transformer.
///
/// Source: timm 1.0, `models/_hub.py` (`save_config_for_hf`, `_parse_model_cfg`), `models/_builder.py`
/// (`_update_default_model_kwargs`) and `models/vision_transformer.py` (the arguments).
struct TimmDescription {
    static let writer = "ssf"

    var config: JSONValue
    /// The tensors in timm's form.
    var tensors: [String: Tensor]
    /// What is to be shown, in sentences.
    var notes: [String] = []

    /// - Throws: A `UserError` that names the tensor or field that is missing or does not fit.
    init(_ folder: MergedFolder) throws {
        let form = try ViTForm(folder.tensors, preprocessing: folder.preprocessing)
        tensors = folder.tensors
        if form.hasPreNorm, let bias = tensors["patch_embed.proj.bias"], let positions = tensors["pos_embed"] {
            tensors["patch_embed.proj.bias"] = nil
            tensors["pos_embed"] = Self.adding(bias, to: positions, from: form.prefixPositions)
            notes.append(
                "the patch embedding's bias is added to the position embedding: timm's models with norm_pre have none")
        }
        guard form.classes == folder.labelNames.count else {
            throw UserError(
                "label_names: the classes do not fit the head", expected: "\(form.classes) names",
                found: "\(folder.labelNames.count)")
        }
        let configuration = folder.configuration
        let arguments = try Self.arguments(form, configuration)
        let pool = configuration.globalPool ?? (form.hasClassToken ? "token" : "avg")
        let architecture =
            configuration.architecture
            ?? (form.isDistilled ? "deit_base_distilled_patch16_224" : "vit_base_patch16_224")

        var config: [String: JSONValue] = [
            "architecture": .string(architecture),
            "num_classes": .integer(form.classes),
            "num_features": .integer(form.width),
            "global_pool": .string(pool),
            "model_args": .object(arguments.merging(["global_pool": .string(pool)]) { $1 }),
            "pretrained_cfg": .object(Self.pretrained(form, configuration, folder.preprocessing)),
            "merged_by": .string(Self.writer),
        ]
        if !folder.labelNames.isEmpty { config["label_names"] = .array(folder.labelNames.map(JSONValue.string)) }
        if let descriptions = folder.labelDescriptions {
            config["label_descriptions"] = .object(descriptions.mapValues(JSONValue.string))
        }
        if let epsilon = configuration.layerNormEpsilon {
            config["layer_norm_eps"] = .number(epsilon)
            if epsilon != 1e-6, configuration.architecture == nil {
                notes.append("timm builds this model with a LayerNorm epsilon of 1e-06; here it is \(epsilon)")
            }
        }
        self.config = .object(config)
    }

    /// timm's arguments. A stated architecture keeps what its own file stated and gets the input size; without one
    /// every argument is written.
    private static func arguments(_ form: ViTForm, _ configuration: ModelConfiguration) throws -> [String: JSONValue] {
        var arguments = configuration.modelArguments
        arguments["num_classes"] = nil
        arguments["img_size"] = side(form.imageSize)
        // Merging a shift gives a bias to a layer that had none.
        arguments["qkv_bias"] = .bool(form.hasQKVBias)
        if configuration.architecture != nil { return arguments }

        guard let heads = configuration.headCount else {
            throw UserError(
                "num_heads: the head count of the model is not known", expected: "an architecture or a head count")
        }
        arguments["patch_size"] = side(form.patchSize)
        arguments["embed_dim"] = .integer(form.width)
        arguments["depth"] = .integer(form.depth)
        arguments["num_heads"] = .integer(heads)
        arguments["mlp_ratio"] = .number(form.mlpRatio)
        arguments["qk_norm"] = .bool(form.hasQKNorm)
        arguments["pre_norm"] = .bool(form.hasPreNorm)
        arguments["final_norm"] = .bool(form.hasNorm || form.hasFCNorm)
        arguments["fc_norm"] = .bool(form.hasFCNorm)
        arguments["init_values"] = form.hasLayerScale ? .number(configuration.layerScaleInit ?? 1e-5) : .null
        if !form.isDistilled {
            arguments["class_token"] = .bool(form.hasClassToken)
            arguments["no_embed_class"] = .bool(form.noEmbedClass)
            arguments["reg_tokens"] = .integer(form.registers)
        }
        return arguments
    }

    private static func pretrained(
        _ form: ViTForm, _ configuration: ModelConfiguration, _ preprocessing: Preprocessing
    ) -> [String: JSONValue] {
        // Kept: tag, licence and the like. Gone: what speaks of the old input or of where the old weights came from.
        var result = configuration.pretrainedConfiguration
        for key in ["test_input_size", "min_input_size", "test_crop_pct", "label_offset", "url", "hf_hub_id", "file"] {
            result[key] = nil
        }
        result["input_size"] = .array([.integer(3), .integer(form.imageSize[0]), .integer(form.imageSize[1])])
        result["fixed_input_size"] = true
        result["interpolation"] = .string(preprocessing.interpolation)
        // A Float's own digits, so that 0.9 stays 0.9.
        func decimal(_ value: Float) -> JSONValue { .number(Double("\(value)") ?? Double(value)) }
        result["crop_pct"] = decimal(preprocessing.cropFraction)
        result["crop_mode"] = .string(preprocessing.cropMode)
        result["mean"] = .array(preprocessing.mean.map(decimal))
        result["std"] = .array(preprocessing.std.map(decimal))
        result["num_classes"] = .integer(form.classes)
        result["pool_size"] = .null
        result["custom_load"] = false
        result["first_conv"] = "patch_embed.proj"
        result["classifier"] = form.isDistilled ? ["head", "head_dist"] : "head"
        return result
    }

    /// The position embedding with `bias` added to every position from `first` on, which is the same as a bias of the
    /// patches that it is added to.
    private static func adding(_ bias: Tensor, to positions: Tensor, from first: Int) -> Tensor {
        let result = positions.dtype == .f32 ? positions.copied() : positions.converted(to: .f32)
        let addend = bias.values
        for position in first..<positions.shape[1] {
            for channel in addend.indices { result.floats[position * addend.count + channel] += addend[channel] }
        }
        return result.converted(to: positions.dtype)
    }

    private static func side(_ size: [Int]) -> JSONValue {
        size[0] == size[1] ? .integer(size[0]) : .array(size.map(JSONValue.integer))
    }
}

/// What the tensors of a plain vision transformer show of its form.
private struct ViTForm {
    var width, depth, classes: Int
    var patchSize, imageSize: [Int]
    var mlpRatio: Double
    var registers: Int
    /// Rows of the position embedding before those of the patches.
    var prefixPositions: Int
    var hasClassToken, noEmbedClass, isDistilled, hasQKVBias, hasQKNorm, hasPreNorm, hasNorm, hasFCNorm,
        hasLayerScale: Bool

    init(_ tensors: [String: Tensor], preprocessing: Preprocessing) throws {
        func shape(_ name: String, rank: Int) throws -> Shape {
            guard let tensor = tensors[name], tensor.shape.rank == rank else {
                throw UserError(
                    "\(name): this tensor of the merged model is missing or has the wrong shape",
                    expected: "\(rank) axes", found: tensors[name].map { "\($0.shape)" } ?? "no such tensor")
            }
            return tensor.shape
        }
        let patch = try shape("patch_embed.proj.weight", rank: 4)
        width = patch[0]
        patchSize = [patch[2], patch[3]]
        imageSize = [preprocessing.height, preprocessing.width]
        var blocks = 0
        while tensors["blocks.\(blocks).attn.qkv.weight"] != nil { blocks += 1 }
        depth = blocks
        mlpRatio = Double(try shape("blocks.0.mlp.fc1.weight", rank: 2)[0]) / Double(max(width, 1))
        classes = tensors["head.weight"]?.shape[0] ?? 0
        registers = tensors["reg_token"]?.shape[-2] ?? 0
        hasClassToken = tensors["cls_token"] != nil
        isDistilled = tensors["dist_token"] != nil
        hasQKVBias = tensors["blocks.0.attn.qkv.bias"] != nil
        hasQKNorm = tensors["blocks.0.attn.q_norm.weight"] != nil
        hasPreNorm = tensors["norm_pre.weight"] != nil
        hasNorm = tensors["norm.weight"] != nil
        hasFCNorm = tensors["fc_norm.weight"] != nil
        hasLayerScale = tensors["blocks.0.ls1.gamma"] != nil

        // timm does not resize what a folder holds without saying so: the embedding must have the input's grid.
        let positions = try shape("pos_embed", rank: 3)[1]
        let grid = (imageSize[0] / max(patch[2], 1)) * (imageSize[1] / max(patch[3], 1))
        let prefix = (hasClassToken ? 1 : 0) + (isDistilled ? 1 : 0) + registers
        guard positions == grid || positions == grid + prefix else {
            throw UserError(
                "pos_embed: the position embedding does not fit the input size",
                expected: "\(grid) or \(grid + prefix) positions for \(imageSize[0]) x \(imageSize[1])",
                found: "\(positions)")
        }
        prefixPositions = positions - grid
        noEmbedClass = hasClassToken && positions == grid
        if let bias = tensors["patch_embed.proj.bias"], bias.shape != [width] {
            throw UserError("patch_embed.proj.bias: the shape", expected: "[\(width)]", found: "\(bias.shape)")
        }
    }
}
