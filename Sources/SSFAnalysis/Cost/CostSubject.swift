import SSFCheckpoints
import SSFTensors
import SSFTuning

/// A tuning method whose cost is asked for, with its settings.
public struct CostSubject: Codable, Sendable, Equatable {
    /// Of the method, and the settings that differ from its own.
    public var tuning: TuningConfiguration
    /// For tables, which tells it from others: `vpt-deep:prompts=100`.
    public var name: String

    /// The methods of the paper's Figure 3 and those beside them: full and linear first, SSF last. VPT has its standard
    /// numbers of prompts, 200 before the first block (shallow) and 50 before each (deep), which are those of the figure.
    /// Methods that this list does not know stand before SSF, in the order of the registry.
    public static var standard: [CostSubject] {
        let order = [
            "full", "linear", "bias", "ln", "lora", "repadapter", "adapter", "adaptformer", "vpt-shallow", "vpt-deep",
        ]
        let names = TuningRegistry.types.map { $0.name }
        let known = order.filter(names.contains)
        return (known + names.filter { !known.contains($0) && $0 != "ssf" } + ["ssf"]).map {
            CostSubject(tuning: TuningConfiguration(method: $0), name: $0)
        }
    }

    init(tuning: TuningConfiguration, name: String) {
        (self.tuning, self.name) = (tuning, name)
    }

    /// A method as a person names it: `lora`, `vpt-deep:prompts=100`, `lora:rank=4:targets=qkv`.
    ///
    /// - Throws: `UserError` for a method that does not exist, with the nearest name, and for a setting that it does not
    ///   have or that cannot have this value.
    public init(_ text: String) throws {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let type = try TuningRegistry.type(named: parts[0])
        var options: [String: JSONValue] = [:]
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard pair.count == 2, !pair[0].isEmpty, !pair[1].isEmpty else {
                throw UserError(
                    "the setting `\(part)` of \(parts[0]) has no value", expected: "\(parts[0]):KEY=VALUE", found: text)
            }
            guard options[pair[0]] == nil else { throw UserError("\(text) states `\(pair[0])` twice") }
            let isText = type.options.contains { $0.key == pair[0] && $0.kind.isText }
            options[pair[0]] = isText ? .string(pair[1]) : Self.value(pair[1])
        }
        tuning = TuningConfiguration(method: parts[0], options: options)
        name = text
        _ = try TuningRegistry.method(tuning)
    }

    private static func value(_ text: String) -> JSONValue {
        if let count = Int(text) { return .integer(count) }
        if let number = Double(text), number.isFinite { return .number(number) }
        switch text {
        case "true": return .bool(true)
        case "false": return .bool(false)
        default: return .string(text)
        }
    }

    /// For figures: the name in the field's spelling, with the number of prompts.
    public var title: String {
        let titles = [
            "full": "Full", "linear": "Linear", "bias": "Bias", "ln": "LayerNorm", "lora": "LoRA",
            "repadapter": "RepAdapter", "adapter": "Adapter", "adaptformer": "AdaptFormer",
            "vpt-shallow": "VPT-Shallow", "vpt-deep": "VPT-Deep", "ssf": "SSF",
        ]
        guard let title = titles[tuning.method] else { return name }
        if let prompts = try? TuningRegistry.complete(tuning).options["prompts"]?.integer {
            return "\(title) (\(prompts))"
        }
        let settings = name.split(separator: ":").dropFirst().joined(separator: ", ")
        return settings.isEmpty ? title : "\(title) (\(settings))"
    }
}

extension TuningOption.Kind {
    /// Whether its values are words, even those that look like numbers.
    fileprivate var isText: Bool {
        switch self {
        case .choice, .choices, .words: true
        case .count, .number, .flag: false
        }
    }
}
