import SSFCheckpoints
import SSFGraph
import SSFTensors

/// The plain vision transformer and its relatives: ViT, AugReg, DeiT (distilled or not), DeiT-3, DINOv2, MAE and CLIP
/// towers, as timm's `vision_transformer.py` and `deit.py` build them.
///
/// - Source: arXiv 2010.11929, 2106.10270, 2012.12877, 2204.07118, 2304.07193, 2111.06377; names and order of
///   operations as timm 1.0.
public struct VisionTransformer: Model {
    public struct Configuration: Sendable, Hashable {
        /// C.
        public var width: Int
        public var depth: Int
        public var heads: Int
        /// Height and width of a patch, in pixels.
        public var patchSize: Int
        /// Width of the hidden layer of the MLP.
        public var hiddenWidth: Int
        /// Rows and columns of the position embedding's grid.
        public var grid: (rows: Int, columns: Int) {
            get { (gridRows, gridColumns) }
            set { (gridRows, gridColumns) = newValue }
        }
        var gridRows: Int
        var gridColumns: Int
        public var imageChannels = 3
        public var hasClassToken = true
        public var hasDistillationToken = false
        public var registerCount = 0
        public var hasPositionEmbedding = true
        /// False for timm's `no_embed_class`.
        public var positionCoversPrefix = true
        public var hasPatchBias = true
        public var hasNormPre = false
        /// The norm after the last block.
        public var hasFinalNorm = true
        /// The norm after pooling.
        public var hasPooledNorm = false
        public var hasQKVBias = true
        public var hasQKNorm = false
        public var hasLayerScale = false
        /// What layer scale begins with when trained from scratch.
        public var layerScaleInit = 1e-5
        public var poolsAverage = false
        /// Of every norm.
        public var epsilon = 1e-6

        public init(
            width: Int, depth: Int, heads: Int, patchSize: Int, imageHeight: Int, imageWidth: Int,
            hiddenWidth: Int? = nil
        ) {
            self.width = width
            self.depth = depth
            self.heads = heads
            self.patchSize = patchSize
            self.hiddenWidth = hiddenWidth ?? 4 * width
            gridRows = imageHeight / patchSize
            gridColumns = imageWidth / patchSize
        }

        /// Tokens before the patches.
        public var prefixCount: Int {
            (hasClassToken ? 1 : 0) + (hasDistillationToken ? 1 : 0) + registerCount
        }
    }

    public let configuration: Configuration
    public let notes: [String]

    public init(_ configuration: Configuration, notes: [String] = []) {
        self.configuration = configuration
        self.notes = notes
    }

    public var family: String { "vision_transformer" }
    public var imageMultiple: Int { configuration.patchSize }
    public var featureWidth: Int { configuration.width }
    public var classifierSites: [String] { configuration.hasDistillationToken ? ["head", "head_dist"] : ["head"] }
    public var poolingSites: [String] { ["fc_norm"] }

    public var nativeImageSize: (height: Int, width: Int) {
        (configuration.gridRows * configuration.patchSize, configuration.gridColumns * configuration.patchSize)
    }

    public func record(_ options: RecordingOptions) throws -> Program {
        try checkImageSize(options)
        let c = configuration
        var program = Program(batch: options.batch)
        let images = program.input(
            "images", shape: [options.batch, c.imageChannels, options.imageHeight, options.imageWidth], role: .images)
        let labels = program.input("labels", shape: [options.batch], role: .labels)

        let patches = program.patches(images, site: "patch_embed", patchSize: c.patchSize)
        var x = program.linear(
            patches, site: "patch_embed.proj", outputChannels: c.width, bias: c.hasPatchBias,
            weightShape: [c.width, c.imageChannels, c.patchSize, c.patchSize])

        var prefixes: [(name: String, tokens: Int)] = []
        if c.hasClassToken { prefixes.append(("cls_token", 1)) }
        if c.hasDistillationToken { prefixes.append(("dist_token", 1)) }
        if c.registerCount > 0 { prefixes.append(("reg_token", c.registerCount)) }
        if !prefixes.isEmpty || c.hasPositionEmbedding {
            x = program.assembleTokens(
                x, site: "pos_embed", prefixes: prefixes, position: c.hasPositionEmbedding ? "pos_embed" : nil,
                positionCoversPrefix: c.positionCoversPrefix)
        }
        if c.hasNormPre { x = program.layerNorm(x, site: "norm_pre", epsilon: c.epsilon) }

        program.endBlock(x)
        for block in 0..<c.depth {
            let rate = c.depth > 1 ? options.dropPathRate * Double(block) / Double(c.depth - 1) : 0
            x = recordBlock(x, name: "blocks.\(block)", dropPathRate: rate, in: &program)
            program.mark("blocks.\(block)", x)
            program.endBlock(x)
        }
        if c.hasFinalNorm { x = program.layerNorm(x, site: "norm", epsilon: c.epsilon) }
        program.mark("norm", x)

        let logits = recordHead(x, classCount: options.classCount, in: &program)
        let losses = program.crossEntropy(logits, labels: labels, smoothing: options.smoothing)
        program.finish(logits: logits, losses: losses)
        return program
    }

    /// `x + drop_path(ls1(attn(norm1(x))))`, then the same with the MLP.
    private func recordBlock(_ input: ValueID, name: String, dropPathRate: Double, in program: inout Program) -> ValueID
    {
        let c = configuration
        var x = input
        var branch = program.layerNorm(x, site: "\(name).norm1", epsilon: c.epsilon)
        branch = program.linear(
            branch, site: "\(name).attn.qkv", outputChannels: 3 * c.width, bias: c.hasQKVBias)
        if c.hasQKNorm {
            branch = program.queryKeyNorm(branch, site: "\(name).attn", heads: c.heads, epsilon: c.epsilon)
        }
        branch = program.attention(branch, site: "\(name).attn", heads: c.heads)
        branch = program.linear(branch, site: "\(name).attn.proj", outputChannels: c.width)
        if c.hasLayerScale { branch = program.layerScale(branch, site: "\(name).ls1", initial: c.layerScaleInit) }
        branch = program.dropPath(branch, site: "\(name).drop_path1", rate: dropPathRate)
        x = program.add(x, branch, site: "\(name).add1")

        branch = program.layerNorm(x, site: "\(name).norm2", epsilon: c.epsilon)
        branch = program.linear(branch, site: "\(name).mlp.fc1", outputChannels: c.hiddenWidth)
        branch = program.gelu(branch, site: "\(name).mlp.act")
        branch = program.linear(branch, site: "\(name).mlp.fc2", outputChannels: c.width)
        if c.hasLayerScale { branch = program.layerScale(branch, site: "\(name).ls2", initial: c.layerScaleInit) }
        branch = program.dropPath(branch, site: "\(name).drop_path2", rate: dropPathRate)
        return program.add(x, branch, site: "\(name).add2")
    }

    private func recordHead(_ tokens: ValueID, classCount: Int, in program: inout Program) -> ValueID {
        let c = configuration
        if c.hasDistillationToken && classCount > 0 {
            let heads = ["head", "head_dist"].enumerated().map { index, site in
                let token = program.pool(tokens, site: "\(site).pool", kind: .token(index))
                return program.linear(token, site: site, outputChannels: classCount)
            }
            return program.average(heads[0], heads[1], site: "head.average")
        }
        var x = program.pool(tokens, site: "pool", kind: c.poolsAverage ? .mean(first: c.prefixCount) : .token(0))
        if c.hasPooledNorm { x = program.layerNorm(x, site: "fc_norm", epsilon: c.epsilon) }
        program.mark("features", x)
        return classCount > 0 ? program.linear(x, site: "head", outputChannels: classCount) : x
    }

    public func adapted(
        _ tensors: [String: Tensor], options: RecordingOptions, resize: PositionEmbeddingResize
    ) -> [String: Tensor] {
        let c = configuration
        let rows = options.imageHeight / c.patchSize
        let columns = options.imageWidth / c.patchSize
        guard let position = tensors["pos_embed"], (rows, columns) != (c.gridRows, c.gridColumns) else {
            return tensors
        }
        let prefix = c.positionCoversPrefix ? c.prefixCount : 0
        let values = position.values
        let grid = Array(values[(prefix * c.width)...])
        let resized = resize.resize(
            grid, rows: c.gridRows, columns: c.gridColumns, channels: c.width, toRows: rows, toColumns: columns)
        var result = tensors
        result["pos_embed"] = Tensor(
            values[..<(prefix * c.width)] + resized, shape: [1, prefix + rows * columns, c.width])
        return result
    }
}
