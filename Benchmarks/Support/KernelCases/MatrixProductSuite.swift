/// The matrix products of linear layers.
public let matrixProductSuite: [NamedCase] =
    TransformerShape.batches.flatMap { layers(of: $0, gradients: true) }
    + layers(of: .small, gradients: true)
    + TransformerShape.singles.flatMap { layers(of: $0, gradients: false) }
    + epilogues(of: TransformerShape.batches[2])
    + StageShape.all.flatMap { stage in
        let (m, c, h) = (stage.rows, stage.channels, stage.hidden)
        return products(stage.name, "fc1", m: m, n: h, k: c, passes: ["forward", "input", "weight"])
            + products(stage.name, "fc2", m: m, n: c, k: h, passes: ["forward"])
    }

/// The four linear layers of a block; with `gradients` dx of each, and dW of one.
private func layers(of shape: TransformerShape, gradients: Bool) -> [NamedCase] {
    let (m, width) = (shape.rows, shape.width)
    let layers = [
        ("qkv", 3 * width, width), ("proj", width, width), ("fc1", shape.hidden, width), ("fc2", width, shape.hidden),
    ]
    return layers.flatMap { layer, n, k in
        let passes = gradients ? ["forward", "input"] + (layer == "fc1" ? ["weight"] : []) : ["forward"]
        return products(shape.name, layer, m: m, n: n, k: k, passes: passes)
    }
}

/// The same product with a bias, bias and SSF, and a GELU behind these; and packing the weight in every call.
private func epilogues(of shape: TransformerShape) -> [NamedCase] {
    let (m, n, k) = (shape.rows, shape.width, shape.width)
    let line = "gemm m=\(m) n=\(n) k=\(k)"
    return [
        NamedCase(shape.name, "proj + bias, \(m)x\(n)x\(k)", line + " epilogue=bias"),
        NamedCase(shape.name, "proj + bias + SSF, \(m)x\(n)x\(k)", line + " epilogue=scale-shift"),
        NamedCase(shape.name, "proj + bias + SSF + GELU, \(m)x\(n)x\(k)", line + " epilogue=gelu"),
        NamedCase(shape.name, "proj packing its weight too, \(m)x\(n)x\(k)", line + " pack=call"),
    ]
}

/// Each pass in single precision and in bfloat16.
private func products(_ model: String, _ layer: String, m: Int, n: Int, k: Int, passes: [String]) -> [NamedCase] {
    let words = ["forward": "forward", "input": "dx", "weight": "dW"]
    return passes.flatMap { pass in
        ["f32", "bf16"].map { type in
            NamedCase(
                model, "\(layer) \(words[pass]!), \(m)x\(n)x\(k)",
                "gemm m=\(m) n=\(n) k=\(k) pass=\(pass) dtype=\(type)")
        }
    }
}
