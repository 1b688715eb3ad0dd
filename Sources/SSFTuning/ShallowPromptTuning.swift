import SSFGraph
import SSFModels

/// VPT-Shallow: learned tokens join the class token and the patches before the first block.
///
/// - Trains: n d numbers for n prompts of width d, and the classifier.
/// - Begins: uniform, `VisualPrompts`.
/// - Does not merge; every block attends to n tokens more.
/// - Source: arXiv 2203.12119, equations 4 and 5. The standard count is that of arXiv 2210.08823's tables.
public struct ShallowPromptTuning: TuningMethod {
    public static let name = "vpt-shallow"
    public static let summary = "learned tokens before the first block (VPT-Shallow)"
    public static let options = [VisualPrompts.option(200)]
    /// The number of prompts is chosen for each task.
    public static let hasUnifiedSpace = false

    private let prompts: VisualPrompts

    public init(options: TuningOptions) {
        prompts = VisualPrompts(count: options.count("prompts"))
    }

    public var mergeObstacle: String? { VisualPrompts.obstacle }

    public func attach(to program: inout Program, of model: any Model) throws {
        let blocks = try VisualPrompts.blocks(in: program, for: Self.name)
        prompts.attach(to: &program, blocks: blocks, isDeep: false)
        program.trainClassifier(of: model)
    }

    public func trainableCount(in program: Program, of model: any Model) -> Int {
        guard let first = program.blocks.first else { return program.classifierCount(of: model) }
        return program.classifierCount(of: model) + prompts.count * program.shape(of: first.input)[-1]
    }
}
