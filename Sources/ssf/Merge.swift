import ArgumentParser
import SSFCommands

struct Merge: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Fold an adapter into its base: a whole model that costs no more than the base and loads in timm.",
        discussion: "With --verify the exit code is 2 when the written model does not agree with base and adapter.")

    @OptionGroup var options: MergeOptions

    func run() throws {
        try Program.begin(options.runtime)
        try Program.end(MergeRun(options: options, console: Console(quiet: options.runtime.quiet)).run())
    }
}
