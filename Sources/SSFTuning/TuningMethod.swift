import SSFGraph
import SSFModels
import SSFTensors

/// A way of tuning: what it attaches, what it trains, how many numbers that is, and how it merges.
///
/// A new method is one file that conforms, and one line in `TuningRegistry`.
public protocol TuningMethod: Attachment {
    /// As users name it: `ssf`.
    static var name: String { get }
    /// One line for help and tables.
    static var summary: String { get }
    /// Its settings, in the order of help.
    static var options: [TuningOption] { get }

    /// Whether the space of the trained numbers is the same for every task, without a size that its authors choose
    /// anew for each: "unified parameter space" in Table 1 of arXiv 2210.08823.
    static var hasUnifiedSpace: Bool { get }

    /// - Throws: `UserError` where settings exclude each other.
    init(options: TuningOptions) throws

    /// What should be said of these settings before they are used, in sentences.
    var warnings: [String] { get }

    /// The number of trained numbers, from a formula over the program that the model records: an independent count
    /// that must agree with the parameters that `attach` lets train.
    func trainableCount(in program: Program, of model: any Model) -> Int

    /// Why the tuned model cannot be folded into the weights of the base; nil where it can.
    var mergeObstacle: String? { get }

    /// Folds what the method has attached into the tensors of the base, exactly.
    ///
    /// - Parameters:
    ///   - tensors: the base's tensors, f32, and every trained parameter under its own name.
    ///   - program: as recorded by the model, without the attachment.
    /// - Returns: tensors under the base's names.
    func merge(_ tensors: [String: Tensor], program: Program, model: any Model) throws -> [String: Tensor]

    /// Takes apart what `merge` has folded.
    ///
    /// - Parameter adapter: the trained parameters that were merged.
    /// - Returns: the base's tensors and, in sentences, what could not be recovered.
    func unmerge(_ tensors: [String: Tensor], adapter: [String: Tensor], program: Program, model: any Model) throws -> (
        tensors: [String: Tensor], notes: [String]
    )
}

extension TuningMethod {
    public var name: String { Self.name }
    public static var options: [TuningOption] { [] }
    public static var hasUnifiedSpace: Bool { true }
    public var warnings: [String] { [] }
    public var mergeObstacle: String? { nil }

    /// For methods that train tensors of the base itself: nothing to fold.
    public func merge(_ tensors: [String: Tensor], program: Program, model: any Model) throws -> [String: Tensor] {
        tensors
    }

    /// For methods that train tensors of the base itself: the base's values are not in the merged file.
    public func unmerge(
        _ tensors: [String: Tensor], adapter: [String: Tensor], program: Program, model: any Model
    ) throws -> (tensors: [String: Tensor], notes: [String]) {
        let lost = adapter.keys.filter { name in !model.classifierSites.contains { name.hasPrefix($0 + ".") } }
        guard lost.isEmpty else {
            throw UserError(
                "\(name) tuning replaces \(lost.count) tensors of the base, which the merged file no longer holds",
                remedy: "give the base with --base")
        }
        return (tensors, [])
    }
}

extension Program {
    /// The parameters of the sites, such as `["head"]`, in order.
    func parameters(ofSites sites: [String]) -> [ParameterID] {
        parameters.indices.filter { index in sites.contains { parameters[index].name.hasPrefix($0 + ".") } }
            .map { parameterID(named: parameters[$0].name)! }
    }

    /// Lets the classifier train, as every method does: its weight decays, its bias does not.
    mutating func trainClassifier(of model: any Model) {
        for parameter in parameters(ofSites: model.classifierSites) {
            train(parameter, decays: parameters[parameter.index].shape.rank > 1)
        }
    }

    /// (C + 1) K for each classifier.
    func classifierCount(of model: any Model) -> Int {
        parameters(ofSites: model.classifierSites).reduce(0) { $0 + parameters[$1.index].shape.count }
    }
}
