/// The micro-kernels of one instruction set: what every entry dispatches through.
///
/// One line per operation. An operation's own table, a struct of function pointers and tile sizes with an initialiser
/// from an `InstructionSet`, stands in the operation's file (`GEMMTable.swift`, ...).
package final class KernelTable: Sendable {
    package let instructionSet: InstructionSet

    let gemm: GEMMTable
    let layerNorm: LayerNormTable
    let scaleShift: ScaleShiftTable
    let columnSum: ColumnSumTable
    let gelu: GELUTable
    let softmax: SoftmaxTable
    let attention: AttentionTable
    let crossEntropy: CrossEntropyTable
    let adamW: AdamWTable
    let sgd: SGDTable
    let elementwise: ElementwiseTable
    let elementaryFunctions: ElementaryFunctionsTable
    let patches: PatchesTable
    let bfloat16: BFloat16Table
    let planeForces: PlaneForcesTable
    let gridFourier: GridFourierTable
    let candidates: CandidatesTable
    let peak: PeakTable

    private init(_ instructionSet: InstructionSet) {
        self.instructionSet = instructionSet
        let set = instructionSet.singlePrecision
        gemm = GEMMTable(instructionSet)
        layerNorm = LayerNormTable(set)
        scaleShift = ScaleShiftTable(set)
        columnSum = ColumnSumTable(set)
        gelu = GELUTable(set)
        softmax = SoftmaxTable(set)
        attention = AttentionTable(instructionSet)
        crossEntropy = CrossEntropyTable(set)
        adamW = AdamWTable(set)
        sgd = SGDTable(set)
        elementwise = ElementwiseTable(set)
        elementaryFunctions = ElementaryFunctionsTable(set)
        patches = PatchesTable(set)
        bfloat16 = BFloat16Table(set)
        planeForces = PlaneForcesTable(set)
        gridFourier = GridFourierTable(set)
        candidates = CandidatesTable(set)
        peak = PeakTable(instructionSet)
    }

    /// Whether its instruction set multiplies bfloat16. Where not, products of bfloat16 are computed in single precision.
    package var multipliesBFloat16: Bool { instructionSet == .avx512bf16 }

    /// The tables that this machine can run, narrowest first.
    package static let available: [KernelTable] = InstructionSet.allCases.filter { $0.isAvailable }.map(
        KernelTable.init)

    /// The table that is used when nothing else is asked for: the widest, or the one that `SSF_ISA` names.
    package static let current: KernelTable = available.first { $0.instructionSet == .current } ?? available[0]
}
