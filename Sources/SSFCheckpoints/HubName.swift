import SSFTensors

/// Names of models on the Hugging Face hub, for which the command that downloads them is printed: nothing is ever
/// downloaded from here.
enum HubName {
    /// The error for a path at which nothing stands.
    static func missing(_ path: String) -> UserError {
        guard let repository = repository(path) else {
            return UserError(
                "\(path): there is no such file or folder",
                expected: "a .safetensors file, or a folder with model.safetensors and config.json")
        }
        let folder = repository.split(separator: "/").last.map(String.init) ?? repository
        let files =
            ["config.json"] + (repository.hasPrefix("timm/") ? [] : ["preprocessor_config.json"]) + [
                "model.safetensors"
            ]
        return UserError(
            "\(path): there is no such file or folder; the name looks like a model on the Hugging Face hub",
            remedy: """
                download it, then name the folder:
                pip install huggingface_hub && hf download \(repository) \(files.joined(separator: " ")) --local-dir \(folder)
                --model \(folder)
                """)
    }

    /// The repository that a name means, or `nil` for what can only be a path.
    ///
    /// `hf-hub:owner/name` and `owner/name` mean themselves, timm's `name.tag` is `timm/name.tag`, and a timm name
    /// without a tag gets the tag that timm would choose.
    static func repository(_ text: String) -> String? {
        var name = text
        for scheme in ["hf-hub:", "hf_hub:", "https://huggingface.co/", "hf.co/"] where name.hasPrefix(scheme) {
            name.removeFirst(scheme.count)
        }
        while name.hasSuffix("/") { name.removeLast() }
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy(isName) else { return nil }
        if let ending = parts.last?.split(separator: ".").last, fileEndings.contains(String(ending)), name.contains(".")
        {
            return nil
        }
        if parts.count == 2 { return parts[0] == "timm" ? "timm/" + tagged(String(parts[1])) : name }
        guard families.contains(where: name.hasPrefix) else { return nil }
        return "timm/" + tagged(name)
    }

    /// What a part of a repository's name is made of.
    private static func isName(_ text: Substring) -> Bool {
        guard let first = text.first, first.isLetter || first.isNumber else { return false }
        return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
    }

    private static let fileEndings: Set<String> = [
        "safetensors", "json", "bin", "pth", "pt", "npz", "yaml", "yml", "csv", "txt",
    ]

    private static let families = [
        "vit_", "deit_", "deit3_", "swin_", "swinv2_", "convnext", "beit_", "beitv2_", "eva02_",
    ]

    private static func tagged(_ name: String) -> String {
        if name.contains(".") { return name }
        return defaultTags[name].map { "\(name).\($0)" } ?? name
    }

    /// timm 1.0's default tag of the plain vision transformers that people tune
    /// (`timm.models.get_pretrained_cfg(name).tag`).
    private static let defaultTags: [String: String] = [
        "vit_tiny_patch16_224": "augreg_in21k_ft_in1k",
        "vit_tiny_patch16_384": "augreg_in21k_ft_in1k",
        "vit_small_patch16_224": "augreg_in21k_ft_in1k",
        "vit_small_patch16_384": "augreg_in21k_ft_in1k",
        "vit_small_patch32_224": "augreg_in21k_ft_in1k",
        "vit_base_patch16_224": "augreg2_in21k_ft_in1k",
        "vit_base_patch16_384": "augreg_in21k_ft_in1k",
        "vit_base_patch32_224": "augreg_in21k_ft_in1k",
        "vit_base_patch8_224": "augreg2_in21k_ft_in1k",
        "vit_large_patch16_224": "augreg_in21k_ft_in1k",
        "vit_small_patch14_dinov2": "lvd142m",
        "vit_base_patch14_dinov2": "lvd142m",
        "vit_large_patch14_dinov2": "lvd142m",
        "vit_small_patch14_reg4_dinov2": "lvd142m",
        "vit_base_patch14_reg4_dinov2": "lvd142m",
        "deit_tiny_patch16_224": "fb_in1k",
        "deit_small_patch16_224": "fb_in1k",
        "deit_base_patch16_224": "fb_in1k",
        "deit_tiny_distilled_patch16_224": "fb_in1k",
        "deit_small_distilled_patch16_224": "fb_in1k",
        "deit_base_distilled_patch16_224": "fb_in1k",
        "deit3_small_patch16_224": "fb_in1k",
        "deit3_base_patch16_224": "fb_in1k",
    ]
}
