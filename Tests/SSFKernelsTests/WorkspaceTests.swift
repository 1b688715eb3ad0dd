import SSFKernels
import Testing

@Suite struct WorkspaceTests {
    @Test func memoryIsAlignedAndGrows() {
        let workspace = Workspace()
        let first = workspace.reserve(bytes: 100)
        #expect(Int(bitPattern: first) % 64 == 0)
        let second = workspace.reserve(bytes: 10_000)
        #expect(Int(bitPattern: second) % 64 == 0)
        second.storeBytes(of: 1, toByteOffset: 9_999, as: UInt8.self)
        #expect(workspace.reserve(bytes: 5_000) == second, "it never shrinks and never moves without need")
    }
}
