/// The CPU time that Linux control groups grant a process, as a number of CPUs.
package enum CgroupQuota {
    /// The tightest quota of the group of this process and its ancestors; nil where there is none.
    package static let current: Double? = {
        guard let membership = Environment.text(ofFile: "/proc/self/cgroup") else { return nil }
        return tightest(membership: membership) { Environment.text(ofFile: $0) }
    }()

    /// - Parameters:
    ///   - membership: the text of `/proc/self/cgroup`.
    ///   - read: the text of a file by its absolute path, or nil.
    package static func tightest(membership: String, read: (String) -> String?) -> Double? {
        ControlGroup.folders(
            of: "cpu", membership: membership, mounts: ["/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"]
        ).compactMap { folder in
            switch folder.version {
            case .one:
                version1(
                    quota: read("\(folder.path)/cpu.cfs_quota_us"), period: read("\(folder.path)/cpu.cfs_period_us"))
            case .two: version2(read("\(folder.path)/cpu.max"))
            }
        }.min()
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
