import SSFTensors

/// The safetensors format: eight bytes of header length, a JSON header, and the tensors' bytes, little-endian and
/// row-major, without holes or overlap.
///
/// Source: the format's page and reference reader (huggingface/safetensors, `safetensors/src/tensor.rs`). What that
/// reader refuses is refused here, with the tensor's name.
public enum Safetensors {
    /// What a file holds.
    public struct Contents: Sendable {
        /// The tensors by name, mapped from the file: they are read when they are touched, need not be aligned, and
        /// must not be written to.
        public var tensors: [String: Tensor]
        /// The header's `__metadata__`; empty where there is none.
        public var metadata: [String: String]

        public init(tensors: [String: Tensor], metadata: [String: String] = [:]) {
            self.tensors = tensors
            self.metadata = metadata
        }
    }

    /// The largest header that the reference reader accepts, in bytes.
    public static let maximumHeaderLength = 100_000_000

    /// Maps a file and checks its header against its length. Reads the header only, however large the file is.
    ///
    /// - Throws: A `UserError` that names the file and the tensor, for everything that the reference reader refuses,
    ///   and for the types that `DType` does not have (the unsigned ones above 8 bits, and those below).
    public static func read(_ path: String) throws -> Contents {
        let file = try MappedFile(path)
        let header = try SafetensorsHeader(file.storage, path: path)
        var tensors: [String: Tensor] = [:]
        tensors.reserveCapacity(header.entries.count)
        for entry in header.entries {
            tensors[entry.name] = Tensor(
                storage: file.storage, byteOffset: header.dataStart + entry.range.lowerBound, shape: entry.shape,
                dtype: entry.dtype)
        }
        return Contents(tensors: tensors, metadata: header.metadata)
    }
}
