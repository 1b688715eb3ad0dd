import SSFTensors

/// The methods that exist, by name.
public enum TuningRegistry {
    /// In the order of help.
    public static let types: [any TuningMethod.Type] = [
        ScalingAndShifting.self, LinearProbing.self, FullTuning.self, BiasTuning.self, NormTuning.self,
        LowRankTuning.self,
        BottleneckAdapter.self, ParallelAdapter.self, ShallowPromptTuning.self, DeepPromptTuning.self,
        LinearAdapter.self,
    ]

    /// Names and one-line summaries, in the order of help.
    public static var methods: [(name: String, summary: String)] { types.map { ($0.name, $0.summary) } }

    /// The method with this configuration.
    ///
    /// - Throws: `UserError` with the nearest name where there is none, and for options that it does not have or that
    ///   cannot be what they are.
    public static func method(_ configuration: TuningConfiguration) throws -> any TuningMethod {
        let type = try type(named: configuration.method)
        return try type.init(options: TuningOptions(configuration.options, of: type))
    }

    /// The configuration with every option of the method that has a value, checked.
    ///
    /// - Throws: as `method`.
    public static func complete(_ configuration: TuningConfiguration) throws -> TuningConfiguration {
        let type = try type(named: configuration.method)
        return TuningConfiguration(
            method: type.name, options: try TuningOptions(configuration.options, of: type).values)
    }

    /// The kind of method with this name.
    ///
    /// - Throws: `UserError` with the nearest name where there is none.
    public static func type(named name: String) throws -> any TuningMethod.Type {
        if let type = types.first(where: { $0.name == name }) { return type }
        let names = types.map { $0.name }
        throw UserError(
            "there is no method \"\(name)\"", expected: names.joined(separator: ", "),
            remedy: "did you mean \(NearestName.of(name, among: names)!)?")
    }
}
