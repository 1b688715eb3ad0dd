import SSFTensors

/// The names that the SSF reference implementation gives to scales and shifts of a vision transformer, in a state dict
/// that holds backbone, scales, shifts and head together.
///
///     patch_embed.proj      patch_embed.ssf_scale_1     patch_embed.ssf_shift_1
///     blocks.i.norm1        blocks.i.ssf_scale_1        ...
///     blocks.i.norm2        blocks.i.ssf_scale_2
///     blocks.i.attn.qkv     blocks.i.attn.ssf_scale_1
///     blocks.i.attn.proj    blocks.i.attn.ssf_scale_2
///     blocks.i.mlp.fc1      blocks.i.mlp.ssf_scale_1
///     blocks.i.mlp.fc2      blocks.i.mlp.ssf_scale_2
///     norm                  ssf_scale_1
///
/// - Source: `models/vision_transformer.py` of github.com/dongzelian/SSF.
public enum SSFReferenceKeys {
    /// The module that owns the parameters of a site, and their number in it: by the last component of the site.
    private static let numbers = [
        "proj": 1, "norm1": 1, "norm2": 2, "qkv": 1, "fc1": 1, "fc2": 2, "norm": 1,
    ]

    /// The reference's name of `<site>.scale` or `<site>.shift`; nil for a site that it does not modulate.
    public static func name(of parameter: String) -> String? {
        let parts = parameter.split(separator: ".").map(String.init)
        guard parts.count >= 2, let kind = parts.last, kind == "scale" || kind == "shift" else { return nil }
        let site = parts[parts.count - 2]
        guard var number = numbers[site] else { return nil }
        let owner = parts.dropLast(2).map { $0 + "." }.joined()
        // The projection behind attention comes second; the one of the patches is alone.
        if site == "proj", owner.hasSuffix("attn.") { number = 2 }
        return "\(owner)ssf_\(kind)_\(number)"
    }

    /// Whether a state dict is the reference's.
    public static func recognises(_ tensors: [String: Tensor]) -> Bool {
        tensors.keys.contains { $0.contains("ssf_scale_") }
    }

    /// Takes a state dict of the reference apart.
    ///
    /// - Returns: scales and shifts as `<site>.scale` and `<site>.shift`, and all other tensors under their own names.
    /// - Throws: A `UserError` that names a scale or shift without a place here, as those of a batch norm would be.
    public static func separate(
        _ tensors: [String: Tensor], path: String
    ) throws -> (adapter: [String: Tensor], rest: [String: Tensor]) {
        var adapter: [String: Tensor] = [:]
        var rest: [String: Tensor] = [:]
        for (written, tensor) in tensors {
            let name = written.hasPrefix("module.") ? String(written.dropFirst("module.".count)) : written
            guard name.contains("ssf_scale_") || name.contains("ssf_shift_") else {
                rest[name] = tensor
                continue
            }
            guard let parameter = parameter(of: name) else {
                throw UserError(
                    "\(path): \(written) has no place in a vision transformer",
                    expected: "names such as blocks.0.attn.ssf_scale_1")
            }
            adapter[parameter] = tensor
        }
        return (adapter, rest)
    }

    /// `<site>.scale` or `<site>.shift` of the reference's name.
    private static func parameter(of name: String) -> String? {
        var parts = name.split(separator: ".").map(String.init)
        let words = parts.removeLast().split(separator: "_").map(String.init)
        guard words.count == 3, words[0] == "ssf", let number = Int(words[2]) else { return nil }
        let owner = parts.map { $0 + "." }.joined()
        let candidates: [String]
        switch parts.last {
        case nil: candidates = ["norm"]
        case "patch_embed": candidates = ["proj"]
        case "attn": candidates = ["qkv", "proj"]
        case "mlp": candidates = ["fc1", "fc2"]
        default: candidates = ["norm1", "norm2"]
        }
        guard candidates.indices.contains(number - 1) else { return nil }
        return "\(owner)\(candidates[number - 1]).\(words[1])"
    }
}
