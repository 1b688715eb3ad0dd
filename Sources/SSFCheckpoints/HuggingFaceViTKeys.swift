/// `ViTModel` and `ViTForImageClassification`, and the masked autoencoder that shares their names.
extension HuggingFaceKeys {
    /// Source: transformers 5.23, `models/vit/modeling_vit.py`.
    static let vit = HuggingFaceKeys(
        prefix: "vit.",
        outside: [
            "embeddings.cls_token": "cls_token",
            "embeddings.position_embeddings": "pos_embed",
            "embeddings.patch_embeddings.projection": "patch_embed.proj",
            "layernorm": "norm",
            "classifier": "head",
        ],
        block: [
            "layernorm_before": "norm1",
            "layernorm_after": "norm2",
            "attention.output.dense": "attn.proj",
            "attention.o_proj": "attn.proj",
            "intermediate.dense": "mlp.fc1",
            "mlp.fc1": "mlp.fc1",
            "output.dense": "mlp.fc2",
            "mlp.fc2": "mlp.fc2",
        ],
        fused: [fusedAttention],
        leftOut: [
            ("pooler.", "timm reads the class token without a pooler"),
            ("embeddings.mask_token", "used in pre-training only"),
        ])

    /// Source: transformers 5.23, `models/vit_mae/modeling_vit_mae.py`.
    static let mae: HuggingFaceKeys = {
        var keys = vit
        keys.leftOut += [
            ("decoder.", "used in pre-training only"),
            ("mask_token", "used in pre-training only"),
        ]
        return keys
    }()
}
