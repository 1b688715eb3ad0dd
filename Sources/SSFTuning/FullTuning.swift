import SSFGraph
import SSFModels

/// Full fine-tuning: every parameter is trained.
///
/// Matrices decay by default; biases, norms, layer scales, tokens and the position embedding do not, as timm groups
/// them.
public struct FullTuning: TuningMethod {
    public static let name = "full"
    public static let summary = "train every parameter"

    private static let withoutDecay: Set<String> = ["cls_token", "dist_token", "reg_token", "pos_embed"]

    public init() {}

    public func attach(to program: inout Program, of model: any Model) throws {
        for parameter in program.parameters {
            let decays = parameter.shape.rank > 1 && !Self.withoutDecay.contains(parameter.name)
            program.train(program.parameterID(named: parameter.name)!, decays: decays)
        }
    }

    public func trainableCount(in program: Program, of model: any Model) -> Int {
        program.parameters.reduce(0) { $0 + $1.shape.count }
    }
}
