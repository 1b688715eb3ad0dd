import Foundation
import SSFTensors

/// Whether what is about to be allocated fits this machine. An allocation that fails ends a program without a word;
/// one that only just succeeds ends others.
public enum MemoryLimit {
    /// Compares a need with the physical memory.
    ///
    /// - Parameters:
    ///   - bytes: that will be in use at the same time.
    ///   - purpose: what needs them, for the message: `a training step`.
    ///   - physical: bytes of memory; this machine's where none are given.
    /// - Throws: `UserError` that states both figures.
    public static func check(
        bytes: Int, for purpose: String, remedy: String = "lower --batch-size or --img-size",
        physical: UInt64 = ProcessInfo.processInfo.physicalMemory
    ) throws {
        guard bytes > 0, UInt64(bytes) > physical else { return }
        throw UserError(
            "the memory of this machine does not suffice for \(purpose)",
            expected: "at most \(gigabytes(Double(physical))), which this machine has",
            found: "a need of about \(gigabytes(Double(bytes)))", remedy: remedy)
    }

    private static func gigabytes(_ bytes: Double) -> String {
        String(format: bytes < 1e10 ? "%.1f GB" : "%.0f GB", bytes / 1e9)
    }
}
