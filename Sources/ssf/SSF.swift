import ArgumentParser
import SSFCommands

@main
struct SSF: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ssf",
        abstract: "Fine-tunes pre-trained vision transformers on a CPU by scaling and shifting their features.",
        version: ProgramVersion.text,
        subcommands: [
            Train.self, Compare.self, Triage.self, Eval.self, Predict.self, Merge.self, Unmerge.self, Export.self,
            Import.self,
            Draw.self, Doctor.self,
        ])

    static func main() {
        Program.main(SSF.self)
    }
}
