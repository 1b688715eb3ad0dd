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

    /// Writes the folder as a whole. An earlier merged folder is replaced; any other folder is not.
    ///
    /// - Returns: What timm will see otherwise than this model, in sentences to be shown; mostly none.
    /// - Throws: A `UserError` that names the path or the field.
    @discardableResult
    public func write(to path: String) throws -> [String] {
        let description = try TimmDescription(self)
        try AtomicFolder.write(to: path, replacing: Self.isMerged) { folder in
            try Safetensors.write(description.tensors, to: join(folder, "model.safetensors"))
            try AtomicFile.write(JSONFile.data(description.config), to: join(folder, "config.json"))
            if let modelCard { try AtomicFile.write(Data(modelCard.utf8), to: join(folder, "README.md")) }
        }
        return description.notes
    }

    /// Whether a folder was written here: its configuration says so.
    public static func isMerged(_ path: String) -> Bool {
        guard let config = try? JSONFile.object(join(path, "config.json")) else { return false }
        return config["merged_by"]?.string == TimmDescription.writer
    }
}
