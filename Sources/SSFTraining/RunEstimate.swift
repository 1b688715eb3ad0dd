/// What a run will take, from steps that were measured on this machine.
public struct RunEstimate: Sendable, Equatable {
    /// One optimiser step.
    public var secondsPerStep: Double
    /// Evaluating the validation part once.
    public var secondsPerEvaluation: Double
    public var steps: Int
    public var evaluations: Int
    /// Weights, trainables with their gradient and moments, and the buffers of the programs.
    public var bytes: Int

    public init(secondsPerStep: Double, secondsPerEvaluation: Double, steps: Int, evaluations: Int, bytes: Int) {
        self.secondsPerStep = secondsPerStep
        self.secondsPerEvaluation = secondsPerEvaluation
        self.steps = steps
        self.evaluations = evaluations
        self.bytes = bytes
    }

    public var seconds: Double {
        secondsPerStep * Double(steps) + secondsPerEvaluation * Double(evaluations)
    }
}
