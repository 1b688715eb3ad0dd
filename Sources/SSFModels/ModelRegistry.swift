import SSFCheckpoints
import SSFTensors

/// The families that exist: which of them a checkpoint belongs to.
///
/// A new family is one file and one line here.
public enum ModelRegistry {
    typealias Opener = @Sendable (Checkpoint) throws -> (any Model)?

    /// Each answers nil for a checkpoint of another family.
    static let openers: [Opener] = [
        VisionTransformer.open
    ]

    /// The model that the checkpoint holds.
    ///
    /// - Throws: `UserError` that names the tensor where the checkpoint is of no known family, lacks a tensor, has one
    ///   of another shape, or has one that its model does not use.
    public static func model(for checkpoint: Checkpoint) throws -> any Model {
        for open in openers {
            if let model = try open(checkpoint) { return model }
        }
        let names = checkpoint.tensors.keys.sorted()
        throw UserError(
            "\(checkpoint.path) holds no model that is known here",
            expected: "a plain vision transformer under timm's or Hugging Face's names",
            found: names.isEmpty
                ? "no tensor" : "\(names.count) tensors, the first of them \(names.prefix(3).joined(separator: ", "))")
    }
}
