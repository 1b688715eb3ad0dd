import SSFParallel
import Testing

/// Control groups from texts, as the kernel writes them.
@Suite struct CgroupQuotaTests {
    private func quota(_ membership: String, _ files: [String: String]) -> Double? {
        CgroupQuota.tightest(membership: membership) { files[$0] }
    }

    @Test func version2TakesTheTightestOfTheAncestors() {
        let files = [
            "/sys/fs/cgroup/user/app/cpu.max": "400000 100000\n", "/sys/fs/cgroup/user/cpu.max": "150000 100000\n",
            "/sys/fs/cgroup/cpu.max": "max 100000\n",
        ]
        #expect(quota("0::/user/app\n", files) == 1.5)
    }

    @Test func version2BesideVersion1IsMountedElsewhere() {
        let files = ["/sys/fs/cgroup/unified/app/cpu.max": "250000 100000\n"]
        #expect(quota("1:cpu:/\n0::/app\n", files) == 2.5)
    }

    @Test func version1TakesTheTightestOfTheAncestorsToo() {
        let files = [
            "/sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us": "75000\n",
            "/sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_period_us": "50000\n",
            "/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us": "300000\n",
            "/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us": "100000\n",
            "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
            "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
        ]
        #expect(quota("4:cpuacct,cpu:/a/b\n", files) == 1.5)
    }

    @Test func maxMeansNoQuota() {
        #expect(quota("0::/\n", ["/sys/fs/cgroup/cpu.max": "max 100000\n"]) == nil)
    }

    @Test func aContainerSeesItsOwnGroupAtTheRoot() {
        #expect(quota("0::/\n", ["/sys/fs/cgroup/cpu.max": "200000 100000"]) == 2)
    }

    @Test func version1ReadsQuotaAndPeriod() {
        let membership = "5:memory:/docker/x\n3:cpu,cpuacct:/docker/x\n0::/docker/x\n"
        let files = [
            "/sys/fs/cgroup/cpu/docker/x/cpu.cfs_quota_us": "300000\n",
            "/sys/fs/cgroup/cpu/docker/x/cpu.cfs_period_us": "100000\n",
        ]
        #expect(quota(membership, files) == 3)
    }

    @Test func version1WithoutAQuotaIsMinusOne() {
        let files = ["/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n", "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"]
        #expect(quota("3:cpu:/\n", files) == nil)
    }

    @Test(arguments: ["", "nonsense", "0::", "x:y"])
    func whatCannotBeReadIsNoQuota(_ membership: String) {
        #expect(quota(membership, ["/sys/fs/cgroup/cpu.max": "garbage"]) == nil)
    }
}
