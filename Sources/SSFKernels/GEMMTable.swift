/// The matrix product of one instruction set: its tiles and blocking.
struct GEMMTable: Sendable {
    /// Columns of one packed panel of B.
    let panelColumns: Int

    init(_ set: InstructionSet) {
        switch set {
        case .baseline: panelColumns = 8
        case .avx2: panelColumns = 16
        case .avx512: panelColumns = 32
        }
    }
}
