import ArgumentParser

/// What AdamW and the schedule do.
public struct OptimizationOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Peak learning rate.", valueName: "rate"))
    public var lr: Double?

    @Option(help: "AdamW's decoupled weight decay; applies to the head's weight.")
    public var weightDecay: Double?

    @Flag(inversion: .prefixedNo, help: "Let every trainable decay.")
    public var decayAll: Bool?

    @Option(help: "Epochs of warm-up and cosine together.")
    public var epochs: Int?

    @Option(help: "Epochs of warm-up; may be a fraction.")
    public var warmupEpochs: Double?

    @Option(help: "Rate from which the warm-up climbs.")
    public var warmupLr: Double?

    @Option(help: "Rate at which the cosine ends.")
    public var minLr: Double?

    @Option(help: "Epochs at the minimum rate after the cosine.")
    public var cooldownEpochs: Int?

    @Flag(
        inversion: .prefixedNo,
        help: "Set the rate anew for every step; the inverse is the SSF reference's rate per epoch.")
    public var schedOnUpdates: Bool?

    @Option(name: [.customShort("b"), .long], help: "Images of a batch.")
    public var batchSize: Int?

    @Option(help: "Batches whose gradients make one update.")
    public var gradAccumSteps: Int?

    @Option(help: ArgumentHelp("Clip gradients to this global norm.", valueName: "norm"))
    public var clipGrad: Double?

    @Option(help: "Label smoothing.")
    public var smoothing: Double?

    @Option(help: "Stochastic depth of the last block; earlier blocks have less.")
    public var dropPath: Double?

    @Option(help: "Seed of everything drawn at random.")
    public var seed: Int?

    public init() {}
}
