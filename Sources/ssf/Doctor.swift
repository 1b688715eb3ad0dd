import ArgumentParser
import SSFCommands

struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what this machine is, which code runs on it, and how fast it can be at best.")

    @OptionGroup var runtime: RuntimeOptions

    func run() throws {
        try Program.begin(runtime)
        try DoctorRun(console: Console(quiet: runtime.quiet)).run()
    }
}
