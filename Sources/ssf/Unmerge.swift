import ArgumentParser
import SSFCommands

struct Unmerge: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Take an adapter out of a merged model again.",
        discussion: "Without --base the base's tensors are computed back, within rounding; its classifier is lost.")

    @OptionGroup var options: UnmergeOptions

    func run() throws {
        try Program.begin(options.runtime)
        try UnmergeRun(options: options, console: Console(quiet: options.runtime.quiet)).run()
    }
}
