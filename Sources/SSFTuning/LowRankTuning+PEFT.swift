import SSFCheckpoints
import SSFGraph
import SSFModels
import SSFTensors

/// LoRA to and from the folders of Hugging Face's PEFT.
extension LowRankTuning {
    /// The method that a PEFT folder was made by.
    ///
    /// - Throws: `UserError` for a module that is none of `targets`.
    public static func configuration(of folder: PEFTFolder) throws -> TuningConfiguration {
        let known = ["attn.qkv", "attn.q", "attn.k", "attn.v", "attn.proj", "mlp.fc1", "mlp.fc2"]
        var found: Set<String> = []
        for name in folder.factors.keys.sorted() {
            let module = name.split(separator: ".").dropLast(2).dropFirst(2).joined(separator: ".")
            guard known.contains(module) else {
                throw UserError(
                    "the PEFT adapter changes a module that lora does not", expected: known.joined(separator: ", "),
                    found: module)
            }
            found.insert(module)
        }
        guard !found.isEmpty else { throw UserError("the PEFT adapter holds no factors of LoRA") }
        let targets = known.filter(found.contains).map { JSONValue.string(String($0.split(separator: ".")[1])) }
        return TuningConfiguration(
            method: name,
            options: ["rank": .integer(folder.rank), "alpha": .number(folder.alpha), "targets": .array(targets)])
    }

    /// The adapter of a tuned model as PEFT would have stored it for timm's model.
    ///
    /// Changes of q, k and v, which are rows of one weight in timm, become one change of that weight: the first factors
    /// below each other, the second ones as blocks, with a rank as many times higher and the same scaling.
    ///
    /// - Throws: `UserError` where the method is not LoRA, or q, k and v stand beside other targets, whose rank differs
    ///   then.
    public static func exported(_ model: TunedModel, baseModelPath: String?) throws -> PEFTFolder {
        guard let method = model.method as? LowRankTuning else {
            throw UserError(
                "a PEFT folder holds LoRA", expected: "an adapter made with --method lora", found: model.method.name)
        }
        let adapter = model.adapterTensors()
        let groups = try method.changes(in: model.baseProgram)
        let parts = groups.map { $0[0].isWhole ? 1 : $0.count }
        guard Set(parts).count == 1, let count = parts.first else {
            throw UserError(
                "a PEFT folder has one rank", expected: "targets among q, k, v, or among qkv, proj, fc1, fc2",
                found: "both kinds")
        }
        var factors: [String: Tensor] = [:]
        for group in groups {
            let a = group.flatMap { adapter["\($0.name).lora_A.weight"]!.values }
            let outputs = group[0].isWhole ? group[0].rows.count : 3 * group[0].rows.count
            var b = [Float](repeating: 0, count: outputs * count * method.rank)
            for (part, change) in group.enumerated() {
                let values = adapter["\(change.name).lora_B.weight"]!.values
                for (position, row) in change.rows.enumerated() {
                    for k in 0..<method.rank {
                        b[row * count * method.rank + part * method.rank + k] = values[position * method.rank + k]
                    }
                }
            }
            factors["\(group[0].site).lora_A.weight"] = Tensor(a, shape: [count * method.rank, group[0].inputs])
            factors["\(group[0].site).lora_B.weight"] = Tensor(b, shape: [outputs, count * method.rank])
        }
        return PEFTFolder(
            rank: count * method.rank, alpha: method.scaling * Double(count * method.rank), factors: factors,
            classifier: adapter.filter { name, _ in model.model.classifierSites.contains { name.hasPrefix($0 + ".") } },
            baseModelPath: baseModelPath)
    }
}
