import SSFTensors

/// A pre-trained model as it lies on disk: tensors under timm's names, and what the files beside them state.
public struct Checkpoint: Sendable {
    /// The tensors by timm's names, in the type of the file. Most are mapped from it: they are read when they are
    /// touched, and must not be written to. Names that no key map knows are here too, as they stand in the file;
    /// whoever builds the model refuses them by name.
    public var tensors: [String: Tensor]
    public var configuration: ModelConfiguration
    /// The path as it was given.
    public var path: String
    /// The `__metadata__` of the weights file.
    public var metadata: [String: String]
    /// What was left out or changed on the way, in sentences to be shown: a pooler, a mask token.
    public var notes: [String]

    public init(
        tensors: [String: Tensor], configuration: ModelConfiguration = ModelConfiguration(), path: String,
        metadata: [String: String] = [:], notes: [String] = []
    ) {
        self.tensors = tensors
        self.configuration = configuration
        self.path = path
        self.metadata = metadata
        self.notes = notes
    }

    /// The CRC-32 of the tensors, as `Checksum.of` defines it. Reads every byte, so ask once.
    public var checksum: String { Checksum.of(tensors) }
}
