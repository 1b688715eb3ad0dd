import SSFGraph
import SSFTuning

/// What Table 2 of arXiv 2210.08823 says that a method adds to a vision transformer.
///
/// With d the width, L the layers, T the tokens of an image with the class token (the table writes N^2), d' the width of
/// an adapter, n prompts and m the coefficients of SSF in a layer over d:
///
///     method        parameters   operations of an image
///     Adapter       2 L d d'     2 T L d d'
///     VPT-Shallow   n d          2 n (2 T + n) d
///     VPT-Deep      n L d        2 n (2 T + n) L d
///     SSF           m L d        m T L d                none of either at inference
///
/// Those of Adapter and VPT are multiply-adds; those of SSF are a multiplication and an addition for each number, which
/// is one multiply-add. The formulas of VPT count what prompts add to the two products of tokens by tokens and nothing
/// of what the prompts themselves cost as tokens in every linear layer, and that of VPT-Shallow counts one layer,
/// though the prompts pass through all: `CostCounts` has what they really add.
public struct PublishedComplexity: Codable, Sendable, Equatable {
    public var parameters: Int
    public var operations: Int
    /// Whether both are added at inference too.
    public var holdsAtInference: Bool

    enum CodingKeys: String, CodingKey {
        case parameters, operations
        case holdsAtInference = "holds_at_inference"
    }

    public init(parameters: Int, operations: Int, holdsAtInference: Bool) {
        (self.parameters, self.operations, self.holdsAtInference) = (parameters, operations, holdsAtInference)
    }

    /// The sizes that the formulas speak of.
    public struct Sizes: Sendable, Equatable {
        public var width: Int
        public var layers: Int
        public var tokens: Int

        public init(width: Int, layers: Int, tokens: Int) {
            (self.width, self.layers, self.tokens) = (width, layers, tokens)
        }

        /// Of a program without a method; nil where it does not attend among tokens.
        init?(_ program: Program) {
            let attentions = program.operations.filter { $0 is AttentionOperation }
            guard let first = attentions.first else { return nil }
            let shape = program.shape(of: first.wiring.output)
            self.init(width: shape[2], layers: attentions.count, tokens: shape[1])
        }
    }

    public static func adapter(_ sizes: Sizes, bottleneck: Int) -> Self {
        let parameters = 2 * sizes.layers * sizes.width * bottleneck
        return Self(parameters: parameters, operations: sizes.tokens * parameters, holdsAtInference: true)
    }

    public static func shallowPrompts(_ sizes: Sizes, prompts n: Int) -> Self {
        Self(
            parameters: n * sizes.width, operations: 2 * n * (2 * sizes.tokens + n) * sizes.width,
            holdsAtInference: true)
    }

    public static func deepPrompts(_ sizes: Sizes, prompts n: Int) -> Self {
        let shallow = shallowPrompts(sizes, prompts: n)
        return Self(
            parameters: sizes.layers * shallow.parameters, operations: sizes.layers * shallow.operations,
            holdsAtInference: true)
    }

    /// - Parameter m: 22 for a ViT: a scale and a shift behind two norms, qkv (3), proj, fc1 (4) and fc2.
    public static func scalingAndShifting(_ sizes: Sizes, m: Int = 22) -> Self {
        let parameters = m * sizes.layers * sizes.width
        return Self(parameters: parameters, operations: sizes.tokens * parameters, holdsAtInference: false)
    }

    /// The row of a method; nil where the table has none, or has it for other settings.
    static func of(_ tuning: TuningConfiguration, _ sizes: Sizes) throws -> PublishedComplexity? {
        let options = try TuningRegistry.complete(tuning).options
        switch tuning.method {
        case "adapter":
            guard options["form"]?.string == "pfeiffer" else { return nil }
            let reduction = options["reduction"]?.integer ?? 64
            return adapter(sizes, bottleneck: options["bottleneck"]?.integer ?? sizes.width / reduction)
        case "vpt-shallow": return options["prompts"]?.integer.map { shallowPrompts(sizes, prompts: $0) }
        case "vpt-deep": return options["prompts"]?.integer.map { deepPrompts(sizes, prompts: $0) }
        case "ssf":
            let standard = try TuningRegistry.complete(TuningConfiguration(method: "ssf")).options
            // How the numbers begin changes none of them.
            let isStandard = options.filter { $0.key != "init" } == standard.filter { $0.key != "init" }
            return isStandard ? scalingAndShifting(sizes) : nil
        default: return nil
        }
    }
}
