/// Scratch memory that a caller owns and lends to kernels, so that a step allocates nothing once it has run.
///
/// Not synchronised: two calls at the same time need two workspaces. The contents are undefined between calls.
public final class Workspace {
    private var base: UnsafeMutableRawPointer?
    private var capacity = 0

    /// Holds no memory until it is first used.
    public init() {}

    /// At least `bytes` of memory, aligned to 64 bytes; grows when needed and never shrinks. The pointer is good until
    /// the next call of `reserve`.
    package func reserve(bytes: Int) -> UnsafeMutableRawPointer {
        precondition(bytes >= 0)
        if let base, bytes <= capacity { return base }
        base?.deallocate()
        capacity = max(bytes, 64)
        let new = LargeMemory.allocate(byteCount: capacity)
        base = new
        return new
    }

    deinit {
        base?.deallocate()
    }
}
