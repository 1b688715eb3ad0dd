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

    /// Allocates zeroed memory, aligned to `alignment`.
    public init(byteCount: Int) {
        precondition(byteCount >= 0)
        self.byteCount = byteCount
        base = .allocate(byteCount: max(byteCount, 1), alignment: Self.alignment)
        base.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        release = { pointer, _ in pointer.deallocate() }
    }

    /// Takes over memory that exists; `release` is called once with the same pointer and count when nobody uses it.
    public init(
        base: UnsafeMutableRawPointer, byteCount: Int,
        release: @escaping @Sendable (UnsafeMutableRawPointer, Int) -> Void
    ) {
        self.base = base
        self.byteCount = byteCount
        self.release = release
    }

    deinit {
        release(base, byteCount)
    }
}
