import Foundation

/// What this process holds in memory.
public enum ProcessMemory {
    /// The most that this process ever held, in bytes.
    ///
    /// `VmHWM` of Linux, which belongs to the program that runs now; `ru_maxrss` counts what the process was before it
    /// became this program too, which is what the program that started it held, and serves where there is no other.
    public static var peak: Int {
        // Files of /proc state no size: they must be read to the end, not to where they claim to end.
        if let data = try? FileHandle(forReadingAtPath: "/proc/self/status")?.readToEnd() {
            for line in String(decoding: data, as: UTF8.self).split(separator: "\n") where line.hasPrefix("VmHWM:") {
                if let kilobytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) }) {
                    return kilobytes * 1024
                }
            }
        }
        var usage = rusage()
        // RUSAGE_SELF, whose type differs from library to library.
        getrusage(0, &usage)
        return Int(usage.ru_maxrss) * 1024
    }
}
