import SSFParallel
import Testing

@Suite struct ThreadLimitTests {
    @Test func theSmallestLimitDecides() {
        #expect(ThreadLimit(processors: 8, ompNumThreads: nil, quota: nil) == limit(8, "affinity mask"))
        #expect(ThreadLimit(processors: 8, ompNumThreads: "3", quota: nil) == limit(3, "OMP_NUM_THREADS"))
        #expect(ThreadLimit(processors: 8, ompNumThreads: "3", quota: 2) == limit(2, "cgroup quota"))
        #expect(ThreadLimit(processors: 2, ompNumThreads: "3", quota: 4) == limit(2, "affinity mask"))
    }

    @Test(arguments: zip([1.0, 1.2, 1.25, 1.5, 2.2, 2.5, 3.75, 7.9], [1, 1, 2, 2, 2, 3, 4, 8]))
    func aQuarterOfACPUIsWorthAThread(quota: Double, threads: Int) {
        #expect(ThreadLimit(processors: 16, ompNumThreads: nil, quota: quota) == limit(threads, "cgroup quota"))
    }

    @Test(arguments: [2.0, 3.5, 1e30, .infinity])
    func aQuotaAboveTheMaskIsNone(_ quota: Double) {
        #expect(ThreadLimit(processors: 2, ompNumThreads: nil, quota: quota) == limit(2, "affinity mask"))
    }

    @Test func aQuotaBelowOneCPUStillGivesAThread() {
        #expect(ThreadLimit(processors: 4, ompNumThreads: nil, quota: 0.3) == limit(1, "cgroup quota"))
    }

    @Test(arguments: ["", " ", "0", "-2", "many", ",", "2,", "2,x", "2,0", "99999999999999999999"])
    func aVariableWithoutAPositiveNumberIsIgnored(_ value: String) {
        #expect(ThreadLimit(processors: 4, ompNumThreads: value, quota: nil) == limit(4, "affinity mask"))
    }

    @Test func ofAListTheFirstNumberCounts() {
        #expect(ThreadLimit(processors: 8, ompNumThreads: " 4,2", quota: nil).threads == 4)
    }

    @Test func thisProcessHasALimit() throws {
        let mask = try #require(CPUMask.inherited)
        #expect((1...mask.cpus.count).contains(ThreadLimit.current.threads))
    }

    /// `ThreadLimit` is what it is made from; the expected one is made from what needs no other rule.
    private func limit(_ threads: Int, _ reason: String) -> ThreadLimit {
        switch reason {
        case "OMP_NUM_THREADS": ThreadLimit(processors: threads + 1, ompNumThreads: "\(threads)", quota: nil)
        case "cgroup quota": ThreadLimit(processors: threads + 1, ompNumThreads: nil, quota: Double(threads))
        default: ThreadLimit(processors: threads, ompNumThreads: nil, quota: nil)
        }
    }
}
