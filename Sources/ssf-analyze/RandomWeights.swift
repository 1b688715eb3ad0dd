import Foundation
import SSFCheckpoints
import SSFCommands
import SSFModels
import SSFTensors
import SSFTuning

/// A checkpoint of an architecture whose weights are drawn, in a temporary folder: so that a measured process maps its
/// weights from a file as it would those of a real model.
struct RandomWeights {
    let path: String

    /// - Throws: `UserError` where the folder cannot be written.
    init(_ model: VisionTransformer, name: String) throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "ssf-cost-\(ProcessInfo.processInfo.processIdentifier)")
        path = folder.path
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw UserError(
                "\(path): no place for the random weights", found: SystemReason.of(error),
                remedy: "set TMPDIR to a folder you may write to, or pass --model")
        }
        do {
            let drawn = try TunedModel(
                scratch: model,
                options: TunedModel.Options(tuning: TuningConfiguration(method: "linear"), classes: ["one", "two"]))
            let heads = Set(model.classifierSites)
            var tensors: [String: Tensor] = [:]
            for parameter in drawn.parameters.specifications
            where !heads.contains(where: { parameter.name.hasPrefix($0 + ".") }) {
                tensors[parameter.name] = drawn.parameters.tensor(named: parameter.name)!.reshaped(parameter.shape)
            }
            try Safetensors.write(tensors, to: path + "/model.safetensors")
            // The heads are in no tensor.
            let heading = ["architecture": JSONValue.string(name), "num_classes": .integer(0)]
            try AtomicFile.write(Data(try JSONText.of(heading).utf8), to: path + "/config.json")
        } catch {
            remove()
            throw error
        }
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}
