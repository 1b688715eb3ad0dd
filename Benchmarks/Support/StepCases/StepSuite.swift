import KernelCases

/// Whole models: a step of SSF and of full tuning, and inference.
public let stepSuite: [NamedCase] =
    ["f32", "bf16"].flatMap { precision in
        [
            named("ViT-Ti/16@64 x64, SSF step", "train model=vit_tiny_patch16_224 size=64 batch=64", precision),
            named("ViT-B/16 x16, SSF step", "train batch=16", precision),
            named("ViT-B/16 x16, SSF step, blocks recomputed", "train batch=16 recompute=yes", precision),
            named("ViT-Ti/16@64 x64, inference", "infer model=vit_tiny_patch16_224 size=64 batch=64", precision),
            named("ViT-B/16 x1, inference", "infer batch=1", precision),
            named("ViT-B/16 x16, inference", "infer batch=16", precision),
        ]
    } + [
        named("ViT-Ti/16@64 x64, full step", "train model=vit_tiny_patch16_224 size=64 batch=64 method=full", "f32"),
        named("ViT-B/16 x16, full step", "train batch=16 method=full", "f32"),
    ]

private func named(_ name: String, _ line: String, _ precision: String) -> NamedCase {
    do {
        return NamedCase(name: "\(name), \(precision)", try StepCase(line: "\(line) precision=\(precision)"))
    } catch {
        fatalError("\(line): \(error)")
    }
}
