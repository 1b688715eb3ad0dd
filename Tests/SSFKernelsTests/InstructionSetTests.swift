import SSFKernels
import Testing

@Suite struct InstructionSetTests {
    typealias Selection = InstructionSet.Selection

    @Test func theWidestSetIsTheDefault() {
        #expect(
            Selection(wish: nil, available: [.baseline, .avx2]) == Selection(wish: "", available: [.baseline, .avx2]))
        #expect(Selection(wish: nil, available: [.baseline, .avx2]).set == .avx2)
        #expect(Selection(wish: nil, available: [.baseline]).problem == nil)
    }

    @Test func aWishIsGrantedWhereTheMachineHasIt() {
        let selection = Selection(wish: "AVX2", available: InstructionSet.allCases)
        #expect(selection.set == .avx2)
        #expect(selection.problem == nil)
    }

    @Test func anUnknownWishNamesWhatThereIs() throws {
        let selection = Selection(wish: "avx9", available: [.baseline, .avx2])
        #expect(selection.set == .avx2)
        let problem = try #require(selection.problem)
        #expect(problem.contains("avx9") && problem.contains("baseline, avx2"))
    }

    @Test func aWishBeyondTheMachineIsAProblem() throws {
        let selection = Selection(wish: "avx512", available: [.baseline])
        #expect(selection.set == .baseline)
        #expect(try #require(selection.problem).contains("lacks it"))
    }

    @Test func everyTableOfThisMachineIsForAnAvailableSet() {
        #expect(KernelTable.available.map(\.instructionSet) == InstructionSet.allCases.filter(\.isAvailable))
        #expect(KernelTable.available.first?.instructionSet == .baseline)
        #expect(KernelTable.current.instructionSet == InstructionSet.selection.set)
    }
}
