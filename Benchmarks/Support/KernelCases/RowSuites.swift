// Kernels over rows and elements: normalisation, activations, and what a training step has beside its layers.

/// Layer normalisation with SSF folded in, and scale and shift alone.
public let normalizationSuite: [NamedCase] =
    (TransformerShape.batches.map { ($0.name, $0.rows, $0.width) }
    + [(TransformerShape.small.name, TransformerShape.small.rows, TransformerShape.small.width)]
    // Far larger than the caches, where memory is the limit.
    + [("ViT-B/16 x256", 256 * 197, 768)]
    + StageShape.all.map { ($0.name, $0.rows, $0.channels) })
    .flatMap { model, rows, channels in
        ["forward", "backward"].flatMap { pass in
            let arguments = "rows=\(rows) channels=\(channels) pass=\(pass)"
            return [
                NamedCase(model, "LayerNorm and SSF \(pass), \(rows)x\(channels)", "layer-norm \(arguments)"),
                NamedCase(model, "scale and shift \(pass), \(rows)x\(channels)", "scale-shift \(arguments)"),
            ]
        }
    }

/// GELU, and softmax by itself.
public let activationSuite: [NamedCase] =
    (TransformerShape.batches.map { ($0.name, $0.rows, $0.hidden) }
    + [(TransformerShape.small.name, TransformerShape.small.rows, TransformerShape.small.hidden)]
    + StageShape.all.map { ($0.name, $0.rows, $0.hidden) })
    .flatMap { model, rows, hidden in
        ["forward", "backward"].map { pass in
            NamedCase(model, "GELU \(pass), \(rows)x\(hidden)", "gelu count=\(rows * hidden) pass=\(pass)")
        }
    }
    + (TransformerShape.batches + [TransformerShape.small]).flatMap { shape in
        let rows = shape.batch * shape.heads * shape.tokens
        return ["forward", "backward"].map { pass in
            NamedCase(
                shape.name, "softmax \(pass), \(rows)x\(shape.tokens)",
                "softmax rows=\(rows) columns=\(shape.tokens) pass=\(pass)")
        }
    }

/// What a step has beside its layers: patches, residual sums, gradients of biases, loss, optimiser.
public let trainingSuite: [NamedCase] =
    (TransformerShape.batches + [TransformerShape.small]).flatMap { shape in
        let (rows, width) = (shape.rows, shape.width)
        return [
            NamedCase(shape.name, "residual sum, \(rows)x\(width)", "elementwise count=\(rows * width) function=add"),
            NamedCase(shape.name, "gradient of a bias, \(rows)x\(width)", "column-sum rows=\(rows) channels=\(width)"),
        ]
    } + [
        NamedCase("224x224 x16", "patches of 16", "patches batch=16 size=224 patch=16"),
        NamedCase("64x64 x64", "patches of 16", "patches batch=64 size=64 patch=16"),
        NamedCase("1000 classes x64", "cross-entropy", "cross-entropy batch=64 classes=1000"),
        NamedCase("SSF of ViT-B/16", "AdamW, 205824", "adamw count=205824"),
        NamedCase("full ViT-B/16", "AdamW, 85798656", "adamw count=85798656"),
        NamedCase("SSF of ViT-B/16", "SGD, 205824", "sgd count=205824"),
        NamedCase("full ViT-B/16", "SGD, 85798656", "sgd count=85798656"),
    ]

/// A parallel region that does nothing.
public let regionSuite: [NamedCase] = [NamedCase("thread team", "empty parallel region", "region")]
