import SSFGraph
import SSFModels

/// VPT-Deep: every block has learned tokens of its own, which take the place of what the block before made of its.
///
/// - Trains: n d L numbers for n prompts of width d in L blocks, and the classifier.
/// - Begins: uniform, `VisualPrompts`.
/// - Does not merge; every block attends to n tokens more.
/// - Source: arXiv 2203.12119, equations 6 and 7; its code's dropout of prompts is left out. The standard count is that
///   of arXiv 2210.08823's tables.
public struct DeepPromptTuning: TuningMethod {
    public static let name = "vpt-deep"
    public static let summary = "learned tokens before every block (VPT-Deep)"
    public static let options = [VisualPrompts.option(50)]
    /// The number of prompts is chosen for each task.
    public static let hasUnifiedSpace = false

    private let prompts: VisualPrompts

    public init(options: TuningOptions) {
        prompts = VisualPrompts(count: options.count("prompts"))
    }

    public var mergeObstacle: String? { VisualPrompts.obstacle }

    public func attach(to program: inout Program, of model: any Model) throws {
        let blocks = try VisualPrompts.blocks(in: program, for: Self.name)
        prompts.attach(to: &program, blocks: blocks, isDeep: true)
        program.trainClassifier(of: model)
    }

    public func trainableCount(in program: Program, of model: any Model) -> Int {
        program.blocks.reduce(program.classifierCount(of: model)) {
            $0 + prompts.count * program.shape(of: $1.input)[-1]
        }
    }
}
