/// `DeiTModel`, `DeiTForImageClassification` and `DeiTForImageClassificationWithTeacher`.
extension HuggingFaceKeys {
    /// The class with a teacher averages two heads, timm's `head` and `head_dist`; the other one has a head on the
    /// class token only, and its distillation token takes part in attention alone.
    ///
    /// Source: transformers 5.23, `models/deit/modeling_deit.py`.
    static let deit: HuggingFaceKeys = {
        var keys = vit
        keys.prefix = "deit."
        keys.outside["embeddings.distillation_token"] = "dist_token"
        keys.outside["cls_classifier"] = "head"
        keys.outside["distillation_classifier"] = "head_dist"
        return keys
    }()
}
