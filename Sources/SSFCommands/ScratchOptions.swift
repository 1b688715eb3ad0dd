import ArgumentParser

/// A model that begins with random weights instead of a checkpoint.
public struct ScratchOptions: ParsableArguments {
    @Flag(help: "Begin with random weights in a vision transformer of the size below instead of --model.")
    public var fromScratch = false

    @Option(parsing: .unconditional, help: "Height and width of a patch.")
    public var patchSize: Int?

    @Option(parsing: .unconditional, help: "Channels.")
    public var embedDim: Int?

    @Option(parsing: .unconditional, help: "Blocks.")
    public var depth: Int?

    @Option(parsing: .unconditional, help: "Attention heads.")
    public var numHeads: Int?

    @Option(parsing: .unconditional, help: "Width of the MLP over that of the block.")
    public var mlpRatio: Double?

    public init() {}

    public func validate() throws {
        for (name, value) in [
            ("patch-size", patchSize), ("embed-dim", embedDim), ("depth", depth), ("num-heads", numHeads),
        ] {
            if let value, value < 1 { throw ValidationError("--\(name) must be 1 or more, not \(value).") }
        }
        if let embedDim, let numHeads, embedDim % numHeads != 0 {
            throw ValidationError("--embed-dim \(embedDim) is not divisible by --num-heads \(numHeads).")
        }
    }
}
