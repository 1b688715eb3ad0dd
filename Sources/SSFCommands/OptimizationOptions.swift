import ArgumentParser

/// What AdamW and the schedule do.
public struct OptimizationOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: ArgumentHelp("Peak learning rate.", valueName: "rate"))
    public var lr: Double?

    @Option(parsing: .unconditional, help: "AdamW's decoupled weight decay; applies to the head's weight.")
    public var weightDecay: Double?

    @Flag(inversion: .prefixedNo, help: "Let every trainable decay.")
    public var decayAll: Bool?

    @Option(parsing: .unconditional, help: "Epochs of warm-up and cosine together.")
    public var epochs: Int?

    @Option(parsing: .unconditional, help: "Epochs of warm-up; may be a fraction.")
    public var warmupEpochs: Double?

    @Option(parsing: .unconditional, help: "Rate from which the warm-up climbs.")
    public var warmupLr: Double?

    @Option(parsing: .unconditional, help: "Rate at which the cosine ends.")
    public var minLr: Double?

    @Option(parsing: .unconditional, help: "Epochs at the minimum rate after the cosine.")
    public var cooldownEpochs: Int?

    @Flag(
        inversion: .prefixedNo,
        help: "Set the rate anew for every step; the inverse is the SSF reference's rate per epoch.")
    public var schedOnUpdates: Bool?

    @Option(name: [.customShort("b"), .long], parsing: .unconditional, help: "Images of a batch.")
    public var batchSize: Int?

    @Option(parsing: .unconditional, help: "Batches whose gradients make one update.")
    public var gradAccumSteps: Int?

    @Option(parsing: .unconditional, help: ArgumentHelp("Clip gradients to this global norm.", valueName: "norm"))
    public var clipGrad: Double?

    @Option(parsing: .unconditional, help: "Label smoothing.")
    public var smoothing: Double?

    @Option(parsing: .unconditional, help: "Stochastic depth of the last block; earlier blocks have less.")
    public var dropPath: Double?

    @Option(parsing: .unconditional, help: "Seed of everything drawn at random.")
    public var seed: Int?

    public init() {}
}
