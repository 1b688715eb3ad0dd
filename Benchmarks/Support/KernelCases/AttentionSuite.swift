/// Attention of whole images, in both precisions, and in the windows of Swin.
public let attentionSuite: [NamedCase] =
    (TransformerShape.batches + [TransformerShape.small] + TransformerShape.singles).flatMap { shape in
        ["f32", "bf16"].flatMap { precision in
            attention(
                shape.name, batch: shape.batch, tokens: shape.tokens, heads: shape.heads, width: 64,
                precision: precision)
        }
    }
    + StageShape.all.flatMap { stage in
        attention(
            stage.swin, batch: stage.windows, tokens: StageShape.window * StageShape.window, heads: stage.heads,
            width: 32)
    }

private func attention(_ model: String, batch: Int, tokens: Int, heads: Int, width: Int, precision: String = "f32")
    -> [NamedCase]
{
    let type = precision == "f32" ? "" : ", \(precision)"
    return ["forward", "backward"].map { pass in
        NamedCase(
            model, "attention \(pass), \(batch)x\(heads)x\(tokens)x\(width)\(type)",
            "attention batch=\(batch) tokens=\(tokens) heads=\(heads) width=\(width) pass=\(pass) dtype=\(precision)")
    }
}
