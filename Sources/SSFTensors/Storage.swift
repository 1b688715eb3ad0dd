import SSFKernels

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A block of memory that tensors share: allocated here, or mapped from a file by whoever hands it in.
///
/// Not synchronised: two threads may read it, and one that writes must be alone with the part it writes.
public final class Storage: @unchecked Sendable {
    /// 64 bytes: a cache line and the widest vector.
    public static let alignment = 64

    public let base: UnsafeMutableRawPointer
    public let byteCount: Int
    private let release: @Sendable (UnsafeMutableRawPointer, Int) -> Void
    private let isFileMapping: Bool

    /// Allocates zeroed memory, aligned to `alignment`; in huge pages where it is large and the system has them.
    public init(byteCount: Int) {
        precondition(byteCount >= 0)
        self.byteCount = byteCount
        isFileMapping = false
        base = LargeMemory.allocate(byteCount: byteCount)
        base.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        release = { pointer, _ in pointer.deallocate() }
    }

    /// Takes over memory that exists; `release` is called once with the same pointer and count when nobody uses it.
    ///
    /// - Parameter isFileMapping: whether it is the unchanged image of a file, which can be read from there again.
    public init(
        base: UnsafeMutableRawPointer, byteCount: Int, isFileMapping: Bool = false,
        release: @escaping @Sendable (UnsafeMutableRawPointer, Int) -> Void
    ) {
        self.base = base
        self.byteCount = byteCount
        self.isFileMapping = isFileMapping
        self.release = release
    }

    /// Says that bytes will hardly be read again. Those of a mapped file leave memory, and return from the file if they
    /// are read after all; other memory stays.
    public func releasePages(_ range: Range<Int>) {
        guard isFileMapping, !range.isEmpty else { return }
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        // Whole pages: the neighbours of a tensor may be in use.
        let first = (range.lowerBound + page - 1) / page * page
        let end = range.upperBound / page * page
        if first < end { _ = madvise(base + first, end - first, Int32(MADV_DONTNEED)) }
    }

    deinit {
        release(base, byteCount)
    }
}
