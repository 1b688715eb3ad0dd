import SSFCheckpoints
import SSFTensors

/// The weights of a tuned model, its tuning merged, under timm's names.
package struct ModelWeights {
    package let name: String
    package let path: String
    /// The tuning method; nil for a checkpoint, which does not say.
    package let method: String?
    package let tensors: [String: Tensor]
    /// What the method trained; empty for a checkpoint.
    package let adapter: [String: Tensor]
    /// The model that an adapter was trained on.
    package let pretrained: Checkpoint?
}

extension ModelListOptions {
    /// The weights of a model of the list: those of a checkpoint, or of base and adapter merged in memory.
    ///
    /// - Parameters:
    ///   - base: the base of an adapter; nil to look where it was.
    /// - Throws: `UserError` that names the model: one that cannot be opened, whose method does not merge, or whose base
    ///   began at random.
    package func weights(of model: (name: String, path: String)) throws -> ModelWeights {
        guard AdapterFolder.isAdapter(RunFolder.adapter("best", of: model.path)) else {
            return ModelWeights(
                name: model.name, path: model.path, method: nil, tensors: try Checkpoint.load(model.path).tensors,
                adapter: [:], pretrained: nil)
        }
        let opened = try OpenedModel.open(
            adapterOrRun: model.path, base: base, stated: PartialPreprocessing(), precision: .float32)
        guard case .checkpoint(let pretrained) = opened.base else {
            throw UserError(
                "\(model.path) was trained from random weights: there is nothing pre-trained to compare it with")
        }
        do {
            return ModelWeights(
                name: model.name, path: model.path, method: opened.model.method.name,
                tensors: try opened.model.merged(), adapter: opened.adapter?.tensors ?? [:], pretrained: pretrained)
        } catch var error as UserError {
            error.what = "\(model.path): \(error.what)"
            error.remedy = error.remedy ?? "leave it out: it leaves the weights of its base as they are"
            throw error
        }
    }
}
