#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The environment and small files of the system, without Foundation.
enum Environment {
    static func value(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    static func remove(_ name: String) {
        unsetenv(name)
    }

    /// Writes to the error stream in one call, so that a line stays whole when threads write.
    static func writeError(_ text: String) {
        _ = text.withCString { write(2, $0, strlen($0)) }
    }

    /// The text of a file of the kernel (procfs, cgroupfs), nil where it cannot be read.
    static func text(ofFile path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
