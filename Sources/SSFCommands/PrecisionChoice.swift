import SSFKernels
import SSFTensors

/// What `--precision` says.
enum PrecisionChoice: String, CaseIterable {
    case f32
    case bf16
    /// bf16 where the processor multiplies it, else f32.
    case auto

    var precision: Precision {
        switch self {
        case .f32: .float32
        case .bf16: .bfloat16
        case .auto: InstructionSet.current.multipliesBFloat16 ? .bfloat16 : .float32
        }
    }

    static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }

    /// The precision that a name stands for.
    ///
    /// - Throws: `UserError` with the names that exist.
    static func precision(named name: String) throws -> Precision {
        guard let choice = PrecisionChoice(rawValue: name) else {
            throw UserError("--precision cannot be used", expected: names, found: name)
        }
        return choice.precision
    }
}
