import SSFCheckpoints
import SSFCommands
import SSFTensors

/// The files of one model's features, filled batch by batch.
struct FeatureFiles {
    struct Layer {
        let name: String
        /// Of an image.
        let extent: (tokens: Int, width: Int)

        /// Of the array.
        func shape(_ images: Int, _ tokens: String) -> [Int] {
            tokens == TokenChoice.all.rawValue && extent.tokens > 1
                ? [images, extent.tokens, extent.width] : [images, extent.width]
        }
    }

    /// The layer that is no mark of the program but its answer.
    static let logits = "logits"

    private let layers: [Layer]
    private let isOne: Bool
    /// One for all layers, or one for each.
    private let files: [(name: String, file: ArrayFile)]

    init(
        _ model: String, _ layers: [Layer], images: Int, _ choice: TokenChoice, _ format: Features.Format,
        _ folder: OutputFolder
    ) throws {
        self.layers = layers
        isOne = format == .safetensors
        func shape(_ layer: Layer) -> Shape { Shape(layer.shape(images, choice.rawValue)) }
        switch format {
        case .npy:
            files = try layers.map { layer in
                let name = "\(model).\(layer.name).npy"
                return (name, try .npy(shape(layer), to: folder.file(name)))
            }
        case .safetensors:
            let name = "\(model).safetensors"
            let shapes = Dictionary(uniqueKeysWithValues: layers.map { ($0.name, shape($0)) })
            files = [(name, try .safetensors(shapes, to: folder.file(name)))]
        }
    }

    /// Writes a batch of images that stand one after the other.
    ///
    /// - Parameter row: the first of them.
    func write(_ features: ModelFeatures, _ choice: TokenChoice, row: Int) throws {
        for (index, layer) in layers.enumerated() {
            let values = layer.name == Self.logits ? Array(features.logits!) : try features.features(layer.name, choice)
            try values.withUnsafeBufferPointer {
                try files[isOne ? 0 : index].file.write($0, to: isOne ? layer.name : "", row: row)
            }
        }
    }

    /// Puts them in their places.
    ///
    /// - Returns: their names.
    func finish() throws -> [String] {
        try files.map {
            try $0.file.finish()
            return $0.name
        }
    }
}
