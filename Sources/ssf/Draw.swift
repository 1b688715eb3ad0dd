import ArgumentParser
import SSFCommands

struct Draw: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Draw a synthetic set into image files with lists of their labels.",
        discussion: "The files are what `--data synthetic:TASK` shows to a model, pixel by pixel.")

    @OptionGroup var options: DrawOptions

    func run() throws {
        try DrawRun(options: options, console: Console(quiet: options.quiet)).run()
    }
}
