/// A plain vision transformer at one batch size: `ViT-B/16 x1` is one image of 224x224 pixels, `@64` is 64x64.
struct TransformerShape {
    let name: String
    let batch: Int
    /// Patches and the class token.
    let tokens: Int
    let width: Int
    /// Of attention, each `width / heads` wide, which is 64 in all of these.
    let heads: Int

    var rows: Int { batch * tokens }
    /// Of the MLP.
    var hidden: Int { 4 * width }

    /// Touvron et al., arXiv 2012.12877 (Ti, S), and Dosovitskiy et al., arXiv 2010.11929 (B, L); patches of 16.
    private static let models = [("Ti", 192, 3), ("S", 384, 6), ("B", 768, 12), ("L", 1024, 16)]

    /// 224x224 pixels, 16 images.
    static let batches = models.map {
        TransformerShape(name: "ViT-\($0.0)/16 x16", batch: 16, tokens: 197, width: $0.1, heads: $0.2)
    }
    /// 224x224 pixels, one image: what prediction has, and where a matrix has few rows.
    static let singles = models.map {
        TransformerShape(name: "ViT-\($0.0)/16 x1", batch: 1, tokens: 197, width: $0.1, heads: $0.2)
    }
    /// 64x64 pixels, 64 images.
    static let small = TransformerShape(name: "ViT-Ti/16@64 x64", batch: 64, tokens: 17, width: 192, heads: 3)
}

/// A stage of a hierarchical model at 224x224 pixels, 16 images. The MLP of a ConvNeXt block (Liu et al.,
/// arXiv 2201.03545) has the shape of that of a Swin block (Liu et al., arXiv 2103.14030).
struct StageShape {
    /// For what the two models have in common.
    let name: String
    /// For what Swin has alone.
    let swin: String
    let batch = 16
    /// Pixels along a side of the feature map.
    let side: Int
    let channels: Int
    /// Of Swin's attention, each 32 wide.
    let heads: Int

    /// Along a side of Swin's windows.
    static let window = 7

    var rows: Int { batch * side * side }
    var hidden: Int { 4 * channels }
    var windows: Int { rows / (Self.window * Self.window) }

    static let all = [("T", 96), ("B", 128)].flatMap { size, channels in
        (0..<4).map { index in
            StageShape(
                name: "Swin/ConvNeXt-\(size) stage \(index + 1) x16",
                swin: "Swin-\(size) stage \(index + 1) x16", side: 56 >> index, channels: channels << index,
                heads: (channels / 32) << index)
        }
    }
}
