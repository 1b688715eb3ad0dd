import Foundation
import SSFTensors

/// A LoRA adapter as Hugging Face's PEFT stores it.
///
///     adapter_config.json          peft_type LORA, r, lora_alpha, target_modules, modules_to_save, ...
///     adapter_model.safetensors    base_model.model.<module>.lora_A.weight [r, K], ....lora_B.weight [N, r],
///                                  and the modules that are saved whole: base_model.model.head.weight, ...
///
/// Modules are timm's (`blocks.0.attn.qkv`), or those of transformers' vision models, whose queries, keys and values are
/// modules of their own; read, both have names that begin with `blocks.<i>.`.
///
/// - Source: `save_pretrained` of PEFT 0.21.
public struct PEFTFolder: Sendable {
    public var rank: Int
    /// The change is scaled by alpha / rank.
    public var alpha: Double
    /// `blocks.0.attn.qkv.lora_A.weight`, ...; of transformers' models `blocks.0.attn.q.lora_A.weight`.
    public var factors: [String: Tensor]
    /// `head.weight`, `head.bias`; empty where the classifier was not saved.
    public var classifier: [String: Tensor]
    public var baseModelPath: String?

    public init(
        rank: Int, alpha: Double, factors: [String: Tensor], classifier: [String: Tensor], baseModelPath: String?
    ) {
        self.rank = rank
        self.alpha = alpha
        self.factors = factors
        self.classifier = classifier
        self.baseModelPath = baseModelPath
    }

    private static let prefix = "base_model.model."

    /// Whether a folder is PEFT's, and not an adapter folder of this project, whose files have the same names.
    public static func isPEFT(_ path: String) -> Bool {
        guard AdapterFolder.isAdapter(path),
            let object = try? JSONFile.object(join(path, AdapterFolder.configurationName))
        else { return false }
        return object["peft_type"] != nil && object["format_version"] == nil
    }

    // MARK: Reading

    /// - Throws: A `UserError` that names the file and the field or tensor: what LoRA with one rank and one alpha cannot
    ///   express is refused.
    public static func read(_ path: String) throws -> PEFTFolder {
        let file = join(path, AdapterFolder.configurationName)
        let object = try JSONFile.object(file)
        let type = object["peft_type"]?.string ?? "none"
        guard type == "LORA" else {
            throw UserError("\(file): peft_type", expected: "LORA", found: type)
        }
        for (field, isPlain) in plainFields where !isPlain(object[field] ?? .null) {
            throw UserError("\(file): \(field) is not plain LoRA", found: object[field]!.text)
        }
        guard let rank = object["r"]?.integer, rank > 0, let alpha = object["lora_alpha"]?.number, alpha > 0 else {
            throw UserError("\(file): r and lora_alpha", expected: "numbers above 0")
        }
        var folder = PEFTFolder(
            rank: rank, alpha: object["use_rslora"]?.bool == true ? alpha * Double(rank).squareRoot() : alpha,
            factors: [:], classifier: [:], baseModelPath: object["base_model_name_or_path"]?.string)
        let tensorFile = join(path, AdapterFolder.tensorsName)
        for (written, tensor) in try Safetensors.read(tensorFile).tensors {
            try folder.take(written, tensor, file: tensorFile)
        }
        return folder
    }

    /// Fields that change what the factors mean, and the values that leave plain LoRA.
    private static let plainFields: [(String, @Sendable (JSONValue) -> Bool)] = {
        let isFalse: @Sendable (JSONValue) -> Bool = { $0 == .null || $0.bool == false }
        let isEmpty: @Sendable (JSONValue) -> Bool = { $0 == .null || $0.object?.isEmpty == true }
        return [
            ("use_dora", isFalse), ("fan_in_fan_out", isFalse), ("lora_bias", isFalse), ("use_qalora", isFalse),
            ("rank_pattern", isEmpty), ("alpha_pattern", isEmpty),
            ("bias", { $0 == .null || $0.string == "none" }),
        ]
    }()

    private mutating func take(_ written: String, _ tensor: Tensor, file: String) throws {
        var name = written.hasPrefix(Self.prefix) ? String(written.dropFirst(Self.prefix.count)) : written
        name = name.replacing(".default.", with: ".").replacing(".modules_to_save.", with: ".")
        for factor in [".lora_A.weight", ".lora_B.weight"] where name.hasSuffix(factor) {
            guard let module = Self.timmModule(String(name.dropLast(factor.count))) else {
                throw UserError("\(file): \(written) belongs to no module of a vision transformer that is known here")
            }
            factors[module + factor] = tensor
            return
        }
        for (module, own) in [("head.", "head."), ("classifier.", "head."), ("head_dist.", "head_dist.")]
        where name.hasPrefix(module) {
            classifier[own + name.dropFirst(module.count)] = tensor
            return
        }
        throw UserError("\(file): \(written) is neither a factor of LoRA nor of the classifier")
    }

    /// timm's module of a module of timm or of transformers; q, k and v as `attn.q`, `attn.k`, `attn.v`.
    private static func timmModule(_ name: String) -> String? {
        let parts = name.split(separator: ".").map(String.init)
        guard let index = parts.firstIndex(where: { Int($0) != nil }), index > 0 else { return nil }
        let rest = parts[(index + 1)...].joined(separator: ".")
        let block = "blocks.\(parts[index])."
        if parts[index - 1] == "blocks" { return block + rest }
        guard ["layer", "layers"].contains(parts[index - 1]) else { return nil }
        if let part = HuggingFaceKeys.fusedAttention.parts.firstIndex(where: { $0.contains(rest) }) {
            return block + "attn." + ["q", "k", "v"][part]
        }
        return HuggingFaceKeys.vit.block[rest].map { block + $0 }
    }

    // MARK: Writing

    /// Writes the folder as a whole; what is there must be an adapter folder.
    ///
    /// - Precondition: the modules are timm's.
    /// - Throws: A `UserError` that names the path.
    public func write(to path: String) throws {
        // Two components: `proj` alone would be the patch embedding's too.
        let modules = Set(factors.keys.map { $0.split(separator: ".").dropLast(2).suffix(2).joined(separator: ".") })
        var fields: [String: JSONValue] = [
            "peft_type": .string("LORA"), "r": .integer(rank), "lora_alpha": .number(alpha), "lora_dropout": .number(0),
            "target_modules": .array(modules.sorted().map(JSONValue.string)), "bias": .string("none"),
            "fan_in_fan_out": .bool(false), "use_rslora": .bool(false), "use_dora": .bool(false),
            "init_lora_weights": .bool(true), "inference_mode": .bool(true), "task_type": .null,
            "base_model_name_or_path": baseModelPath.map(JSONValue.string) ?? .null,
        ]
        // PEFT keeps whole numbers as such.
        if let whole = Int(exactly: alpha) { fields["lora_alpha"] = .integer(whole) }
        let saved = Set(classifier.keys.compactMap { $0.split(separator: ".").first.map(String.init) })
        fields["modules_to_save"] = saved.isEmpty ? .null : .array(saved.sorted().map(JSONValue.string))
        let tensors = Dictionary(
            uniqueKeysWithValues: factors.merging(classifier) { own, _ in own }.map { (Self.prefix + $0.key, $0.value) }
        )
        let configuration = JSONValue.object(fields)
        try AtomicFolder.write(to: path, replacing: AdapterFolder.isAdapter) { folder in
            try AtomicFile.write(JSONFile.data(configuration), to: join(folder, AdapterFolder.configurationName))
            try Safetensors.write(tensors, to: join(folder, AdapterFolder.tensorsName))
        }
    }
}
