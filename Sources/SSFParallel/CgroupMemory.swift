/// The memory that Linux control groups grant a process, in bytes.
package enum CgroupMemory {
    /// The tightest limit of the group of this process and its ancestors; nil where there is none.
    package static let current: Int? = {
        guard let membership = Environment.text(ofFile: "/proc/self/cgroup") else { return nil }
        return tightest(membership: membership) { Environment.text(ofFile: $0) }
    }()

    /// - Parameters:
    ///   - membership: the text of `/proc/self/cgroup`.
    ///   - read: the text of a file by its absolute path, or nil.
    package static func tightest(membership: String, read: (String) -> String?) -> Int? {
        ControlGroup.folders(of: "memory", membership: membership, mounts: ["/sys/fs/cgroup/memory"])
            .compactMap { folder in
                switch folder.version {
                case .one: bytes(read("\(folder.path)/memory.limit_in_bytes"))
                case .two: bytes(read("\(folder.path)/memory.max"))
                }
            }.min()
    }

    /// Version 2 writes `max` where there is no limit, version 1 the largest whole number of pages.
    private static func bytes(_ text: String?) -> Int? {
        guard let word = text?.split(whereSeparator: \.isWhitespace).first, let count = Int(word), count > 0,
            count < 1 << 62
        else { return nil }
        return count
    }
}
