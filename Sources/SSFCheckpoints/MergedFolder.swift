import Foundation
import SSFTensors

/// A whole model in one folder, which stock timm loads: `timm.create_model("local-dir:<path>")`.
///
///     model.safetensors   all tensors, timm's names
///     config.json         architecture, model_args, classes, preprocessing
///     README.md           model card (optional)
public struct MergedFolder: Sendable {
    /// timm's names, in the types that are to be written.
    public var tensors: [String: Tensor]
    /// Of the model as it is: architecture, head count, epsilon, model arguments. Sizes, classes and preprocessing in
    /// it are not looked at: those of the tensors and the fields below are written.
    public var configuration: ModelConfiguration
    /// The classes K, in the order of the head's rows.
    public var labelNames: [String]
    public var labelDescriptions: [String: String]?
    public var preprocessing: Preprocessing
    public var modelCard: String?

    public init(
        tensors: [String: Tensor], configuration: ModelConfiguration, labelNames: [String],
        labelDescriptions: [String: String]? = nil, preprocessing: Preprocessing, modelCard: String? = nil
    ) {
        self.tensors = tensors
        self.configuration = configuration
        self.labelNames = labelNames
        self.labelDescriptions = labelDescriptions
        self.preprocessing = preprocessing
        self.modelCard = modelCard
    }

    /// Writes the folder as a whole. What stands at the path is never replaced, but for an empty folder: it may be the
    /// base of other adapters, or hold files of someone's own.
    ///
    /// - Returns: What timm will see otherwise than this model, in sentences to be shown; mostly none.
    /// - Throws: A `UserError` that names the path or the field.
    @discardableResult
    public func write(to path: String) throws -> [String] {
        let description = try TimmDescription(self)
        try AtomicFolder.write(to: path) { folder in
            try Safetensors.write(description.tensors, to: join(folder, "model.safetensors"))
            try AtomicFile.write(JSONFile.data(description.config), to: join(folder, "config.json"))
            if let modelCard { try AtomicFile.write(Data(modelCard.utf8), to: join(folder, "README.md")) }
        }
        return description.notes
    }

    /// Says before anything is computed whether a folder can be written to a path.
    ///
    /// - Throws: A `UserError` that names what stands there already.
    public static func checkPlace(_ path: String) throws {
        let kind = PathKind(path)
        if kind == .absent { return }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? ["?"]
        guard kind == .folder && names.isEmpty else {
            throw UserError(
                "\(path): exists and is not replaced",
                found: kind == .folder ? "a folder that holds \(names.sorted()[0])" : "a file of this name",
                remedy: "choose another --output")
        }
    }
}
