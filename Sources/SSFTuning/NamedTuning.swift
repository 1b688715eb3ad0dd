import SSFCheckpoints
import SSFTensors

/// A tuning method with its settings, as a person names it on a command line and as tables name it.
public struct NamedTuning: Codable, Sendable, Equatable {
    /// Of the method, and the settings that differ from its own.
    public var tuning: TuningConfiguration
    /// For tables, which tells it from others: `vpt-deep:prompts=100`.
    public var name: String

    /// The methods of the paper's Figure 3 and those beside them: full and linear first, SSF last. VPT has its standard
    /// numbers of prompts, 200 before the first block (shallow) and 50 before each (deep), which are those of the figure.
    /// Methods that this list does not know stand before SSF, in the order of the registry.
    public static var standard: [NamedTuning] {
        let order = [
            "full", "linear", "bias", "ln", "lora", "repadapter", "adapter", "adaptformer", "vpt-shallow", "vpt-deep",
        ]
        let names = TuningRegistry.types.map { $0.name }
        let known = order.filter(names.contains)
        return (known + names.filter { !known.contains($0) && $0 != "ssf" } + ["ssf"]).map {
            NamedTuning(tuning: TuningConfiguration(method: $0), name: $0)
        }
    }

    public init(tuning: TuningConfiguration, name: String) {
        (self.tuning, self.name) = (tuning, name)
    }

    /// A method as a person names it: `lora`, `vpt-deep:prompts=100`, `lora:rank=4:targets=q+v`. The words of a list
    /// stand between `+`, because commas part the methods of a list.
    ///
    /// - Throws: `UserError` for a method that does not exist, with the nearest name, and for a setting that it does not
    ///   have or that cannot have this value.
    public init(_ text: String) throws {
        self = try Self.parse(text, others: []).method
    }

    /// A method, and beside its own settings others that belong to whoever asks, such as the learning rate.
    ///
    /// - Parameter others: keys that are taken as they are written.
    /// - Throws: as `init(_:)`.
    public static func parse(
        _ text: String, others: Set<String>
    ) throws -> (method: NamedTuning, others: [String: String]) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let type = try TuningRegistry.type(named: parts[0])
        var options: [String: JSONValue] = [:]
        var found: [String: String] = [:]
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard pair.count == 2, !pair[0].isEmpty, !pair[1].isEmpty else {
                throw UserError(
                    "the setting `\(part)` of \(parts[0]) has no value", expected: "\(parts[0]):KEY=VALUE", found: text)
            }
            let (key, value) = (pair[0], pair[1])
            guard options[key] == nil, found[key] == nil else { throw UserError("\(text) states `\(key)` twice") }
            if let option = type.options.first(where: { $0.key == key }) {
                options[key] = option.value(of: value)
            } else if others.contains(key) {
                found[key] = value
            } else {
                // Refused below, with the nearest of the method's own settings.
                options[key] = .string(value)
            }
        }
        let tuning = TuningConfiguration(method: parts[0], options: options)
        _ = try TuningRegistry.method(tuning)
        return (NamedTuning(tuning: tuning, name: text), found)
    }

    /// The methods of a list, separated by commas.
    ///
    /// - Throws: as `parse`, and for a name that is empty or stands there twice.
    public static func list(
        _ text: String, others: Set<String> = []
    ) throws -> [(method: NamedTuning, others: [String: String])] {
        var methods: [(method: NamedTuning, others: [String: String])] = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            let word = String(word.trimmingPrefix { $0 == " " })
            guard !word.isEmpty else {
                throw UserError("--methods \(text): a name is empty", expected: "names, separated by commas")
            }
            let parsed = try parse(word, others: others)
            guard !methods.contains(where: { $0.method.name == word }) else {
                throw UserError("--methods names \(word) twice", remedy: "name each once")
            }
            methods.append(parsed)
        }
        return methods
    }

    /// For figures: the method alone, in the field's spelling.
    public var methodTitle: String { Self.titles[tuning.method] ?? tuning.method }

    private static let titles = [
        "full": "Full", "linear": "Linear", "bias": "Bias", "ln": "LayerNorm", "lora": "LoRA",
        "repadapter": "RepAdapter", "adapter": "Adapter", "adaptformer": "AdaptFormer",
        "vpt-shallow": "VPT-Shallow", "vpt-deep": "VPT-Deep", "ssf": "SSF",
    ]

    /// For figures: the name in the field's spelling, with the number of prompts.
    public var title: String {
        guard let title = Self.titles[tuning.method] else { return name }
        if let prompts = try? TuningRegistry.complete(tuning).options["prompts"]?.integer {
            return "\(title) (\(prompts))"
        }
        let settings = name.split(separator: ":").dropFirst().joined(separator: ", ")
        return settings.isEmpty ? title : "\(title) (\(settings))"
    }
}

extension TuningOption {
    /// What a value that was written on a command line is; checked later.
    public func value(of text: String) -> JSONValue {
        switch kind {
        // Words stay words, even those that look like numbers.
        case .choice: return .string(text)
        case .choices, .words: return .string(text.replacing("+", with: ","))
        case .count, .number, .flag:
            if let count = Int(text) { return .integer(count) }
            if let number = Double(text), number.isFinite { return .number(number) }
            switch text {
            case "true": return .bool(true)
            case "false": return .bool(false)
            default: return .string(text)
            }
        }
    }
}
