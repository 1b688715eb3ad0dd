import KernelCases
import SSFCheckpoints
import SSFGraph
import SSFModels
import SSFTuning

/// Where the model of a step comes from, and what can be known of the step without its weights.
extension StepCase {
    enum Source {
        /// Random weights.
        case scratch(VisionTransformer)
        case checkpoint(Checkpoint)
    }

    /// timm's names; widths and heads of arXiv 2012.12877 (Ti, S) and 2010.11929 (B, L).
    private static let shapes: [String: (width: Int, depth: Int, heads: Int)] = [
        "vit_tiny_patch16_224": (192, 12, 3), "vit_small_patch16_224": (384, 12, 6),
        "vit_base_patch16_224": (768, 12, 12), "vit_large_patch16_224": (1024, 24, 16),
    ]

    func source() throws -> Source {
        if let shape = Self.shapes[model] {
            return .scratch(
                VisionTransformer(
                    .init(
                        width: shape.width, depth: shape.depth, heads: shape.heads, patchSize: 16, imageHeight: size,
                        imageWidth: size)))
        }
        guard model.contains("/") else {
            let names = Self.shapes.keys.sorted().joined(separator: ", ")
            throw CaseError("no model \(model); a folder has a / in it, and by name there are: \(names)")
        }
        return .checkpoint(try Checkpoint.load(model))
    }

    /// The model with the method attached.
    func tunedModel() throws -> TunedModel {
        var options = TunedModel.Options(
            tuning: .init(method: method), classes: (0..<classCount).map { "class \($0)" }, imageSize: (size, size))
        options.precision = precision
        options.recomputesBlocks = recomputes
        return switch try source() {
        case .scratch(let model): try TunedModel(scratch: model, options: options)
        case .checkpoint(let checkpoint): try TunedModel(checkpoint: checkpoint, options: options)
        }
    }

    var mode: ExecutionMode { kind == .train ? .training : .inference }

    /// Operations of a step without AdamW; those that are computed a second time only where `recomputing`.
    func flops(recomputing: Bool) throws -> Int {
        let model: any Model =
            switch try source() {
            case .scratch(let model): model
            case .checkpoint(let checkpoint): try ModelRegistry.model(for: checkpoint)
            }
        var program = try model.record(
            RecordingOptions(batch: batch, imageHeight: size, imageWidth: size, classCount: classCount))
        try TuningRegistry.method(.init(method: method)).attach(to: &program, of: model)
        let flops = Executor.flops(of: program, mode: mode, recomputesBlocks: recomputing)
        return flops.forward + flops.backward
    }
}
