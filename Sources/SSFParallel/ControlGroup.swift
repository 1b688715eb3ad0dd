/// Where Linux keeps the limits of a process's control groups.
enum ControlGroup {
    /// Which version's files a folder holds.
    enum Version {
        case one
        case two
    }

    /// The folders of the groups of a process and of their ancestors, for one controller. A group's limits hold for all
    /// below it; folders that do not exist are among them.
    ///
    /// - Parameters:
    ///   - membership: `/proc/self/cgroup`: lines `id:controllers:path`, with id 0 and no controllers for version 2.
    ///   - mounts: where version 1 mounts the controller.
    static func folders(
        of controller: Substring, membership: String, mounts: [String]
    ) -> [(path: String, version: Version)] {
        var folders: [(path: String, version: Version)] = []
        for line in membership.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            if fields[0] == "0", fields[1].isEmpty {
                // Beside groups of version 1 those of version 2 are mounted under a name of their own.
                for mount in ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"] {
                    folders += ancestry(fields[2]).map { (mount + $0, .two) }
                }
            } else if fields[1].split(separator: ",").contains(controller) {
                for mount in mounts { folders += ancestry(fields[2]).map { (mount + $0, .one) } }
            }
        }
        return folders
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
}
