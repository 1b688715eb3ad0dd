import ArgumentParser
import SSFCheckpoints
import SSFTensors
import SSFTuning
import Yams

/// The settings of tuning methods, each of which some methods have and others have not.
public struct MethodOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("ssf: blocks to modulate, from the first (default: all).", valueName: "n"))
    public var layers: Int?

    @Option(
        help: ArgumentHelp(
            "ssf: what is left out: mlp, attn, embed, norm, scale, shift; separated by commas.", valueName: "list"))
    public var without: String?

    @Option(help: ArgumentHelp("ssf: norm modulates only the norms of the blocks.", valueName: "what"))
    public var only: String?

    @Flag(inversion: .prefixedNo, help: "ssf: one scale for all channels of a site.")
    public var scalarScale: Bool?

    @Option(
        name: .customLong("init"),
        help: ArgumentHelp(
            "ssf: normal, trunc_normal, uniform, constant or random; adapter: live or dead.", valueName: "how"))
    public var start: String?

    @Option(
        help: ArgumentHelp(
            "full: modules to train, such as attn, mlp or blocks.10,blocks.11; * matches within a component.",
            valueName: "list"))
    public var trainOnly: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("lora: width between the two factors (default: 8).", valueName: "r"))
    public var rank: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("lora: the change is scaled by alpha / rank (default: the rank).", valueName: "number"))
    public var alpha: Double?

    @Option(
        help: ArgumentHelp(
            "lora: weights to change: qkv, or some of q, k, v; proj, fc1, fc2 (default: qkv).", valueName: "list"))
    public var targets: String?

    @Option(
        help: ArgumentHelp("adapter: pfeiffer or houlsby; repadapter: block or attn.", valueName: "name"))
    public var form: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("adapter: the bottleneck is the width divided by this (default: 64).", valueName: "n"))
    public var reduction: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "adapter, adaptformer, repadapter: width of the bottleneck (default: by reduction, 64, 8).", valueName: "n")
    )
    public var bottleneck: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("repadapter: groups of its second matrix (default: 2).", valueName: "n"))
    public var groups: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("adaptformer, repadapter: factor of the branch (default: 0.1, 1).", valueName: "s"))
    public var adapterScale: Double?

    @Flag(inversion: .prefixedNo, help: "adaptformer: whether its matrices have biases.")
    public var adapterBias: Bool?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("vpt-shallow, vpt-deep: prompt tokens (default: 200, 50).", valueName: "n"))
    public var prompts: Int?

    public init() {}

    /// Every key, in the order of help.
    public static let keys = [
        "layers", "without", "only", "scalar-scale", "init", "train-only", "rank", "alpha", "targets", "form",
        "reduction", "bottleneck", "groups", "adapter-scale", "adapter-bias", "prompts",
    ]

    private var counts: [String: Int?] {
        [
            "layers": layers, "rank": rank, "reduction": reduction, "bottleneck": bottleneck, "groups": groups,
            "prompts": prompts,
        ]
    }
    private var numbers: [String: Double?] { ["alpha": alpha, "adapter-scale": adapterScale] }
    private var flags: [String: Bool?] { ["scalar-scale": scalarScale, "adapter-bias": adapterBias] }
    private var texts: [String: String?] {
        [
            "without": without, "only": only, "init": start, "train-only": trainOnly, "targets": targets, "form": form,
        ]
    }

    private func isGiven(_ key: String) -> Bool {
        (counts[key] ?? nil) != nil || (numbers[key] ?? nil) != nil || (flags[key] ?? nil) != nil
            || (texts[key] ?? nil) != nil
    }

    /// The method with the settings that somebody stated for it, checked.
    ///
    /// - Throws: `UserError` for a method that does not exist, a setting that it does not have, and a value that cannot be.
    func configuration(method: String, _ resolver: SettingResolver) throws -> TuningConfiguration {
        let declared = try TuningRegistry.type(named: method).options
        for key in Self.keys where resolver.isStated(key, isFlagged: isGiven(key)) {
            guard declared.contains(where: { $0.key == key }) else {
                let others = TuningRegistry.types.filter { $0.options.contains { $0.key == key } }.map { $0.name }
                throw UserError(
                    "`\(key)` is no setting of \(method)",
                    expected: declared.isEmpty ? "none" : declared.map(\.key).joined(separator: ", "),
                    remedy: "leave it out; it belongs to \(others.joined(separator: ", "))")
            }
        }
        var configuration = TuningConfiguration(method: method)
        for option in declared {
            configuration.options[option.key] = try value(option, resolver)
        }
        _ = try TuningRegistry.method(configuration)
        return configuration
    }

    private func value(_ option: TuningOption, _ resolver: SettingResolver) throws -> JSONValue? {
        func resolve<Value: SettingValue>(_ flag: Value?, _ standard: Value?) throws -> Value? {
            guard let standard else { return try resolver.optional(option.key, flag: flag) }
            return try resolver.value(option.key, flag: flag, default: standard)
        }
        let key = option.key
        switch option.kind {
        case .count: return try resolve(counts[key] ?? nil, option.standard.integer).map(JSONValue.integer)
        case .number: return try resolve(numbers[key] ?? nil, option.standard.number).map(JSONValue.number)
        case .flag: return try resolve(flags[key] ?? nil, option.standard.bool).map(JSONValue.bool)
        case .choice: return try resolve(texts[key] ?? nil, option.standard.string).map(JSONValue.string)
        case .choices, .words:
            return try resolve((texts[key] ?? nil).map(NameList.init), option.standard.string.map(NameList.init))
                .map { .string($0.text) }
        }
    }
}

/// Names separated by commas; in a YAML file a list of them too.
struct NameList: SettingValue {
    static let expectation = "names, separated by commas or as a list"
    let text: String

    init(_ text: String) { self.text = text }

    init?(yaml: Node) {
        guard let text = String(yaml: yaml) ?? [String](yaml: yaml)?.joined(separator: ",") else { return nil }
        self.text = text
    }

    var yaml: String { text.yaml }
}

extension TuningConfiguration {
    /// The method of an adapter folder, with the settings that it states.
    ///
    /// - Throws: `UserError` for a method that does not exist.
    init(_ adapter: AdapterConfiguration) throws {
        let keys = try TuningRegistry.type(named: adapter.tuningMode).options.map(\.key)
        self.init(
            method: adapter.tuningMode, options: adapter.methodOptions.filter { keys.contains($0.key) })
    }
}
