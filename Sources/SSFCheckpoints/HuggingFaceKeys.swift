import SSFTensors

/// Names of one of transformers' vision models, in tables, and their translation.
///
/// A module's name stands for its `weight` and `bias`. The names under which transformers 5 holds the modules in
/// memory are here beside those that its `save_pretrained` writes.
struct HuggingFaceKeys {
    /// What the classes with a head put before the names of the model in them.
    var prefix: String
    /// Names outside the blocks.
    var outside: [String: String]
    /// Names after `encoder.layer.<i>.`.
    var block: [String: String]
    /// Modules of a block whose rows are put below each other, in this order; each with its spellings.
    var fused: [(target: String, parts: [Set<String>])]
    /// Beginnings of names that have no place in timm's model, and why they may go.
    var leftOut: [(start: String, reason: String)]

    private static let blockPrefixes = ["encoder.layer.", "layers."]

    /// q, k and v, which timm holds as one.
    static let fusedAttention: (target: String, parts: [Set<String>]) = (
        "attn.qkv",
        [
            ["attention.attention.query", "attention.q_proj"], ["attention.attention.key", "attention.k_proj"],
            ["attention.attention.value", "attention.v_proj"],
        ]
    )

    /// Whether tensors without a configuration are transformers' and not timm's.
    static func recognises(_ tensors: [String: Tensor]) -> Bool {
        tensors.keys.contains { $0.hasSuffix("embeddings.patch_embeddings.projection.weight") }
    }

    /// The map of a model type.
    static func map(_ type: HuggingFaceConfiguration.ModelType) -> HuggingFaceKeys {
        switch type {
        case .vit: .vit
        case .mae: .mae
        case .deit: .deit
        case .dinov2: .dinov2
        case .dinov2WithRegisters: .dinov2WithRegisters
        }
    }

    /// The model type that the names show.
    static func modelType(_ tensors: [String: Tensor]) -> HuggingFaceConfiguration.ModelType {
        if tensors.keys.contains(where: { $0.hasSuffix("embeddings.register_tokens") }) { return .dinov2WithRegisters }
        if tensors.keys.contains(where: { $0.hasSuffix("layer_scale1.lambda1") }) { return .dinov2 }
        if tensors.keys.contains(where: { $0.hasSuffix("embeddings.distillation_token") }) { return .deit }
        if tensors.keys.contains(where: { $0.hasPrefix("decoder.") }) { return .mae }
        return .vit
    }

    /// - Throws: A `UserError` that names the tensor: two that come to one name, or parts of one that do not fit.
    func translate(_ tensors: [String: Tensor], path: String) throws -> KeyTranslation {
        var result = KeyTranslation()
        var parts: [String: [(index: Int, name: String, tensor: Tensor)]] = [:]
        // In order, so that notes and errors are the same on every run.
        for name in tensors.keys.sorted() {
            let tensor = tensors[name]!
            let inner = name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name
            if let entry = leftOut.first(where: { inner.hasPrefix($0.start) }) {
                result.leaveOut(name, because: entry.reason)
            } else if let (target, index) = fusedPart(inner) {
                parts[target, default: []].append((index, name, tensor))
            } else {
                let target = renamed(inner) ?? name
                guard result.tensors.updateValue(tensor, forKey: target) == nil else {
                    throw UserError("\(path): two tensors come to the name \(target); one is \(name)")
                }
            }
        }
        for (target, list) in parts.sorted(by: { $0.key < $1.key }) {
            let expected = fused.first { target.contains("." + $0.target + ".") }?.parts.count ?? 0
            let ordered = list.sorted { $0.index < $1.index }
            guard ordered.map(\.index) == Array(0..<expected) else {
                throw UserError(
                    "\(path): \(target) is made of \(expected) tensors, and not all are there",
                    expected: "one tensor for each of its parts", found: ordered.map(\.name).joined(separator: ", "))
            }
            guard let whole = concatenatedRows(ordered.map(\.tensor)) else {
                throw UserError(
                    "\(path): the parts of \(target) differ in type or width",
                    found: ordered.map { "\($0.name) \($0.tensor.shape) \($0.tensor.dtype.rawValue)" }.joined(
                        separator: "\n"))
            }
            guard result.tensors.updateValue(whole, forKey: target) == nil else {
                throw UserError("\(path): two tensors come to the name \(target); one is \(ordered[0].name)")
            }
        }
        return result
    }

    /// The block's number and the name in it, of a name in a block.
    private func blockName(_ name: String) -> (number: Int, rest: String)? {
        guard let start = Self.blockPrefixes.first(where: { name.hasPrefix($0) }) else { return nil }
        let tail = name.dropFirst(start.count)
        guard let dot = tail.firstIndex(of: "."), let number = Int(tail[..<dot]), number >= 0 else { return nil }
        return (number, String(tail[tail.index(after: dot)...]))
    }

    private func renamed(_ name: String) -> String? {
        if let (number, rest) = blockName(name) {
            return Self.lookUp(rest, in: block).map { "blocks.\(number).\($0)" }
        }
        return Self.lookUp(name, in: outside)
    }

    /// The whole name's entry, or the module's with the tensor's name after it.
    private static func lookUp(_ name: String, in table: [String: String]) -> String? {
        if let whole = table[name] { return whole }
        guard let dot = name.lastIndex(of: "."), let module = table[String(name[..<dot])] else { return nil }
        return module + name[dot...]
    }

    /// The fused tensor that a name is a part of, and which part.
    private func fusedPart(_ name: String) -> (target: String, index: Int)? {
        guard let (number, rest) = blockName(name), let dot = rest.lastIndex(of: ".") else { return nil }
        let module = String(rest[..<dot])
        for (target, parts) in fused {
            if let index = parts.firstIndex(where: { $0.contains(module) }) {
                return ("blocks.\(number).\(target)\(rest[dot...])", index)
            }
        }
        return nil
    }
}
