import SSFGraph
import SSFModels

/// Norm tuning: weight and bias of every norm are trained, and the classifier.
///
/// - Trains: 2 d (2 L + 1) numbers for a ViT of width d and depth L, and the classifier; unlike SSF's "only norm", which
///   modulates the 2 L norms of the blocks, the last norm too.
/// - Merges: it trains tensors of the base.
public struct NormTuning: TuningMethod {
    public static let name = "ln"
    public static let summary = "train weight and bias of every norm"

    public init(options: TuningOptions) {}

    public func attach(to program: inout Program, of model: any Model) throws {
        for operation in program.operations where operation is LayerNormOperation || operation is QueryKeyNormOperation
        {
            for parameter in operation.wiring.parameters { program.train(parameter, decays: false) }
        }
        program.trainClassifier(of: model)
    }

    public func trainableCount(in program: Program, of model: any Model) -> Int {
        program.operations.reduce(program.classifierCount(of: model)) { count, operation in
            switch operation {
            case is LayerNormOperation:
                count + operation.wiring.parameters.count * program.shape(of: operation.wiring.output)[-1]
            case is QueryKeyNormOperation:
                count + operation.wiring.parameters.reduce(0) { $0 + program.parameters[$1.index].shape[0] }
            default: count
            }
        }
    }
}
