import Foundation

/// How far a long computation has come: one rewritten line on a terminal, a line every few seconds elsewhere.
package final class AnalysisProgress {
    private let console: Console
    private let what: String
    private let total: Int
    private let begin = ProcessInfo.processInfo.systemUptime
    private var done = 0
    private var lastLine: Double

    /// - Parameters:
    ///   - what: is counted, in the plural.
    ///   - total: how many there will be.
    package init(_ console: Console, _ what: String, of total: Int) {
        (self.console, self.what, self.total) = (console, what, total)
        lastLine = begin
    }

    package func advance(by count: Int = 1) {
        done += count
        let now = ProcessInfo.processInfo.systemUptime
        guard console.isTerminal || now - lastLine >= 10 else { return }
        lastLine = now
        let remaining = (now - begin) / Double(max(done, 1)) * Double(total - done)
        let text = "\(what) [\(done)/\(total)]  ETA \(Formatting.duration(remaining))"
        if console.isTerminal { console.transient(text) } else { console.line(text) }
    }
}
