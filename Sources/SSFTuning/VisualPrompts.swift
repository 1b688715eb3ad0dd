import SSFGraph
import SSFModels
import SSFTensors

/// What shallow and deep prompts share: where the tokens go, how they begin, and how they leave again.
///
/// Prompts stand behind the prefix tokens (class, distillation, registers) and before the patches, and have no position
/// embedding. Before the last norm they are taken out, so that pooling sees the tokens it would see without them: the
/// class token, or the mean of the patches.
struct VisualPrompts {
    let count: Int

    /// As VPT's code: U(-v, v), v = sqrt(6 / (K + d)) with K the numbers of a patch and d the width.
    private func initializer(in program: Program, width: Int) -> Initializer {
        let patch = program.operations.first { $0 is PatchesOperation }
        let numbers = patch.map { program.shape(of: $0.wiring.output)[-1] } ?? width
        return .xavierUniform(inputs: numbers, outputs: width)
    }

    /// The blocks that attend among tokens.
    ///
    /// - Throws: `UserError` for a model of another kind.
    static func blocks(in program: Program, for method: String) throws -> [Block] {
        let blocks = program.blocks
        let attends = program.operations.contains { $0 is AttentionOperation }
        guard attends, let first = blocks.first, program.shape(of: first.input).rank == 3 else {
            throw UserError(
                "\(method) does not fit this model", expected: "blocks of attention among tokens", found: "none",
                remedy: "choose another method")
        }
        return blocks
    }

    /// Puts prompts before the first block, and new ones in their place before each of the others that are named.
    func attach(to program: inout Program, blocks: [Block], isDeep: Bool) {
        let prefix = program.prefixTokenCount
        let width = program.shape(of: blocks[0].input)[2]
        let initializer = initializer(in: program, width: width)
        for (index, block) in blocks.enumerated() where index == 0 || isDeep {
            program.splice(after: program.producerIndex(of: block.input)!) { program, tokens in
                let prompts = program.parameter(
                    "\(block.name).prompts", shape: [1, count, width], initializer: initializer)
                program.train(prompts, decays: true)
                return program.replaceTokens(
                    tokens, site: "\(block.name).prompts", first: prefix, dropped: index == 0 ? 0 : count, by: prompts)
            }
        }
        program.splice(after: program.producerIndex(of: blocks[blocks.count - 1].output)!) { [count] program, tokens in
            program.replaceTokens(tokens, site: "prompts.out", first: prefix, dropped: count)
        }
    }

    static let obstacle = "prompts are tokens that the model reads, which no weight of the base can stand for"

    static func option(_ standard: Int) -> TuningOption {
        TuningOption("prompts", .count(1...4096), standard: .integer(standard), help: "how many prompt tokens")
    }
}

extension Program {
    /// Tokens that a model puts before the patches: class, distillation, registers. Prompts stand behind them.
    package var prefixTokenCount: Int {
        guard let assembly = operations.first(where: { $0 is AssembleTokensOperation }) else { return 0 }
        return shape(of: assembly.wiring.output)[1] - shape(of: assembly.wiring.inputs[0])[1]
    }
}
