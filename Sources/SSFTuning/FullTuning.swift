import SSFGraph
import SSFModels
import SSFTensors

/// Full fine-tuning: every parameter is trained, or those of some modules.
///
/// - Trains: all numbers of the model; with `train-only`, those of the modules that a pattern names, and the classifier.
///   A pattern is a run of components of timm's names, such as `attn`, `blocks.11`, `mlp.fc1` or `blocks.*.norm1`, where
///   `*` stands for any text within a component.
/// - Decay: matrices decay by default; biases, norms, layer scales, tokens and the position embedding do not, as timm
///   groups them.
/// - Merges: it trains the weights themselves.
public struct FullTuning: TuningMethod {
    public static let name = "full"
    public static let summary = "train every parameter, or those of the modules that are named"
    public static let options = [
        TuningOption(
            "train-only", .words,
            help: "modules to train, such as attn, mlp or blocks.10,blocks.11; * matches within a component")
    ]

    private static let withoutDecay: Set<String> = ["cls_token", "dist_token", "reg_token", "pos_embed"]

    /// Nil trains everything.
    private let patterns: [ModulePattern]?

    public init(options: TuningOptions) throws {
        let words = options.words("train-only")
        patterns = words.isEmpty ? nil : words.map(ModulePattern.init)
    }

    public func attach(to program: inout Program, of model: any Model) throws {
        for pattern in patterns ?? [] {
            let names = program.parameters.map(\.name)
            if !names.contains(where: pattern.matches) { throw pattern.unmatched(among: names) }
        }
        for parameter in program.parameters where isTrained(parameter.name, of: model) {
            let decays = parameter.shape.rank > 1 && !Self.withoutDecay.contains(parameter.name)
            program.train(program.parameterID(named: parameter.name)!, decays: decays)
        }
    }

    private func isTrained(_ name: String, of model: any Model) -> Bool {
        guard let patterns else { return true }
        return patterns.contains { $0.matches(name) } || model.classifierSites.contains { name.hasPrefix($0 + ".") }
    }

    public func trainableCount(in program: Program, of model: any Model) -> Int {
        var counted: Set<Int> = []
        var count = 0
        for operation in program.operations {
            for parameter in operation.wiring.parameters where counted.insert(parameter.index).inserted {
                let specification = program.parameters[parameter.index]
                if isTrained(specification.name, of: model) { count += specification.shape.count }
            }
        }
        return count
    }
}

/// A pattern for module names: a run of components, in each of which `*` stands for any text.
struct ModulePattern: Sendable {
    private let text: String
    private let components: [Substring]

    init(_ text: String) {
        self.text = text
        components = text.split(separator: ".", omittingEmptySubsequences: false)
    }

    /// Whether a run of the name's components matches.
    func matches(_ name: String) -> Bool {
        let parts = name.split(separator: ".")
        guard parts.count >= components.count else { return false }
        return (0...(parts.count - components.count)).contains { start in
            components.indices.allSatisfy { Self.matches(components[$0], parts[start + $0]) }
        }
    }

    private static func matches(_ pattern: Substring, _ text: Substring) -> Bool {
        let pieces = pattern.split(separator: "*", omittingEmptySubsequences: false)
        guard pieces.count > 1 else { return pattern == text }
        guard text.hasPrefix(pieces[0]), text.hasSuffix(pieces[pieces.count - 1]),
            text.count >= pieces[0].count + pieces[pieces.count - 1].count
        else { return false }
        var rest = text.dropFirst(pieces[0].count).dropLast(pieces[pieces.count - 1].count)
        for piece in pieces.dropFirst().dropLast() where !piece.isEmpty {
            guard let found = rest.firstRange(of: piece) else { return false }
            rest = rest[found.upperBound...]
        }
        return true
    }

    /// What is said where it matches nothing: the nearest run of components that exists.
    func unmatched(among names: [String]) -> UserError {
        var runs: Set<String> = []
        for name in names {
            let parts = name.split(separator: ".")
            for first in parts.indices {
                for last in first..<parts.count { runs.insert(parts[first...last].joined(separator: ".")) }
            }
        }
        let near = NearestName.of(text, among: runs.sorted())
        return UserError(
            "`train-only`: no parameter matches `\(text)`", expected: "a module such as attn, mlp or blocks.0",
            remedy: near.map { "did you mean `\($0)`?" })
    }
}
