/// The micro-kernels of one instruction set: what every entry dispatches through.
///
/// One line per operation. An operation's own table, a struct of function pointers and tile sizes with an initialiser
/// from an `InstructionSet`, stands in the operation's file (`GEMMTable.swift`, ...).
package final class KernelTable: Sendable {
    package let instructionSet: InstructionSet

    let gemm: GEMMTable
    let peak: PeakTable

    private init(_ set: InstructionSet) {
        instructionSet = set
        gemm = GEMMTable(set)
        peak = PeakTable(set)
    }

    /// The tables that this machine can run, narrowest first.
    package static let available: [KernelTable] = InstructionSet.allCases.filter(\.isAvailable).map(KernelTable.init)

    /// The table that is used when nothing else is asked for.
    package static let current: KernelTable = available.last!
}
