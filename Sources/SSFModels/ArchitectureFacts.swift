/// What timm's name of a plain vision transformer says and no tensor shows.
///
/// - Source: the entry points of `vision_transformer.py` and `deit.py`, timm 1.0.31; the whole table of names is a
///   golden of the tests.
package struct ArchitectureFacts: Sendable {
    /// Attention heads; nil where neither the name nor its size tells.
    package let heads: Int?
    /// Of the norms.
    package let epsilon: Double
    /// The activation of the MLP where it is not the exact GELU.
    package let otherActivation: String?

    /// The facts of a name, for a model of this width.
    package init(_ name: String, width: Int) {
        if let heads = Self.headsByName[name], width % heads == 0 {
            self.heads = heads
        } else {
            heads = Self.headsBySize.first { name.contains("_\($0.size)_") && width % $0.heads == 0 }?.heads
        }
        epsilon = name.contains("_clip_") ? 1e-5 : 1e-6
        if name.contains("quickgelu") {
            otherActivation = "QuickGELU"
        } else {
            otherActivation = Self.tanhNames.contains(where: name.hasPrefix) ? "GELU by tanh" : nil
        }
    }

    /// Heads by the size in a name; the first that matches counts.
    private static let headsBySize: [(size: String, heads: Int)] = [
        ("so400m", 16), ("so150m2", 13), ("so150m", 14), ("mediumd", 8), ("betwixt", 10), ("gigantic", 16),
        ("giant", 16), ("huge", 16), ("large", 16), ("base", 12), ("medium", 8), ("little", 5), ("small", 6),
        ("wee", 4), ("tiny", 3),
    ]

    /// Names whose heads differ from those of their size.
    private static let headsByName = [
        "vit_base_patch16_gap_224": 16, "vit_giant_patch16_radio_v3": 24, "test_vit": 2, "test_vit2": 2,
    ]

    private static let tanhNames = [
        "vit_base_patch32_siglip", "vit_giantopt_patch16_siglip", "vit_large_patch16_siglip_512",
        "vit_large_patch16_siglip_gap_512", "vit_so400m_patch16_siglip",
    ]
}
