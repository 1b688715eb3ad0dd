import ArgumentParser
import SSFCommands

struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make an adapter folder of what another program has tuned.",
        discussion:
            "Reads LoRA from a folder of Hugging Face's PEFT, and state dicts of SSF's reference implementation.")

    @OptionGroup var options: ImportOptions

    func run() throws {
        try Program.begin(options.runtime)
        try ImportRun(options: options, console: Console(quiet: options.runtime.quiet)).run()
    }
}
