/// `Dinov2Model`, `Dinov2ForImageClassification` and their variants with register tokens.
extension HuggingFaceKeys {
    /// Source: transformers 5.23, `models/dinov2/modeling_dinov2.py`.
    static let dinov2 = HuggingFaceKeys(
        prefix: "dinov2.",
        outside: [
            "embeddings.cls_token": "cls_token",
            "embeddings.position_embeddings": "pos_embed",
            "embeddings.patch_embeddings.projection": "patch_embed.proj",
            "layernorm": "norm",
        ],
        block: [
            "norm1": "norm1",
            "norm2": "norm2",
            "attention.output.dense": "attn.proj",
            "attention.o_proj": "attn.proj",
            "layer_scale1.lambda1": "ls1.gamma",
            "layer_scale2.lambda1": "ls2.gamma",
            "mlp.fc1": "mlp.fc1",
            "mlp.fc2": "mlp.fc2",
            "mlp.weights_in": "mlp.fc1",
            "mlp.weights_out": "mlp.fc2",
            "mlp.down_proj": "mlp.fc2",
        ],
        // Of the gated MLP's first layer, timm's first half goes through SiLU.
        fused: [fusedAttention, ("mlp.fc1", [["mlp.gate_proj"], ["mlp.up_proj"]])],
        leftOut: [
            ("embeddings.mask_token", "used in pre-training only"),
            (
                "classifier.",
                "a head on the class token beside the mean of the patch tokens, which timm's heads are not"
            ),
        ])

    /// The registers have no positions; `KeyTranslation.foldClassPosition` brings the rest into timm's form.
    ///
    /// Source: transformers 5.23, `models/dinov2_with_registers/modeling_dinov2_with_registers.py`.
    static let dinov2WithRegisters: HuggingFaceKeys = {
        var keys = dinov2
        keys.prefix = "dinov2_with_registers."
        keys.outside["embeddings.register_tokens"] = "reg_token"
        return keys
    }()
}
