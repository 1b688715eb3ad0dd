import ArgumentParser

/// What the optimiser and the schedule do.
public struct OptimizationOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Optimiser: adamw, sgd (Nesterov's momentum) or momentum (classical) (default: adamw).", valueName: "name"))
    public var opt: String?

    @Option(parsing: .unconditional, help: "Momentum of sgd (default: 0.9).")
    public var momentum: Double?

    @Option(parsing: .unconditional, help: ArgumentHelp("Peak learning rate.", valueName: "rate"))
    public var lr: Double?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Peak learning rate of a batch of --lr-base-size images, from which that of this run follows (default with "
                + "sgd: 0.1).",
            valueName: "rate"))
    public var lrBase: Double?

    @Option(parsing: .unconditional, help: ArgumentHelp("See --lr-base (default: 256).", valueName: "images"))
    public var lrBaseSize: Int?

    @Option(
        help: ArgumentHelp(
            "How the rate follows the images of an update: linear or sqrt (default: sqrt with adamw, else linear).",
            valueName: "how"))
    public var lrBaseScale: String?

    @Option(
        parsing: .unconditional,
        help: "Weight decay of the head's weight: decoupled with adamw, added to the gradient with sgd.")
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
