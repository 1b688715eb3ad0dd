import SSFGraph
import SSFModels

/// Linear probing: the classifier alone is trained, (C + 1) K numbers.
public struct LinearProbing: TuningMethod {
    public static let name = "linear"
    public static let summary = "train the classifier alone on frozen features"

    public init(options: TuningOptions) {}

    public func attach(to program: inout Program, of model: any Model) throws {
        program.trainClassifier(of: model)
    }

    public func trainableCount(in program: Program, of model: any Model) -> Int {
        program.classifierCount(of: model)
    }
}
