import Foundation
import SSFTensors

/// Where results go. Unlike what is said to a person, a result that cannot be written is an error.
public enum StandardOutput {
    /// Writes a text as it is.
    ///
    /// - Throws: `UserError` when standard output is closed, or its disk full.
    public static func write(_ text: String) throws {
        do {
            try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
        } catch {
            throw UserError("the results cannot be written to standard output", found: SystemReason.of(error))
        }
    }

    /// Writes a line.
    ///
    /// - Throws: as `write(_:)`.
    public static func line(_ text: String) throws { try write(text + "\n") }

    /// Fills the places of standard input, output and error where the parent has closed them, so that no file that is
    /// opened later takes such a place and receives messages. Writing there fails as it does to a closed stream.
    static func reserveStreams() {
        var descriptor: CInt
        repeat { descriptor = open("/dev/null", O_RDONLY) } while (0...2).contains(descriptor)
        if descriptor > 2 { close(descriptor) }
    }
}
