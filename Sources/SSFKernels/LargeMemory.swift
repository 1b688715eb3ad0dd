#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Memory for packed matrices, scratch and whatever else kernels walk through.
package enum LargeMemory {
    private static let hugePage = 2 << 20

    /// At least `byteCount` bytes, aligned to 64 bytes; freed by `deallocate`.
    ///
    /// Where it is large the system is asked for huge pages, if it leaves that to programs: a product walks through
    /// more 4 KB pages than a processor has their addresses at hand. What is less than a huge page at the end stays as
    /// it is, so that nothing is wasted.
    package static func allocate(byteCount: Int) -> UnsafeMutableRawPointer {
        guard byteCount >= hugePage else { return .allocate(byteCount: max(byteCount, 64), alignment: 64) }
        let memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: hugePage)
        #if os(Linux)
            // Advice: where the system does not take it, nothing is lost.
            _ = madvise(memory, byteCount / hugePage * hugePage, Int32(MADV_HUGEPAGE))
        #endif
        return memory
    }
}
