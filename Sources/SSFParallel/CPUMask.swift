import COpenMP

/// The set of CPUs that a thread may run on.
public struct CPUMask: Sendable, Equatable {
    /// One bit per CPU.
    private var words: [UInt]

    /// The CPUs, ascending.
    public var cpus: [Int] {
        (0..<words.count * UInt.bitWidth).filter { words[$0 / UInt.bitWidth] & (1 << ($0 % UInt.bitWidth)) != 0 }
    }

    /// A mask of the given CPUs.
    public init(cpus: [Int]) {
        precondition(cpus.allSatisfy { $0 >= 0 })
        words = Array(repeating: 0, count: (cpus.max() ?? 0) / UInt.bitWidth + 1)
        for cpu in cpus { words[cpu / UInt.bitWidth] |= 1 << (cpu % UInt.bitWidth) }
    }

    /// The mask that the process was started with, read once, before anything is pinned; nil where the system has no
    /// masks.
    public static let inherited: CPUMask? = ofCurrentThread()

    /// The mask of the calling thread; nil where the system has no masks.
    public static func ofCurrentThread() -> CPUMask? {
        #if os(Linux)
            // The kernel refuses a buffer that is shorter than its own mask.
            for count in [16, 128, 1024] {
                var words = [UInt](repeating: 0, count: count)
                let status = words.withUnsafeMutableBytes { bytes in
                    ssf_sched_getaffinity(0, UInt(bytes.count), bytes.baseAddress!)
                }
                if status == 0 {
                    var mask = CPUMask(cpus: [])
                    mask.words = words
                    return CPUMask(cpus: mask.cpus)
                }
            }
        #endif
        return nil
    }

    /// Makes this the mask of the calling thread, and of threads and processes that it starts later. Returns whether
    /// the system agreed.
    @discardableResult
    public func applyToCurrentThread() -> Bool {
        #if os(Linux)
            words.withUnsafeBytes { bytes in
                ssf_sched_setaffinity(0, UInt(bytes.count), bytes.baseAddress!) == 0
            }
        #else
            false
        #endif
    }
}
