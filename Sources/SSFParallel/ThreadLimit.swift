#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How many threads a process may use, and what says so.
public struct ThreadLimit: Sendable, Equatable {
    /// The smallest of the limits below, at least 1.
    public let threads: Int
    /// What sets `threads`, for a report: "affinity mask", "OMP_NUM_THREADS" or "cgroup quota".
    public let reason: String

    /// - Parameters:
    ///   - processors: CPUs in the affinity mask of the process.
    ///   - ompNumThreads: the variable as it is set; of a list, "4,2", the first number counts; what is not positive
    ///     numbers is ignored.
    ///   - quota: CPUs' worth of time per period that the control group grants. A team larger than that is stopped for
    ///     a part of every period, a smaller one leaves time unused: a quarter of a CPU or more counts as one. (Matrix
    ///     products of 3152 x 768 x 768 on 2 threads under a quota of 1.5 CPUs run 1.5 times as fast as on one, and
    ///     those of a tenth of a millisecond 1.1 times; under 1.2 CPUs it is 1.2 and 0.9 times.)
    public init(processors: Int, ompNumThreads: String?, quota: Double?) {
        var threads = max(processors, 1)
        var reason = "affinity mask"
        if let ompNumThreads, let wanted = Self.counts(ompNumThreads)?.first, wanted < threads {
            threads = wanted
            reason = "OMP_NUM_THREADS"
        }
        // Above any number of CPUs a quota is none; it might not fit an Int.
        if let quota, quota < Double(threads) {
            let granted = max(Int((quota + 0.75).rounded(.down)), 1)
            if granted < threads {
                threads = granted
                reason = "cgroup quota"
            }
        }
        self.threads = threads
        self.reason = reason
    }

    /// The numbers of a list such as "4,2", if there is one, all of them are numbers and positive.
    private static func counts(_ list: String) -> [Int]? {
        let counts = list.split(separator: ",", omittingEmptySubsequences: false).map { field in
            Int(field.filter { !$0.isWhitespace }) ?? 0
        }
        return counts.allSatisfy { $0 > 0 } ? counts : nil
    }

    /// Whether `OMP_NUM_THREADS` may have this value.
    static func isCountList(_ value: String) -> Bool { counts(value) != nil }

    /// The limit of this process, read once, at the first use.
    public static let current = ThreadLimit(
        processors: CPUMask.inherited?.cpus.count ?? Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))),
        ompNumThreads: Environment.value("OMP_NUM_THREADS"), quota: CgroupQuota.current)
}
