import SSFGraph
import SSFTensors
import SSFTraining
import Testing

@Suite("Memory")
struct MemoryLimitTests {
    @Test("A need beyond what is allowed is refused with both figures")
    func beyond() throws {
        let machine = MemoryLimit.Allowance(physical: 8_000_000_000, group: nil)
        try MemoryLimit.check(bytes: 8_000_000_000, for: "training", allowed: machine)
        let error = #expect(throws: UserError.self) {
            try MemoryLimit.check(bytes: 51_200_000_000, for: "training", allowed: machine)
        }
        #expect(error?.found?.contains("51 GB") == true)
        #expect(error?.expected == "at most 8.0 GB, which this machine has")
        #expect(error?.remedy?.contains("--batch-size") == true)
    }

    @Test("A control group counts where it allows less than the machine has")
    func group() throws {
        let inside = MemoryLimit.Allowance(physical: 8_000_000_000, group: 512_000_000)
        #expect(inside.bytes == 512_000_000)
        let error = #expect(throws: UserError.self) {
            try MemoryLimit.check(bytes: 600_000_000, for: "training", allowed: inside)
        }
        #expect(error?.expected == "at most 512 MB, which the control group of this process allows")
        #expect(MemoryLimit.Allowance(physical: 8_000_000_000, group: 9_000_000_000).bytes == 8_000_000_000)
    }

    @Test("What an executor will need is known before it is made", arguments: [ExecutionMode.training, .inference])
    func planned(mode: ExecutionMode) throws {
        let model = try TinyTask.model()
        let program = try model.program(batch: 3, mode: mode)
        let made = try model.executor(batch: 3, mode: mode).plannedByteCount
        #expect(made > 0)
        #expect(Executor.plannedByteCount(of: program, mode: mode) == made)
    }
}
