import SSFGraph
import SSFTensors
import SSFTuning

/// Which tokens of a layer are taken as an image's features.
package enum TokenChoice: String, CaseIterable, Sendable, Codable {
    /// The class token: C numbers an image.
    case classToken = "class"
    /// The mean of the patch tokens, without class, distillation and register tokens: C numbers an image.
    case mean
    /// Every token of the pre-trained model: N x C numbers an image. A method's prompts are never among them.
    case all
}

/// A model that is looked into: what it is called in figures, and the layers that it has.
///
/// Layers have the names under which a model marks its values: `blocks.0` is what the first block returns, `norm` the
/// last norm's output, `features` what the classifier sees.
package struct AnalyzedModel {
    package let name: String
    /// What the command line named; nil for a model that was derived from another.
    package let path: String?
    package let opened: OpenedModel

    package init(name: String, path: String?, opened: OpenedModel) {
        (self.name, self.path, self.opened) = (name, path, opened)
    }

    package var tuned: TunedModel { opened.model }

    /// The layers that can be looked at.
    package var marks: [String] { tuned.baseProgram.marks.keys.sorted() }

    /// What the blocks return, in order: `blocks.0`, `blocks.1`, ...
    package var blockMarks: [String] {
        (0...).lazy.map { "blocks.\($0)" }.prefix { tuned.baseProgram.marks[$0] != nil }.map { $0 }
    }

    /// Whether the first token is a class token.
    package var hasClassToken: Bool { tuned.baseProgram.parameterID(named: "cls_token") != nil }

    /// How the features of an image at a layer are laid out: tokens x width.
    ///
    /// - Throws: `UserError` for a layer that this model does not have, and where there is no class token to take.
    package func extent(of mark: String, _ tokens: TokenChoice) throws -> (tokens: Int, width: Int) {
        let program = tuned.baseProgram
        guard let value = program.marks[mark] else {
            throw UserError(
                "the model \(name) has no layer \(mark)", expected: marks.joined(separator: ", "))
        }
        let shape = program.shape(of: value)
        guard shape.rank == 3 else { return (1, shape[-1]) }
        if tokens == .classToken && !hasClassToken {
            throw UserError(
                "the model \(name) has no class token", remedy: "take the mean of the patches instead: --tokens mean")
        }
        return (tokens == .all ? shape[1] : 1, shape[2])
    }

    /// The model before it was tuned; nil where that is not known.
    package func pretrained(name: String) throws -> AnalyzedModel? {
        try opened.pretrained().map { AnalyzedModel(name: name, path: nil, opened: $0) }
    }

    /// Of the weights of the base: models with the same one were tuned from the same checkpoint.
    package var baseChecksum: String { opened.base.checksum }
}
