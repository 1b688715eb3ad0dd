#if canImport(Glibc)
    import Glibc
#endif

/// The trace that glibc keeps of every allocation, for `tools/check-allocations`, which counts those of a step.
///
/// It is written where the process was started with `LD_PRELOAD=libc_malloc_debug.so.0` and `MALLOC_TRACE=FILE`; else,
/// and with other C libraries, nothing happens.
enum AllocationTrace {
    /// From here on every allocation, of any thread, is written down. A second trace would replace the first.
    static func begin() { call("mtrace") }

    static func end() { call("muntrace") }

    #if canImport(Glibc)
        private typealias Search =
            @convention(c) (UnsafeMutableRawPointer, UnsafePointer<CChar>, UnsafePointer<CChar>)
            -> UnsafeMutableRawPointer?

        /// Under which glibc has the functions since its first version for the architecture.
        #if arch(x86_64)
            private static let version: StaticString = "GLIBC_2.2.5"
        #else
            private static let version: StaticString = "GLIBC_2.17"
        #endif
    #endif

    /// Static strings, because others would be allocated to become C strings while the trace is written.
    private static func call(_ name: StaticString) {
        #if canImport(Glibc)
            func text(_ string: StaticString) -> UnsafePointer<CChar> {
                UnsafeRawPointer(string.utf8Start).assumingMemoryBound(to: CChar.self)
            }
            // By their version: the C library itself has functions of these names too, which do nothing.
            guard getenv(text("MALLOC_TRACE")) != nil,
                let library = dlopen(text("libc_malloc_debug.so.0"), RTLD_NOW | RTLD_NOLOAD),
                let search = dlsym(nil, text("dlvsym")),
                let symbol = unsafeBitCast(search, to: Search.self)(library, text(name), text(version))
            else { return }
            unsafeBitCast(symbol, to: (@convention(c) () -> Void).self)()
        #endif
    }
}
