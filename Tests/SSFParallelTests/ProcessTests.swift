import Foundation
import SSFParallel
import Synchronization
import Testing

/// Whole processes under real limits. Each test runs in a process of its own, because limits are read once.
@Suite(.serialized) struct ProcessTests {
    /// Runs a region of many chunks, and stops the process if one of them was not done once.
    private static func useTheTeam() {
        struct Job { var counts: UnsafeMutablePointer<Int> }
        let counts = UnsafeMutablePointer<Int>.allocate(capacity: 1000)
        counts.initialize(repeating: 0, count: 1000)
        defer { counts.deallocate() }
        Parallel.run(chunks: 1000, context: Job(counts: counts)) { context, chunk, _ in
            context.assumingMemoryBound(to: Job.self).pointee.counts[chunk] += 1
        }
        precondition((0..<1000).allSatisfy { counts[$0] == 1 })
    }

    @Test(arguments: CPUMask.inherited?.cpus.prefix(4) ?? [])
    func aProcessOnOneCPUHasOneThread(_ cpu: Int) async {
        await #expect(processExitsWith: .success) { [cpu] in
            precondition(CPUMask(cpus: [cpu]).applyToCurrentThread())
            precondition(ThreadLimit.current.threads == 1 && ThreadLimit.current.reason == "affinity mask")
            precondition(Parallel.pinProgram() == .unpinned(reason: "one thread"))
            Self.useTheTeam()
        }
    }

    @Test(arguments: ["1", "1,4", " 1"])
    func ompNumThreadsIsRead(_ value: String) async {
        await #expect(processExitsWith: .success) { [value] in
            setenv("OMP_NUM_THREADS", value, 1)
            precondition(Parallel.threads == 1)
            Self.useTheTeam()
        }
    }

    @Test(arguments: ["many", "0", "-3", "", " ", "2,x"])
    func ompNumThreadsThatIsNoNumberLeavesTheMask(_ value: String) async {
        await #expect(processExitsWith: .success) { [value] in
            setenv("OMP_NUM_THREADS", value, 1)
            precondition(ThreadLimit.current.reason != "OMP_NUM_THREADS")
            Self.useTheTeam()
        }
    }

    /// The rounding of fractions is `ThreadLimitTests`' matter; here a group gives half a CPU.
    @Test(.enabled(if: QuotaGroup.canBeMade, "control groups cannot be made here"))
    func aQuotaOfTheControlGroupIsFound() async throws {
        let group = try #require(QuotaGroup(percent: 50))
        defer { group.remove() }
        await #expect(processExitsWith: .success) { [members = group.members as String] in
            try "\(getpid())".write(toFile: members, atomically: false, encoding: .utf8)
            precondition(ThreadLimit.current.threads == 1)
            precondition(ThreadLimit.current.reason == "cgroup quota" || CPUMask.inherited?.cpus.count == 1)
            Self.useTheTeam()
        }
    }

    /// Threads that waited by spinning for libomp's default of 200 ms would show.
    @Test func idleThreadsTakeNoTime() async {
        await #expect(processExitsWith: .success) {
            func secondsOfCPU() -> Double { Double(clock()) / Double(CLOCKS_PER_SEC) }
            for _ in 0..<3 {
                Self.useTheTeam()
                let before = secondsOfCPU()
                usleep(300_000)
                let taken = secondsOfCPU() - before
                precondition(taken < 0.05, "\(taken) s of CPU time in 0.3 idle seconds")
            }
        }
    }

    @Test func aChildOfAPinnedProgramHasTheWholeMask() async {
        await #expect(processExitsWith: .success) {
            _ = Parallel.pinProgram()
            let child = Process()
            child.executableURL = URL(fileURLWithPath: "/bin/cat")
            child.arguments = ["/proc/self/status"]
            let output = Pipe()
            child.standardOutput = output
            try Parallel.withInheritedMask { try child.run() }
            let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            child.waitUntilExit()
            // "Cpus_allowed_list:\t0-3,8"
            let line = text.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") }
            let ranges = line?.split(separator: "\t").last?.split(separator: ",") ?? []
            let cpus = ranges.flatMap { range in
                let ends = range.split(separator: "-").compactMap { Int($0) }
                return Array(ends[0]...ends[ends.count - 1])
            }
            precondition(cpus == CPUMask.inherited?.cpus, "\(cpus)")
        }
    }

    /// Several threads that enter regions at the same time: one has the team, the others run theirs alone.
    @Test func regionsOfSeveralThreadsDoNotWaitForOneAnother() async {
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    struct Job { var sums: UnsafeMutablePointer<Int> }
                    let sums = UnsafeMutablePointer<Int>.allocate(capacity: 64)
                    sums.initialize(repeating: 0, count: 64)
                    defer { sums.deallocate() }
                    for _ in 0..<300 {
                        Parallel.run(chunks: 64, team: 3, context: Job(sums: sums)) { context, chunk, _ in
                            context.assumingMemoryBound(to: Job.self).pointee.sums[chunk] += chunk
                        }
                    }
                    return (0..<64).allSatisfy { sums[$0] == 300 * $0 }
                }
            }
            for await isRight in group { #expect(isRight) }
        }
    }
}

/// A control group with a quota, made beside those of the machine, of whichever version is there.
private struct QuotaGroup {
    let folder: String

    /// The file that a process writes its number to in order to join.
    var members: String { folder + "/cgroup.procs" }

    static let canBeMade: Bool = {
        guard let group = QuotaGroup(percent: 50) else { return false }
        group.remove()
        return true
    }()

    /// - Parameter percent: of one CPU.
    init?(percent: Int) {
        let files = FileManager.default
        for parent in ["/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup"] {
            let folder = parent + "/ssf-test-\(getpid())"
            guard mkdir(folder, 0o755) == 0 else { continue }
            let version1 = folder + "/cpu.cfs_quota_us"
            let version2 = folder + "/cpu.max"
            do {
                if files.fileExists(atPath: version1) {
                    try "\(percent * 1000)".write(toFile: version1, atomically: false, encoding: .utf8)
                    self.folder = folder
                    return
                } else if files.fileExists(atPath: version2) {
                    try "\(percent * 1000) 100000".write(toFile: version2, atomically: false, encoding: .utf8)
                    self.folder = folder
                    return
                }
            } catch {}
            rmdir(folder)
        }
        return nil
    }

    func remove() { rmdir(folder) }
}
