import Foundation
import SSFTensors

/// What a tuning run leaves: the tuned tensors and the head, all that is needed to use them, and in `last/` and
/// `checkpoint-<epoch>/` all that is needed to go on.
///
///     adapter_config.json          AdapterConfiguration
///     adapter_model.safetensors    `<site>.scale`, `<site>.shift`, `head.weight`, `head.bias`, ...
///     README.md                    model card
///     trainer_state.json           whatever the trainer states (optional)
///     training_state.safetensors   optimiser moments and the like (optional)
public struct AdapterFolder: Sendable {
    public static let configurationName = "adapter_config.json"
    public static let tensorsName = "adapter_model.safetensors"
    public static let cardName = "README.md"
    public static let trainerStateName = "trainer_state.json"
    public static let trainingStateName = "training_state.safetensors"

    public var configuration: AdapterConfiguration
    public var tensors: [String: Tensor]
    /// The text of README.md; `nil` writes none, and is what a folder without one reads as.
    public var modelCard: String?
    /// The bytes of trainer_state.json: JSON whose form is the trainer's own matter.
    public var trainerState: Data?
    /// Empty where the folder is for use only.
    public var trainingState: [String: Tensor]

    public init(
        configuration: AdapterConfiguration, tensors: [String: Tensor], modelCard: String? = nil,
        trainerState: Data? = nil, trainingState: [String: Tensor] = [:]
    ) {
        self.configuration = configuration
        self.tensors = tensors
        self.modelCard = modelCard
        self.trainerState = trainerState
        self.trainingState = trainingState
    }

    /// Writes the folder as a whole: at every moment, and after a crash, `path` holds the old folder or the new one.
    /// An adapter folder that stands there is replaced; a folder that is something else is not.
    ///
    /// - Throws: A `UserError` that names the path.
    public func write(to path: String) throws {
        try AtomicFolder.write(to: path, replacing: Self.isAdapter) { folder in
            try AtomicFile.write(JSONFile.data(configuration), to: join(folder, Self.configurationName))
            try Safetensors.write(tensors, to: join(folder, Self.tensorsName))
            if let modelCard { try AtomicFile.write(Data(modelCard.utf8), to: join(folder, Self.cardName)) }
            if let trainerState { try AtomicFile.write(trainerState, to: join(folder, Self.trainerStateName)) }
            if !trainingState.isEmpty { try Safetensors.write(trainingState, to: join(folder, Self.trainingStateName)) }
        }
    }

    /// Whether a folder holds an adapter, by the files' names.
    public static func isAdapter(_ path: String) -> Bool {
        PathKind(join(path, configurationName)) == .file && PathKind(join(path, tensorsName)) == .file
    }

    /// Reads a folder; the tensors are mapped. A folder that is being replaced meanwhile is read as the old one or as
    /// the new one, never as a mixture.
    ///
    /// - Throws: A `UserError` that names the file and the field.
    public static func read(_ path: String) throws -> AdapterFolder {
        for _ in 0..<10 {
            let before = FileIdentity(path)
            let result = Result { try readOnce(path) }
            if FileIdentity(path) == before { return try result.get() }
        }
        return try readOnce(path)
    }

    private static func readOnce(_ path: String) throws -> AdapterFolder {
        let folder = AtomicFolder.existing(path)
        switch PathKind(folder) {
        case .absent: throw UserError("\(path): there is no such folder", expected: "an adapter folder")
        case .file, .other: throw UserError("\(path): this is not a folder", expected: "an adapter folder")
        case .folder: break
        }
        let configurationFile = join(folder, configurationName)
        guard PathKind(configurationFile) == .file else {
            let isModel = PathKind(join(folder, "model.safetensors")) == .file
            throw UserError(
                "\(path): this is not an adapter folder", expected: configurationName,
                found: isModel ? "a model" : nil, remedy: isModel ? "pass it as --model" : nil)
        }
        let version = ConfigurationReader(file: configurationFile, object: try JSONFile.object(configurationFile))
        guard let number = try version.count("format_version") else {
            throw UserError(
                "\(configurationFile): format_version is missing: this adapter was not written by ssf",
                found: try version.string("peft_type").map { "peft_type \($0)" })
        }
        guard number <= AdapterConfiguration.currentFormatVersion else {
            throw UserError(
                "\(configurationFile): format_version",
                expected: "at most \(AdapterConfiguration.currentFormatVersion)",
                found: "\(number)", remedy: "use a newer version of ssf")
        }
        let configuration = try JSONFile.decode(AdapterConfiguration.self, from: configurationFile)
        try check(configuration, file: configurationFile)

        let trainingState = join(folder, trainingStateName)
        return AdapterFolder(
            configuration: configuration,
            tensors: try Safetensors.read(join(folder, tensorsName)).tensors,
            modelCard: try text(join(folder, cardName)).map { String(decoding: $0, as: UTF8.self) },
            trainerState: try text(join(folder, trainerStateName)),
            trainingState: PathKind(trainingState) == .file ? try Safetensors.read(trainingState).tensors : [:])
    }

    /// The trainer's state.
    ///
    /// - Returns: `nil` where the folder has none.
    /// - Throws: A `UserError` that names the folder and the field.
    public func trainerState<State: Decodable>(as type: State.Type, path: String) throws -> State? {
        guard let trainerState else { return nil }
        do {
            return try JSONDecoder().decode(type, from: trainerState)
        } catch let error as DecodingError {
            throw UserError("\(join(path, Self.trainerStateName)): \(JSONFile.describe(error))")
        }
    }

    /// What is wrong where the base model is not the one that was tuned; `nil` where it is. Whether that is an error or
    /// a warning is the caller's decision.
    ///
    /// - Parameter checksum: `Checkpoint.checksum` of the base model at hand.
    public func mismatch(baseChecksum checksum: String, basePath: String) -> UserError? {
        guard checksum != configuration.baseModelChecksum else { return nil }
        return UserError(
            "\(basePath): these are not the weights that the adapter was tuned on",
            expected: "\(configuration.baseModelChecksum) (\(configuration.baseModelPath))", found: checksum,
            remedy: "pass the base model that was tuned as --model")
    }

    private static func check(_ configuration: AdapterConfiguration, file: String) throws {
        func refuse(_ field: String, expected: String, found: String) throws -> Never {
            throw UserError("\(file): \(field)", expected: expected, found: found)
        }
        let preprocessing = configuration.preprocessing
        let size = preprocessing.inputSize
        if size.count != 3 || !size.allSatisfy({ $0 > 0 }) {
            try refuse("preprocessing.input_size", expected: "channels, height and width", found: "\(size)")
        }
        if preprocessing.mean.count != size[0] {
            try refuse("preprocessing.mean", expected: "\(size[0]) numbers", found: "\(preprocessing.mean)")
        }
        if preprocessing.std.count != size[0] || !preprocessing.std.allSatisfy({ $0 > 0 }) {
            try refuse("preprocessing.std", expected: "\(size[0]) positive numbers", found: "\(preprocessing.std)")
        }
        if !(preprocessing.cropFraction > 0 && preprocessing.cropFraction <= 1) {
            try refuse("preprocessing.crop_pct", expected: "a number in (0, 1]", found: "\(preprocessing.cropFraction)")
        }
    }

    private static func text(_ path: String) throws -> Data? {
        PathKind(path) == .file ? try readSmallFile(path) : nil
    }
}
