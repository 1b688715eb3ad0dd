/// What the configuration files beside a model's weights say about it, in timm's terms whatever tool wrote them.
///
/// Every field is optional: `nil` means that no file states it, and whoever builds the model takes it from the tensors,
/// from the architecture's name or from an option, and says so. For each field the documentation names where it comes
/// from in timm's `config.json` and in Hugging Face's. Counts and sizes are as stated, not checked against the tensors.
public struct ModelConfiguration: Sendable, Hashable, Codable {
    /// Which of the plain vision transformers the files name.
    public enum Family: String, Sendable, Hashable, Codable {
        case vit, deit, dinov2, mae
    }

    /// The files that were read, in order; empty for weights without a configuration.
    public var sources: [String] = []
    /// Hugging Face: `model_type`. timm: from the beginning of `architecture`.
    public var family: Family?
    /// timm: `architecture`, without a tag. Hugging Face states none.
    public var architecture: String?
    /// timm: `num_classes`. Hugging Face: the count of `id2label`, and 0 where the weights hold no classifier.
    public var numClasses: Int?
    /// The classes in head order. timm: `label_names`. Hugging Face: `id2label`, unless it holds its placeholders
    /// `LABEL_0`, `LABEL_1`, ...
    public var labelNames: [String]?
    /// What a class name means. timm: `label_descriptions`.
    public var labelDescriptions: [String: String]?
    /// timm: `global_pool` of `model_args`, else of the top level, else of `pretrained_cfg`: `token`, `avg`, ...
    /// Hugging Face: `token`.
    public var globalPool: String?
    /// The channels C. timm: `num_features` or `embed_dim`. Hugging Face: `hidden_size`.
    public var numFeatures: Int?
    /// Height and width of the images that the position embedding was made for. timm: `img_size`, else
    /// `pretrained_cfg.input_size`. Hugging Face: `image_size`.
    public var imageSize: [Int]?
    /// Height and width of a patch. timm and Hugging Face: `patch_size`.
    public var patchSize: [Int]?
    /// Blocks. timm: `depth`. Hugging Face: `num_hidden_layers`.
    public var depth: Int?
    /// Attention heads H. timm: `num_heads`. Hugging Face: `num_attention_heads`.
    public var headCount: Int?
    /// Width of the hidden layer over C. timm: `mlp_ratio`. Hugging Face: `mlp_ratio`, or `intermediate_size` over C.
    public var mlpRatio: Double?
    /// timm: no file states it (its vision transformers use 1e-6); our merged folders keep `layer_norm_eps`.
    /// Hugging Face: `layer_norm_eps`, and where it is left out the default of the `model_type`.
    public var layerNormEpsilon: Double?
    /// timm: `act_layer`. Hugging Face: `hidden_act`; `gelu` is the exact one.
    public var activation: String?
    /// Whether q, k and v have biases. timm and Hugging Face: `qkv_bias`.
    public var qkvBias: Bool?
    /// Whether q and k are normalised per head. timm: `qk_norm`.
    public var qkNorm: Bool?
    /// Whether a norm stands before the first block. timm: `pre_norm`.
    public var preNorm: Bool?
    /// Whether a norm stands after the last block. timm: `final_norm`.
    public var finalNorm: Bool?
    /// Whether that norm comes after pooling. timm: `fc_norm`.
    public var fcNorm: Bool?
    /// Whether there is a class token. timm: `class_token`.
    public var classToken: Bool?
    /// Whether the position embedding leaves out the class token and its like. timm: `no_embed_class`. True for
    /// DINOv2 with registers, whose class position is folded into the class token.
    public var noEmbedClass: Bool?
    /// Register tokens. timm: `reg_tokens`. Hugging Face: `num_register_tokens`.
    public var registerCount: Int?
    /// What layer scale began with; stated where there is layer scale. timm: `init_values`. Hugging Face:
    /// `layerscale_value`.
    public var layerScaleInit: Double?
    /// Whether the MLP is gated by SiLU (DINOv2's giant). timm: `mlp_layer`. Hugging Face: `use_swiglu_ffn`.
    public var gatedMLP: Bool?
    /// timm's `model_args` as they stand, to be written into a merged folder again.
    public var modelArguments: [String: JSONValue] = [:]
    /// timm's `pretrained_cfg` as it stands.
    public var pretrainedConfiguration: [String: JSONValue] = [:]
    /// timm: `pretrained_cfg`. Hugging Face: `preprocessor_config.json`.
    public var statedPreprocessing = PartialPreprocessing()

    public init() {}

    /// The preprocessing, where the files state the whole of it.
    public var preprocessing: Preprocessing? { statedPreprocessing.complete }
}
