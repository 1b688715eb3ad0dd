import SSFTensors
import SSFTuning

/// Lists of methods that the SSF paper puts side by side.
public enum ComparePreset: String, CaseIterable, Sendable {
    /// Those of its main tables.
    case paper
    /// Table 6a to 6d: how many layers, where, how begun, of which parts.
    case table6a, table6b, table6c, table6d

    /// The preset with a name.
    ///
    /// - Throws: `UserError` with the nearest one.
    static func named(_ name: String) throws -> ComparePreset {
        if let preset = ComparePreset(rawValue: name) { return preset }
        let names = allCases.map(\.rawValue)
        throw UserError(
            "`preset` cannot be `\(name)`", expected: names.joined(separator: ", "),
            remedy: Suggestion.nearest(to: name, among: names).map { "did you mean `\($0)`?" })
    }

    /// Its methods, as a person would name them.
    ///
    /// - Parameter depth: blocks of the model. Table 6a counts 0, 2, 4, 8 and 12 of twelve, and the same parts of others.
    public func methods(depth: Int) -> [String] {
        switch self {
        case .paper: ["full", "linear", "adapter", "bias", "vpt-shallow", "vpt-deep", "ssf"]
        case .table6a:
            Set([0, 2, 4, 8, 12].map { (depth * $0 + 6) / 12 }).sorted().map { "ssf:layers=\($0)" }
        case .table6b: ["mlp", "attn", "embed", "norm"].map { "ssf:without=\($0)" } + ["ssf"]
        case .table6c: ["random", "constant", "uniform", "trunc_normal", "normal"].map { "ssf:init=\($0)" }
        case .table6d: ["ssf:without=scale", "ssf:without=shift", "ssf:only=norm", "ssf:scalar-scale=true", "ssf"]
        }
    }
}
