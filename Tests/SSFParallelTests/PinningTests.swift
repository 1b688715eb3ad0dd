import SSFParallel
import Testing

@Suite(.serialized) struct PinningTests {
    @Test func aTeamThatFillsTheMaskIsPinned() {
        let decision = Parallel.pinningDecision(mask: [2, 5], threads: 2, ssfPin: nil, ompVariables: [])
        #expect(decision == .pinned(cpus: [2, 5]))
    }

    @Test func whateverSpeaksAgainstItIsNamed() {
        func reason(_ mask: [Int], _ threads: Int, _ ssfPin: String?, _ variables: [String]) -> String? {
            guard
                case .unpinned(let reason) = Parallel.pinningDecision(
                    mask: mask, threads: threads, ssfPin: ssfPin, ompVariables: variables)
            else { return nil }
            return reason
        }
        #expect(reason([0, 1], 2, "0", []) == "SSF_PIN=0")
        #expect(reason([0, 1], 2, nil, ["OMP_PROC_BIND"])?.contains("OMP_PROC_BIND") == true)
        #expect(reason([0], 1, nil, []) == "one thread")
        #expect(reason([0, 1, 2], 2, nil, []) == "2 threads on 3 CPUs")
        #expect(reason([0, 1], 2, "1", []) == nil)
    }

    @Test func aMaskIsItsCPUs() {
        #expect(CPUMask(cpus: [70, 3, 3]).cpus == [3, 70])
        #expect(CPUMask(cpus: [1, 130]) == CPUMask(cpus: [130, 1]))
    }

    /// Binds this thread to one CPU and gives it its mask back.
    @Test func theInheritedMaskComesBack() throws {
        let inherited = try #require(CPUMask.inherited)
        let one = CPUMask(cpus: [inherited.cpus[0]])
        #expect(one.applyToCurrentThread())
        #expect(CPUMask.ofCurrentThread() == one)
        Parallel.withInheritedMask { #expect(CPUMask.ofCurrentThread() == inherited) }
        #expect(CPUMask.ofCurrentThread() == one)
        Parallel.restoreInheritedMask()
        #expect(CPUMask.ofCurrentThread() == inherited)
    }

    /// In a process of its own, because pinning is for ever.
    @Test func aPinnedProgramHasOneCPUPerThread() async {
        await #expect(processExitsWith: .success) {
            guard case .pinned(let cpus) = Parallel.pinProgram() else { return }
            struct Job { var seen: UnsafeMutablePointer<Int> }
            let seen = UnsafeMutablePointer<Int>.allocate(capacity: cpus.count)
            defer { seen.deallocate() }
            seen.initialize(repeating: -1, count: cpus.count)
            for _ in 0..<20 {
                Parallel.run(chunks: 50, team: cpus.count, context: Job(seen: seen)) { context, _, slot in
                    let mask = CPUMask.ofCurrentThread()?.cpus ?? []
                    context.assumingMemoryBound(to: Job.self).pointee.seen[slot] = mask.count == 1 ? mask[0] : -2
                }
            }
            precondition((0..<cpus.count).allSatisfy { seen[$0] == -1 || seen[$0] == cpus[$0] })
            precondition(seen[0] == cpus[0])
        }
    }
}
