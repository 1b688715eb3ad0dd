import SSFTensors

/// Names of timm's vision transformers, and of the original releases that timm takes as they are: MAE, DeiT, DeiT-3,
/// DINOv2.
///
/// Source: timm 1.0, `models/vision_transformer.py` (`checkpoint_filter_fn`, `_convert_dinov2`) and `models/deit.py`.
enum TimmKeys {
    /// What wrappers of a model put before every name.
    static let wrappers = [
        "module.", "model.", "_orig_mod.", "state_dict.", "state_dict_ema.", "model_ema.", "backbone.",
    ]

    static func translate(_ tensors: [String: Tensor], configuration: inout ModelConfiguration) -> KeyTranslation {
        var result = KeyTranslation()
        for (name, tensor) in unwrapped(tensors).sorted(by: { $0.key < $1.key }) {
            if name == "mask_token" || name.hasPrefix("pre_logits.") {
                result.leaveOut(name, because: Self.unused(name))
            } else {
                result.tensors[renamed(name)] = patchWeight(name, tensor)
            }
        }
        if result.tensors["reg_token"] != nil, tensors.keys.contains(where: { $0.hasSuffix("register_tokens") }) {
            result.foldClassPosition()
            configuration.noEmbedClass = true
        }
        return result
    }

    /// The tensors without what stands before every name.
    private static func unwrapped(_ tensors: [String: Tensor]) -> [String: Tensor] {
        var tensors = tensors
        while !tensors.isEmpty,
            let wrapper = wrappers.first(where: { wrapper in tensors.keys.allSatisfy { $0.hasPrefix(wrapper) } })
        {
            tensors = Dictionary(
                uniqueKeysWithValues: tensors.map { (String($0.key.dropFirst(wrapper.count)), $0.value) })
        }
        return tensors
    }

    private static func unused(_ name: String) -> String {
        name == "mask_token"
            ? "used in pre-training only" : "timm builds no representation layer, and a new head does without"
    }

    private static func renamed(_ name: String) -> String {
        if name == "register_tokens" { return "reg_token" }
        var parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 3, parts[0] == "blocks" else { return name }
        switch parts[2] {
        case "gamma_1" where parts.count == 3: parts[2...] = ["ls1", "gamma"]
        case "gamma_2" where parts.count == 3: parts[2...] = ["ls2", "gamma"]
        case "mlp" where parts.count == 5 && parts[3] == "w12": parts[3] = "fc1"
        case "mlp" where parts.count == 5 && parts[3] == "w3": parts[3] = "fc2"
        default: break
        }
        return parts.joined(separator: ".")
    }

    /// Very old files keep the patch embedding as the weight of a linear layer, [C, 3 * p * p].
    private static func patchWeight(_ name: String, _ tensor: Tensor) -> Tensor {
        guard name == "patch_embed.proj.weight", tensor.shape.rank == 2 else { return tensor }
        let side = Int((Double(tensor.shape[1]) / 3).squareRoot().rounded())
        guard 3 * side * side == tensor.shape[1] else { return tensor }
        return tensor.reshaped([tensor.shape[0], 3, side, side])
    }
}
