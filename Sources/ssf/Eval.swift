import ArgumentParser
import SSFCommands

struct Eval: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure the accuracy of a model or an adapter on a set of images.")

    @OptionGroup var options: EvaluationOptions

    func run() throws {
        try Program.begin(options.runtime)
        try EvaluationRun(options: options, console: Console(quiet: options.runtime.quiet)).run()
    }
}
