import ArgumentParser
import SSFKernels

/// Options of every command that computes.
public struct RuntimeOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "Threads that compute (default: the CPUs this process may use).")
    public var threads: Int?

    @Option(
        help: ArgumentHelp(
            """
            f32, bf16, or auto (bf16 where the processor multiplies it): what frozen weights and the activations between \
            them are multiplied and kept in. Sums, norms, trained numbers and gradients stay f32 (default: f32).
            """, valueName: "type"))
    public var precision: String?

    @Flag(help: "Say nothing but warnings, errors and results.")
    public var quiet = false

    public init() {}

    public func validate() throws {
        if let threads, threads < 1 {
            throw ValidationError("--threads must be 1 or more, not \(threads). Leave it out to use every CPU.")
        }
        if let precision, PrecisionChoice(rawValue: precision) == nil {
            throw ValidationError("--precision must be one of \(PrecisionChoice.names), not \(precision).")
        }
    }

    /// The precision that was asked for.
    package func chosenPrecision() throws -> Precision {
        try precision.map(PrecisionChoice.precision(named:)) ?? .float32
    }
}
