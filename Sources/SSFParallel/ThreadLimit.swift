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
    ///   - ompNumThreads: the variable as it is set; of a list, "4,2", the first number counts; what is not a positive
    ///     number is ignored, as libomp does.
    ///   - quota: CPUs' worth of time per period that the control group grants. A team larger than that would be
    ///     stopped in the middle of regions, so the fraction is dropped.
    public init(processors: Int, ompNumThreads: String?, quota: Double?) {
        var threads = max(processors, 1)
        var reason = "affinity mask"
        if let first = ompNumThreads?.split(separator: ",").first,
            let wanted = Int(first.filter { $0 != " " }), wanted > 0, wanted < threads
        {
            threads = wanted
            reason = "OMP_NUM_THREADS"
        }
        if let quota, max(Int(quota), 1) < threads {
            threads = max(Int(quota), 1)
            reason = "cgroup quota"
        }
        self.threads = threads
        self.reason = reason
    }

    /// The limit of this process, read once, at the first use.
    public static let current = ThreadLimit(
        processors: CPUMask.inherited?.cpus.count ?? Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))),
        ompNumThreads: Environment.value("OMP_NUM_THREADS"), quota: CgroupQuota.current)
}
