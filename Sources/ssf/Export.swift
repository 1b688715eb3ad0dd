import ArgumentParser
import SSFCommands

struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write an adapter in the form of another program.",
        discussion: "LoRA as a folder of Hugging Face's PEFT, SSF as a state dict of its reference implementation.")

    @OptionGroup var options: ExportOptions

    func run() throws {
        try Program.begin(options.runtime)
        try ExportRun(options: options, console: Console(quiet: options.runtime.quiet)).run()
    }
}
