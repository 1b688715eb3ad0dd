/// What a run will take, from steps that were measured on this machine.
public struct RunEstimate: Sendable, Equatable {
    /// One optimiser step.
    public var secondsPerStep: Double
    /// Evaluating the validation part once.
    public var secondsPerEvaluation: Double
    public var steps: Int
    public var evaluations: Int
    /// Computing the features that are kept, once; 0 where there are none.
    public var secondsForFeatures: Double
    /// Weights, trainables with their gradient and moments, and the buffers of the programs.
    public var bytes: Int

    public init(
        secondsPerStep: Double, secondsPerEvaluation: Double, steps: Int, evaluations: Int, bytes: Int,
        secondsForFeatures: Double = 0
    ) {
        self.secondsPerStep = secondsPerStep
        self.secondsPerEvaluation = secondsPerEvaluation
        self.steps = steps
        self.evaluations = evaluations
        self.bytes = bytes
        self.secondsForFeatures = secondsForFeatures
    }

    public var seconds: Double {
        secondsForFeatures + secondsPerStep * Double(steps) + secondsPerEvaluation * Double(evaluations)
    }
}
