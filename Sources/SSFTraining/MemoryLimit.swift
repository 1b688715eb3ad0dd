import Foundation
import SSFParallel
import SSFTensors

/// Whether what is about to be allocated fits. An allocation that fails ends a program without a word; one that only
/// just succeeds ends others.
public enum MemoryLimit {
    /// How much memory a process may use, and what says so.
    public struct Allowance: Sendable, Equatable {
        public var bytes: Int
        /// For messages, behind the number: `which this machine has`.
        public var reason: String

        /// - Parameters:
        ///   - physical: bytes of memory of the machine.
        ///   - group: what control groups grant; nil where they set no limit.
        public init(physical: UInt64, group: Int?) {
            let machine = Int(clamping: physical)
            if let group, group < machine {
                self.init(bytes: group, reason: "which the control group of this process allows")
            } else {
                self.init(bytes: machine, reason: "which this machine has")
            }
        }

        public init(bytes: Int, reason: String) {
            self.bytes = bytes
            self.reason = reason
        }
    }

    /// The physical memory, or the tightest limit of the process's control groups where that is less; read once.
    public static let allowed = Allowance(
        physical: ProcessInfo.processInfo.physicalMemory, group: CgroupMemory.current)

    /// Compares a need with what is allowed.
    ///
    /// - Parameters:
    ///   - bytes: that will be in use at the same time.
    ///   - purpose: what needs them, for the message: `a training step`.
    /// - Throws: `UserError` that states both figures.
    public static func check(
        bytes: Int, for purpose: String, remedy: @autoclosure () throws -> String = "lower --batch-size or --img-size",
        allowed: Allowance = MemoryLimit.allowed
    ) throws {
        guard bytes > allowed.bytes else { return }
        throw UserError(
            "the memory does not suffice for \(purpose)", expected: "at most \(text(allowed.bytes)), \(allowed.reason)",
            found: "a need of about \(text(bytes))", remedy: try remedy())
    }

    /// `5.4 GB`, `310 MB`
    static func text(_ bytes: Int) -> String {
        let bytes = Double(bytes)
        return bytes < 1e9
            ? String(format: "%.0f MB", bytes / 1e6) : String(format: bytes < 1e10 ? "%.1f GB" : "%.0f GB", bytes / 1e9)
    }
}
