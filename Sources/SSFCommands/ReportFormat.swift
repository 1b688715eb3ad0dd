import ArgumentParser

/// How a command that measures gives its answer on standard output.
public enum ReportFormat: String, CaseIterable, Sendable, ExpressibleByArgument {
    /// Tables for people.
    case text
    /// Everything, for programs.
    case json
}
