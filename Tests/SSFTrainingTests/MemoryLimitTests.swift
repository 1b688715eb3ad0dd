import SSFGraph
import SSFTensors
import SSFTraining
import Testing

@Suite("Memory")
struct MemoryLimitTests {
    @Test("A need beyond the machine's memory is refused with both figures")
    func beyond() throws {
        try MemoryLimit.check(bytes: 8_000_000_000, for: "training", physical: 8_000_000_000)
        let error = #expect(throws: UserError.self) {
            try MemoryLimit.check(bytes: 51_200_000_000, for: "training", physical: 8_000_000_000)
        }
        #expect(error?.found?.contains("51 GB") == true)
        #expect(error?.expected?.contains("8.0 GB") == true)
        #expect(error?.remedy?.contains("--batch-size") == true)
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
