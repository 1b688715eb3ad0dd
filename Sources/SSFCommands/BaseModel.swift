import SSFCheckpoints
import SSFGraph
import SSFModels
import SSFTensors
import SSFTraining
import SSFTuning

/// What is tuned: a checkpoint, or an architecture whose weights begin at random.
enum BaseModel {
    case checkpoint(Checkpoint)
    case scratch(VisionTransformer.Configuration)

    /// The path of a model that begins at random, as adapter folders state it.
    static let scratchPath = "(random weights)"

    var path: String {
        switch self {
        case .checkpoint(let checkpoint): checkpoint.path
        case .scratch: Self.scratchPath
        }
    }

    /// For people: timm's name where it is known, else the path.
    var name: String {
        switch self {
        case .checkpoint(let checkpoint): checkpoint.configuration.architecture ?? checkpoint.path
        case .scratch(let c):
            "ViT from scratch (\(c.width) channels, \(c.depth) blocks, \(c.heads) heads, patch \(c.patchSize))"
        }
    }

    /// Of the weights; of a model that begins at random there are none.
    var checksum: String {
        switch self {
        case .checkpoint(let checkpoint): checkpoint.checksum
        case .scratch: "none"
        }
    }

    /// What configuration files state of it.
    var configuration: ModelConfiguration {
        switch self {
        case .checkpoint(let checkpoint): return checkpoint.configuration
        case .scratch(let c):
            var stated = ModelConfiguration()
            stated.family = .vit
            stated.globalPool = "token"
            stated.numFeatures = c.width
            stated.imageSize = [c.grid.rows * c.patchSize, c.grid.columns * c.patchSize]
            stated.patchSize = [c.patchSize, c.patchSize]
            stated.depth = c.depth
            stated.headCount = c.heads
            stated.mlpRatio = Double(c.hiddenWidth) / Double(c.width)
            stated.layerNormEpsilon = c.epsilon
            return stated
        }
    }

    /// Height and width of the images that the weights were made for.
    func nativeSize() throws -> (height: Int, width: Int) {
        switch self {
        case .checkpoint(let checkpoint): try ModelRegistry.model(for: checkpoint).nativeImageSize
        case .scratch(let c): (c.grid.rows * c.patchSize, c.grid.columns * c.patchSize)
        }
    }

    /// - Parameter shared: what models of the same base have in common, where there are several.
    func tuned(_ options: TunedModel.Options, shared: SharedWeights? = nil) throws -> TunedModel {
        switch self {
        case .checkpoint(let checkpoint):
            try TunedModel(checkpoint: checkpoint, options: options, shared: shared)
        case .scratch(let c): try TunedModel(scratch: VisionTransformer(c), options: options)
        }
    }

    // MARK: Scratch

    /// The form of a model that begins at random, as an adapter folder states it under `method_options`.
    var scratchOptions: [String: JSONValue] {
        guard case .scratch(let c) = self else { return [:] }
        return [
            "scratch": .object([
                "patch_size": .integer(c.patchSize), "embed_dim": .integer(c.width), "depth": .integer(c.depth),
                "num_heads": .integer(c.heads), "hidden_width": .integer(c.hiddenWidth),
                "img_size": .array([.integer(c.grid.rows * c.patchSize), .integer(c.grid.columns * c.patchSize)]),
            ])
        ]
    }

    /// The model that an adapter folder states, if it began at random.
    static func scratch(statedIn options: [String: JSONValue], path: String) throws -> BaseModel? {
        guard let stated = options["scratch"]?.object else { return nil }
        let size = stated["img_size"]?.array?.compactMap(\.integer) ?? []
        guard let patch = stated["patch_size"]?.integer, let width = stated["embed_dim"]?.integer,
            let depth = stated["depth"]?.integer, let heads = stated["num_heads"]?.integer,
            let hidden = stated["hidden_width"]?.integer, size.count == 2, (1...65_536).contains(width),
            (1...1000).contains(depth), (1...width).contains(heads), width % heads == 0,
            (1...64 * width).contains(hidden), patch > 0,
            size.allSatisfy({ (1...PreprocessingOptions.largestSize).contains($0) && $0 % patch == 0 })
        else {
            throw UserError(
                "\(path)/adapter_config.json: method_options.scratch does not describe a vision transformer")
        }
        return .scratch(
            VisionTransformer.Configuration(
                width: width, depth: depth, heads: heads, patchSize: patch, imageHeight: size[0], imageWidth: size[1],
                hiddenWidth: hidden))
    }

    /// The model that the options describe: ViT-Tiny's form where they say nothing.
    static func scratch(
        _ options: ScratchOptions, imageSize: Int?, _ resolver: SettingResolver
    ) throws -> BaseModel {
        func count(_ key: String, _ flag: Int?, _ fallback: Int, most: Int) throws -> Int {
            let value = try resolver.value(key, flag: flag, default: fallback)
            guard (1...most).contains(value) else {
                throw UserError("--\(key) cannot be used", expected: "1 to \(most)", found: "\(value)")
            }
            return value
        }
        let patch = try count("patch-size", options.patchSize, 16, most: PreprocessingOptions.largestSize)
        let width = try count("embed-dim", options.embedDim, 192, most: 65_536)
        let depth = try count("depth", options.depth, 12, most: 1000)
        let heads = try count("num-heads", options.numHeads, max(1, width / 64), most: width)
        let ratio = try resolver.value("mlp-ratio", flag: options.mlpRatio, default: 4)
        guard ratio > 0, ratio <= 64 else {
            throw UserError("--mlp-ratio cannot be used", expected: "more than 0, at most 64", found: "\(ratio)")
        }
        let size = imageSize ?? 224
        guard size % patch == 0 else {
            throw UserError(
                "--img-size does not divide into patches", expected: "a multiple of \(patch)", found: "\(size)")
        }
        guard width % heads == 0 else {
            throw UserError("--embed-dim \(width) is not divisible by --num-heads \(heads)")
        }
        let hidden = max(1, Int((ratio * Double(width)).rounded()))
        // Weights as they are kept and as they are packed, gradients and two moments; most of them lie in the blocks.
        try MemoryLimit.check(
            bytes: 5 * 4 * (depth * width * (4 * width + 2 * hidden) + 3 * patch * patch * width),
            for: "the weights of this model", remedy: "lower --embed-dim, --depth or --mlp-ratio")
        return .scratch(
            VisionTransformer.Configuration(
                width: width, depth: depth, heads: heads, patchSize: patch, imageHeight: size, imageWidth: size,
                hiddenWidth: hidden))
    }
}
