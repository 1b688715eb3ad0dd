import SSFCheckpoints
import SSFTensors
import SSFTuning

/// One measurement as a process is asked for it: everything it has to know.
public struct CostRequest: Codable, Sendable, Equatable {
    /// Path of the base model.
    public var checkpoint: String
    public var tuning: TuningConfiguration
    public var part: CostSample.Part
    public var setting: CostSetting

    public init(checkpoint: String, tuning: TuningConfiguration, part: CostSample.Part, setting: CostSetting) {
        (self.checkpoint, self.tuning, self.part, self.setting) = (checkpoint, tuning, part, setting)
    }

    /// Opens the model, attaches the method, and measures, in this process.
    ///
    /// - Throws: `UserError` where the checkpoint cannot be read or the method does not fit.
    public func sample() throws -> CostSample {
        // A merged model is a base with the task's classifier: what `linear` leaves is the same model with other numbers.
        let isMerged = try part == .test && TuningRegistry.method(tuning).mergeObstacle == nil
        var options = TunedModel.Options(
            tuning: isMerged ? TuningConfiguration(method: "linear") : tuning,
            classes: (0..<setting.classes).map { "class \($0)" }, imageSize: (setting.imageSize, setting.imageSize))
        options.precision = setting.precision
        let model = try TunedModel(checkpoint: try Checkpoint.load(checkpoint), options: options)
        return try CostSample.measure(part, of: model, setting: setting)
    }
}
