import ArgumentParser
import SSFCommands

struct Predict: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Name the classes of single images.",
        discussion: "Results go to standard output and nothing else does.")

    @OptionGroup var options: PredictionOptions

    func run() throws {
        try Program.begin(options.runtime)
        try PredictionRun(options: options, console: Console(quiet: options.runtime.quiet)).run()
    }
}
