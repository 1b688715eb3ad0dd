/// The CPU time that Linux control groups grant a process, as a number of CPUs.
package enum CgroupQuota {
    /// The tightest quota of the group of this process and its ancestors; nil where there is none.
    package static let current: Double? = {
        guard let membership = Environment.text(ofFile: "/proc/self/cgroup") else { return nil }
        return tightest(membership: membership) { Environment.text(ofFile: $0) }
    }()

    /// - Parameters:
    ///   - membership: `/proc/self/cgroup`: lines `id:controllers:path`, with id 0 and no controllers for version 2.
    ///   - read: the text of a file by its absolute path, or nil.
    package static func tightest(membership: String, read: (String) -> String?) -> Double? {
        var quotas: [Double] = []
        for line in membership.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            if fields[0] == "0", fields[1].isEmpty {
                for group in ancestry(fields[2]) {
                    quotas += [version2(read("/sys/fs/cgroup\(group)/cpu.max"))].compactMap { $0 }
                }
            } else if fields[1].split(separator: ",").contains("cpu") {
                for mount in ["/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"] {
                    for group in ancestry(fields[2]) {
                        let folder = mount + group
                        quotas += [
                            version1(
                                quota: read("\(folder)/cpu.cfs_quota_us"), period: read("\(folder)/cpu.cfs_period_us"))
                        ].compactMap { $0 }
                    }
                }
            }
        }
        return quotas.min()
    }

    /// "/a/b" gives "/a/b", "/a", "": the root last, which is where a container sees its own group.
    private static func ancestry(_ path: Substring) -> [String] {
        var groups: [String] = []
        var parts = path.split(separator: "/")
        while !parts.isEmpty {
            groups.append("/" + parts.joined(separator: "/"))
            parts.removeLast()
        }
        return groups + [""]
    }

    /// `cpu.max`: "quota period" in microseconds, or "max period".
    private static func version2(_ text: String?) -> Double? {
        guard let fields = text?.split(whereSeparator: \.isWhitespace), fields.count == 2 else { return nil }
        return ratio(Double(fields[0]), Double(fields[1]))
    }

    /// `cpu.cfs_quota_us` is -1 where there is no quota.
    private static func version1(quota: String?, period: String?) -> Double? {
        func number(_ text: String?) -> Double? {
            text?.split(whereSeparator: \.isWhitespace).first.flatMap { Double($0) }
        }
        return ratio(number(quota), number(period))
    }

    private static func ratio(_ quota: Double?, _ period: Double?) -> Double? {
        guard let quota, let period, quota > 0, period > 0 else { return nil }
        return quota / period
    }
}
