import SSFGraph
import SSFModels

/// BitFit: every bias that the backbone has is trained, and the classifier.
///
/// - Trains: for a ViT of width d and depth L with hidden width 4 d, d + L (1 + 3 + 1 + 1 + 4 + 1) d + d numbers beside
///   the classifier: those of the patch embedding, of every norm, and of every linear.
/// - Merges: it trains tensors of the base.
/// - Source: arXiv 2106.10199, whose rule is that the name contains "bias".
public struct BiasTuning: TuningMethod {
    public static let name = "bias"
    public static let summary = "train the biases of the backbone (BitFit)"

    public init(options: TuningOptions) {}

    public func attach(to program: inout Program, of model: any Model) throws {
        for parameter in program.parameters where parameter.name.hasSuffix(".bias") {
            program.train(program.parameterID(named: parameter.name)!, decays: false)
        }
        program.trainClassifier(of: model)
    }

    public func trainableCount(in program: Program, of model: any Model) -> Int {
        program.operations.reduce(program.classifierCount(of: model)) { count, operation in
            guard !model.classifierSites.contains(operation.site) else { return count }
            let biases = operation.wiring.parameters.map { program.parameters[$0.index] }
                .filter { $0.name.hasSuffix(".bias") }
            switch operation {
            case let linear as LinearOperation: return count + biases.count * linear.outputChannels
            default: return count + biases.reduce(0) { $0 + $1.shape[0] }
            }
        }
    }
}
