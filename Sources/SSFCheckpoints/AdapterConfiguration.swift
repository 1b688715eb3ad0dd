/// The `adapter_config.json` of an adapter folder: what was tuned, on which base model, for which classes.
///
/// It follows the layout of Hugging Face's PEFT, whose programs can list it but not load it: PEFT has no SSF.
public struct AdapterConfiguration: Sendable, Hashable, Codable {
    /// The version that is written, and the highest that is read.
    public static let currentFormatVersion = 1

    public var formatVersion = currentFormatVersion
    /// `SSF` for scaling and shifting; for other methods their name in capitals.
    public var peftType: String
    /// The method as `--method` names it: `ssf`, `linear`, `full`.
    public var tuningMode: String
    /// The path or name under which the base model was given.
    public var baseModelPath: String
    /// timm's name of the base model, where it is known.
    public var baseModelArchitecture: String?
    /// `Checkpoint.checksum` of the base model.
    public var baseModelChecksum: String
    /// The sites that were modulated, by timm's names.
    public var targetModules: [String]
    /// The modules that are here whole: `head`.
    public var modulesToSave: [String]
    /// The classes K, in head order.
    public var labelNames: [String]
    public var labelDescriptions: [String: String]?
    /// How the images were prepared, and are to be prepared for prediction.
    public var preprocessing: Preprocessing
    /// `token` or `avg`.
    public var globalPool: String?
    /// The options of the method, as it states them.
    public var methodOptions: [String: JSONValue]
    public var taskType = "IMAGE_CLASSIFICATION"
    public var inferenceMode = true

    public init(
        peftType: String, tuningMode: String, baseModelPath: String, baseModelArchitecture: String? = nil,
        baseModelChecksum: String, targetModules: [String], modulesToSave: [String] = ["head"], labelNames: [String],
        labelDescriptions: [String: String]? = nil, preprocessing: Preprocessing, globalPool: String? = nil,
        methodOptions: [String: JSONValue] = [:]
    ) {
        self.peftType = peftType
        self.tuningMode = tuningMode
        self.baseModelPath = baseModelPath
        self.baseModelArchitecture = baseModelArchitecture
        self.baseModelChecksum = baseModelChecksum
        self.targetModules = targetModules
        self.modulesToSave = modulesToSave
        self.labelNames = labelNames
        self.labelDescriptions = labelDescriptions
        self.preprocessing = preprocessing
        self.globalPool = globalPool
        self.methodOptions = methodOptions
    }

    public var numClasses: Int { labelNames.count }

    enum CodingKeys: String, CodingKey {
        case formatVersion = "format_version"
        case peftType = "peft_type"
        case tuningMode = "tuning_mode"
        case baseModelPath = "base_model_name_or_path"
        case baseModelArchitecture = "base_model_architecture"
        case baseModelChecksum = "base_model_checksum"
        case targetModules = "target_modules"
        case modulesToSave = "modules_to_save"
        case numClasses = "num_classes"
        case labelNames = "label_names"
        case labelDescriptions = "label_descriptions"
        case preprocessing
        case globalPool = "global_pool"
        case methodOptions = "method_options"
        case taskType = "task_type"
        case inferenceMode = "inference_mode"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        formatVersion = try container.decode(Int.self, forKey: .formatVersion)
        peftType = try container.decode(String.self, forKey: .peftType)
        tuningMode = try container.decode(String.self, forKey: .tuningMode)
        baseModelPath = try container.decode(String.self, forKey: .baseModelPath)
        baseModelArchitecture = try container.decodeIfPresent(String.self, forKey: .baseModelArchitecture)
        baseModelChecksum = try container.decode(String.self, forKey: .baseModelChecksum)
        targetModules = try container.decode([String].self, forKey: .targetModules)
        modulesToSave = try container.decode([String].self, forKey: .modulesToSave)
        labelNames = try container.decode([String].self, forKey: .labelNames)
        labelDescriptions = try container.decodeIfPresent([String: String].self, forKey: .labelDescriptions)
        preprocessing = try container.decode(Preprocessing.self, forKey: .preprocessing)
        globalPool = try container.decodeIfPresent(String.self, forKey: .globalPool)
        methodOptions = try container.decodeIfPresent([String: JSONValue].self, forKey: .methodOptions) ?? [:]
        taskType = try container.decodeIfPresent(String.self, forKey: .taskType) ?? taskType
        inferenceMode = try container.decodeIfPresent(Bool.self, forKey: .inferenceMode) ?? inferenceMode
        let stated = try container.decodeIfPresent(Int.self, forKey: .numClasses)
        guard stated == nil || stated == labelNames.count else {
            throw DecodingError.dataCorruptedError(
                forKey: .numClasses, in: container, debugDescription: "differs from the count of label_names")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(formatVersion, forKey: .formatVersion)
        try container.encode(peftType, forKey: .peftType)
        try container.encode(tuningMode, forKey: .tuningMode)
        try container.encode(baseModelPath, forKey: .baseModelPath)
        try container.encodeIfPresent(baseModelArchitecture, forKey: .baseModelArchitecture)
        try container.encode(baseModelChecksum, forKey: .baseModelChecksum)
        try container.encode(targetModules, forKey: .targetModules)
        try container.encode(modulesToSave, forKey: .modulesToSave)
        try container.encode(numClasses, forKey: .numClasses)
        try container.encode(labelNames, forKey: .labelNames)
        try container.encodeIfPresent(labelDescriptions, forKey: .labelDescriptions)
        try container.encode(preprocessing, forKey: .preprocessing)
        try container.encodeIfPresent(globalPool, forKey: .globalPool)
        try container.encode(methodOptions, forKey: .methodOptions)
        try container.encode(taskType, forKey: .taskType)
        try container.encode(inferenceMode, forKey: .inferenceMode)
    }
}
