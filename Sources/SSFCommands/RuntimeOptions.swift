import ArgumentParser

/// Options of every command that computes.
public struct RuntimeOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "Threads that compute (default: the CPUs this process may use).")
    public var threads: Int?

    @Option(help: "Arithmetic and storage of numbers: f32.")
    public var precision: String?

    @Flag(help: "Say nothing but warnings, errors and results.")
    public var quiet = false

    public init() {}

    public func validate() throws {
        if let threads, threads < 1 {
            throw ValidationError("--threads must be 1 or more, not \(threads). Leave it out to use every CPU.")
        }
        if let precision, precision != "f32" {
            throw ValidationError("--precision must be f32, not \(precision).")
        }
    }
}
