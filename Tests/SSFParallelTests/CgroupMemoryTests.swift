import SSFParallel
import Testing

/// Memory limits from texts, as the kernel writes them.
@Suite struct CgroupMemoryTests {
    private func limit(_ membership: String, _ files: [String: String]) -> Int? {
        CgroupMemory.tightest(membership: membership) { files[$0] }
    }

    @Test func version2TakesTheTightestOfTheAncestors() {
        let files = [
            "/sys/fs/cgroup/user/app/memory.max": "8000000000\n", "/sys/fs/cgroup/user/memory.max": "2000000000\n",
            "/sys/fs/cgroup/memory.max": "max\n",
        ]
        #expect(limit("0::/user/app\n", files) == 2_000_000_000)
        #expect(limit("0::/user/app/job\n", files) == 2_000_000_000)
        #expect(limit("0::/other\n", files) == nil)
    }

    @Test func maxMeansNoLimit() {
        #expect(limit("0::/a\n", ["/sys/fs/cgroup/a/memory.max": "max\n", "/sys/fs/cgroup/memory.max": "max"]) == nil)
    }

    @Test func aContainerSeesItsOwnGroupAtTheRoot() {
        #expect(limit("0::/\n", ["/sys/fs/cgroup/memory.max": "536870912\n"]) == 536_870_912)
        let files = ["/sys/fs/cgroup/memory/memory.limit_in_bytes": "1073741824\n"]
        #expect(limit("4:memory:/docker/x\n0::/\n", files) == 1_073_741_824)
    }

    @Test func version1TakesTheTightestOfTheAncestors() {
        let files = [
            "/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes": "9223372036854771712\n",
            "/sys/fs/cgroup/memory/a/memory.limit_in_bytes": "3000000000\n",
            "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        ]
        #expect(limit("9:name=systemd:/\n4:memory:/a/b\n1:cpu:/\n", files) == 3_000_000_000)
    }

    @Test func version1WithoutALimitIsTheLargestNumberOfPages() {
        let files = ["/sys/fs/cgroup/memory/a/memory.limit_in_bytes": "9223372036854771712\n"]
        #expect(limit("4:memory:/a\n", files) == nil)
        #expect(limit("4:cpu:/a\n", files) == nil)
    }

    @Test func bothVersionsAtOnce() {
        let files = [
            "/sys/fs/cgroup/memory/a/memory.limit_in_bytes": "5000\n", "/sys/fs/cgroup/b/memory.max": "4000\n",
        ]
        #expect(limit("4:memory:/a\n0::/b\n", files) == 4000)
    }

    @Test(arguments: ["", "nonsense", "0::", "x:y"])
    func whatCannotBeReadIsNoLimit(_ membership: String) {
        for text in ["garbage", "", "-1", "0"] {
            #expect(limit(membership, ["/sys/fs/cgroup/memory.max": text]) == nil)
        }
    }
}
