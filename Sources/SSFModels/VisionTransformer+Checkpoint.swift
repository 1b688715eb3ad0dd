import SSFCheckpoints
import SSFGraph
import SSFTensors

extension VisionTransformer {
    /// The vision transformer that a checkpoint holds; nil where it holds something else.
    ///
    /// Sizes come from the tensors; the head count and the norms' epsilon, which no tensor shows, from the
    /// configuration, and the notes say where each was found.
    @Sendable
    static func open(_ checkpoint: Checkpoint) throws -> (any Model)? {
        let tensors = checkpoint.tensors
        guard let patch = tensors["patch_embed.proj.weight"], patch.shape.rank == 4 || patch.shape.rank == 2,
            tensors.keys.contains(where: { $0.hasPrefix("blocks.0.attn.") })
        else { return nil }
        let stated = checkpoint.configuration
        var notes: [String] = []

        for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) where tensor.count == 0 {
            throw UserError("\(checkpoint.path): the tensor \(name) is empty", found: "\(tensor.shape)")
        }
        let width = patch.shape[0]
        let patchSize: Int
        if patch.shape.rank == 4 {
            guard patch.shape[2] == patch.shape[3], patch.shape[2] > 0 else {
                throw UserError(
                    "\(checkpoint.path): patch_embed.proj.weight has no square patches", expected: "[C, 3, p, p]",
                    found: "\(patch.shape)")
            }
            patchSize = patch.shape[2]
        } else {
            patchSize = Int((Double(patch.shape[1]) / 3).squareRoot().rounded())
            guard 3 * patchSize * patchSize == patch.shape[1] else {
                throw UserError(
                    "\(checkpoint.path): patch_embed.proj.weight is no patch embedding of RGB images",
                    expected: "[C, 3 p p]", found: "\(patch.shape)")
            }
        }
        let lastBlock = tensors.keys.compactMap(blockIndex).max() ?? 0
        guard lastBlock < tensors.count else {
            throw UserError(
                "\(checkpoint.path): there is a tensor of block \(lastBlock) and not of all before it",
                expected: "blocks from 0, without gaps")
        }
        let depth = lastBlock + 1
        let heads = try headCount(checkpoint, width: width, notes: &notes)
        var c = Configuration(
            width: width, depth: depth, heads: heads, patchSize: patchSize, imageHeight: patchSize,
            imageWidth: patchSize,
            hiddenWidth: tensors["blocks.0.mlp.fc1.weight"].flatMap(rows) ?? 4 * width)
        c.imageChannels = patch.shape.rank == 4 ? patch.shape[1] : 3
        guard c.imageChannels == 3 else {
            throw UserError(
                "\(checkpoint.path): the model does not take RGB images", expected: "3 input channels",
                found: "\(c.imageChannels)")
        }
        c.hasClassToken = tensors["cls_token"] != nil
        c.hasDistillationToken = tensors["dist_token"] != nil
        c.registerCount = tensors["reg_token"].map { $0.shape.rank == 3 ? $0.shape[1] : 0 } ?? 0
        c.hasPositionEmbedding = tensors["pos_embed"] != nil
        c.hasPatchBias = tensors["patch_embed.proj.bias"] != nil
        c.hasNormPre = tensors["norm_pre.weight"] != nil
        c.hasFinalNorm = tensors["norm.weight"] != nil
        c.hasPooledNorm = tensors["fc_norm.weight"] != nil
        c.hasQKVBias = tensors["blocks.0.attn.qkv.bias"] != nil
        c.hasQKNorm = tensors["blocks.0.attn.q_norm.weight"] != nil
        c.hasLayerScale = tensors["blocks.0.ls1.gamma"] != nil
        c.poolsAverage = try poolsAverage(checkpoint, c, notes: &notes)
        c.epsilon =
            stated.layerNormEpsilon ?? stated.architecture.map { ArchitectureFacts($0, width: width).epsilon } ?? 1e-6
        if stated.layerNormEpsilon == nil {
            notes.append("norm epsilon \(c.epsilon), timm's: the configuration states none")
        }
        try checkActivation(checkpoint)
        try readPosition(checkpoint, &c)
        notes += contradictions(stated, c, classes: tensors["head.weight"].flatMap(rows))

        let model = VisionTransformer(c, notes: notes)
        try model.check(checkpoint)
        return model
    }

    /// The rows of a matrix.
    private static func rows(_ tensor: Tensor) -> Int? { tensor.shape.rank == 2 ? tensor.shape[0] : nil }

    private static func blockIndex(_ name: String) -> Int? {
        let parts = name.split(separator: ".", maxSplits: 2)
        return parts.count == 3 && parts[0] == "blocks" ? Int(parts[1]) : nil
    }

    // MARK: What tensors do not show

    private static func headCount(_ checkpoint: Checkpoint, width: Int, notes: inout [String]) throws -> Int {
        func checked(_ heads: Int, from source: String) throws -> Int {
            guard heads > 0, width % heads == 0 else {
                throw UserError(
                    "\(checkpoint.path): \(heads) attention heads (\(source)) do not divide a width of \(width)",
                    remedy: "correct num_heads in config.json")
            }
            notes.append("\(heads) attention heads, from \(source)")
            return heads
        }
        let stated = checkpoint.configuration
        if let heads = stated.headCount { return try checked(heads, from: "the configuration") }
        if let name = stated.architecture, let heads = ArchitectureFacts(name, width: width).heads {
            return try checked(heads, from: "timm's \(name)")
        }
        if let heads = normHeadCount(checkpoint.tensors, width: width) {
            return try checked(heads, from: "the width of q_norm")
        }
        return try checked(max(1, width / 64), from: "the width, 64 channels a head: no configuration states it")
    }

    /// What the configuration states otherwise than the tensors show it. The tensors count: files of configuration are
    /// often copied from another model.
    private static func contradictions(_ stated: ModelConfiguration, _ c: Configuration, classes: Int?) -> [String] {
        var notes: [String] = []
        func compare(_ what: String, _ statement: Int?, _ truth: Int) {
            guard let statement, statement != truth else { return }
            notes.append("the configuration states \(statement) \(what), the tensors show \(truth), which counts")
        }
        compare("blocks", stated.depth, c.depth)
        compare("channels", stated.numFeatures, c.width)
        compare("pixels a side of a patch", stated.patchSize?.first { $0 != c.patchSize }, c.patchSize)
        if let classes, stated.numClasses != 0 { compare("classes", stated.numClasses, classes) }
        if let ratio = stated.mlpRatio, abs(ratio * Double(c.width) - Double(c.hiddenWidth)) >= 1 {
            notes.append(
                "the configuration states an MLP ratio of \(ratio), the tensors show "
                    + "\(c.hiddenWidth) hidden channels over \(c.width), which counts")
        }
        let native = [c.gridRows * c.patchSize, c.gridColumns * c.patchSize]
        if let size = stated.imageSize, size.count == 2, c.hasPositionEmbedding,
            zip(size, native).contains(where: { $0 / c.patchSize != $1 / c.patchSize })
        {
            notes.append(
                "the configuration states images of \(size[0])x\(size[1]), the position embedding is made for "
                    + "\(native[0])x\(native[1]), which counts")
        }
        return notes
    }

    /// Refuses what nothing in the tensors would show.
    private static func checkActivation(_ checkpoint: Checkpoint) throws {
        let stated = checkpoint.configuration
        let exact: Set<String> = ["gelu", "GELU", "torch.nn.GELU", "nn.GELU"]
        let other =
            stated.activation.flatMap { exact.contains($0) ? nil : $0 }
            ?? stated.architecture.flatMap { ArchitectureFacts($0, width: 64).otherActivation }
        if let other {
            throw UserError(
                "\(checkpoint.path): the activation of the MLP is not supported", expected: "the exact GELU",
                found: other)
        }
    }

    private static func normHeadCount(_ tensors: [String: Tensor], width: Int) -> Int? {
        guard let norm = tensors["blocks.0.attn.q_norm.weight"], norm.count > 0, width % norm.count == 0 else {
            return nil
        }
        return width / norm.count
    }

    private static func poolsAverage(_ checkpoint: Checkpoint, _ c: Configuration, notes: inout [String]) throws -> Bool
    {
        switch checkpoint.configuration.globalPool {
        case "token":
            guard c.hasClassToken else {
                throw UserError(
                    "\(checkpoint.path): the configuration pools the class token, and there is none",
                    remedy: "set global_pool to \"avg\" in config.json")
            }
            return false
        case "avg": return true
        case nil:
            let average = c.hasPooledNorm || !c.hasClassToken
            notes.append(
                average
                    ? "pools the mean of the patches: "
                        + (c.hasPooledNorm ? "there is an fc_norm" : "there is no class token")
                    : "pools the class token")
            return average
        case let other?:
            throw UserError(
                "\(checkpoint.path): the pooling is not known here", expected: "global_pool token or avg", found: other)
        }
    }

    /// The longest side of an image that a configuration may state, in pixels: larger ones are a mistake.
    private static let longestSide = 4096

    /// Which tokens the position embedding covers, and its grid.
    private static func readPosition(_ checkpoint: Checkpoint, _ c: inout Configuration) throws {
        let stated = checkpoint.configuration
        if let size = stated.imageSize, !size.allSatisfy({ (1...longestSide).contains($0) }) {
            throw UserError(
                "\(checkpoint.path): the configuration states an impossible size of images",
                expected: "sides of 1 to \(longestSide) pixels",
                found: size.map(String.init).joined(separator: "x"), remedy: "correct img_size in config.json")
        }
        guard let position = checkpoint.tensors["pos_embed"] else {
            let size = stated.imageSize ?? [224, 224]
            c.grid = (max(1, size[0] / c.patchSize), max(1, (size.count > 1 ? size[1] : size[0]) / c.patchSize))
            return
        }
        guard position.shape.rank == 3, position.shape[0] == 1, position.shape[2] == c.width else {
            throw UserError(
                "\(checkpoint.path): the tensor pos_embed has the wrong shape", expected: "[1, tokens, \(c.width)]",
                found: "\(position.shape)")
        }
        let tokens = position.shape[1]
        let prefix = c.prefixCount
        if let size = stated.imageSize, size.count == 2 {
            let (rows, columns) = (size[0] / c.patchSize, size[1] / c.patchSize)
            for covers in [true, false]
            where stated.noEmbedClass != covers && rows * columns == tokens - (covers ? prefix : 0) {
                c.positionCoversPrefix = covers
                c.grid = (rows, columns)
                return
            }
        }
        for covers in [true, false] where stated.noEmbedClass != covers {
            let patches = tokens - (covers ? prefix : 0)
            let side = Int(Double(max(0, patches)).squareRoot().rounded())
            if side > 0, side * side == patches {
                c.positionCoversPrefix = covers
                c.grid = (side, side)
                return
            }
        }
        throw UserError(
            "\(checkpoint.path): the tensor pos_embed covers no square grid",
            expected: "a square number of patches and \(prefix) prefix tokens", found: "\(tokens) tokens",
            remedy: "state img_size in the model_args of config.json")
    }

    // MARK: Names and shapes

    /// Refuses a checkpoint that lacks a tensor, has one too many, or one of another shape.
    private func check(_ checkpoint: Checkpoint) throws {
        let tensors = checkpoint.tensors
        if let head = tensors["head.weight"], head.shape.rank != 2 {
            throw UserError(
                "\(checkpoint.path): the tensor head.weight has the wrong shape", expected: "[classes, channels]",
                found: "\(head.shape)")
        }
        let size = nativeImageSize
        let classes = tensors["head.weight"].flatMap(Self.rows) ?? 0
        let program = try record(
            RecordingOptions(batch: 1, imageHeight: size.height, imageWidth: size.width, classCount: classes))
        var expected: [String: Shape] = [:]
        for parameter in program.parameters { expected[parameter.name] = parameter.shape }

        for name in tensors.keys.sorted() where expected[name] == nil {
            throw UserError(
                "\(checkpoint.path): the tensor \(name) \(tensors[name]!.shape) belongs to no plain vision transformer",
                expected: "the names of timm's vision_transformer.py",
                remedy: "this model may be of a family or a form that is not supported")
        }
        for (name, shape) in expected.sorted(by: { $0.key < $1.key }) {
            guard let tensor = tensors[name] else {
                throw UserError("\(checkpoint.path): the tensor \(name) \(shape) is missing")
            }
            let isPatchMatrix = name == "patch_embed.proj.weight" && tensor.shape.count == shape.count
            // A classifier over more than the pooled features (DINOv2's of Hugging Face) is replaced later.
            let isWideHead = name == "head.weight" && tensor.shape.rank == 2 && tensor.shape[0] == classes
            guard tensor.shape == shape || isPatchMatrix || isWideHead else {
                throw UserError(
                    "\(checkpoint.path): the tensor \(name) has the wrong shape", expected: "\(shape)",
                    found: "\(tensor.shape)")
            }
            switch tensor.dtype {
            case .f32, .f16, .bf16, .f64: break
            default:
                throw UserError(
                    "\(checkpoint.path): the tensor \(name) has the wrong type", expected: "F32, F16, BF16 or F64",
                    found: tensor.dtype.rawValue)
            }
        }
    }
}
