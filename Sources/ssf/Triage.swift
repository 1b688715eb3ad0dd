import ArgumentParser
import SSFCommands

struct Triage: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say in seconds what tuning a model for a set of images could gain.",
        discussion: """
            The model's features are computed once. Neighbours and linear probes on them show what they are worth as they \
            are; the rest is what tuning can gain. Images that stand in more than one part are named. Nothing is \
            chosen by the test part.
            """)

    @OptionGroup var options: TriageOptions

    func run() throws {
        try Program.begin(options.runtime)
        try TriageRun(options: options, console: Console(quiet: options.runtime.quiet)).run()
    }
}
