import Foundation
@preconcurrency import Rainbow

/// What a program says to a person: always on standard error, so that standard output carries results and nothing else.
///
/// On a terminal the last line may be rewritten (progress) and colours are used, unless `NO_COLOR` is set; elsewhere
/// every line is plain and stays.
public final class Console {
    /// Says nothing but warnings and errors.
    public let isQuiet: Bool
    /// Whether standard error is a terminal that can move its cursor.
    public let isTerminal: Bool
    private var hasTransientLine = false

    public init(quiet: Bool = false) {
        isQuiet = quiet
        let environment = ProcessInfo.processInfo.environment
        isTerminal = isatty(STDERR_FILENO) != 0 && environment["TERM"] != "dumb"
        // Rainbow looks at standard output; what is coloured here goes to standard error.
        let noColor = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        Rainbow.outputTarget = isTerminal ? .console : .unknown
        Rainbow.enabled = isTerminal && !noColor
    }

    /// A line that stays.
    public func line(_ text: String = "") {
        if !isQuiet { write(text + "\n") }
    }

    /// A line that says what was decided without being asked.
    public func note(_ text: String) {
        line("note: ".cyan + text)
    }

    /// A line that stays even when quiet.
    public func warning(_ text: String) {
        write("warning: ".yellow + text + "\n")
    }

    /// What went wrong, even when quiet.
    public func error(_ text: String) {
        write("error: ".red.bold + text + "\n")
    }

    /// The command that a person would want next.
    public func next(_ command: String) {
        line("next: ".green + command)
    }

    /// A line that the next one replaces; nothing off a terminal.
    public func transient(_ text: String) {
        guard isTerminal && !isQuiet else { return }
        let width = terminalWidth()
        send("\r\u{1B}[K" + String(text.prefix(max(width - 1, 20))))
        hasTransientLine = true
    }

    private func write(_ text: String) {
        if hasTransientLine {
            send("\r\u{1B}[K")
            hasTransientLine = false
        }
        send(text)
    }

    /// What nobody can hear is not worth ending a run for: a full disk or a closed terminal is passed over.
    private func send(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }

    private func terminalWidth() -> Int {
        var size = winsize()
        return ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
    }
}
