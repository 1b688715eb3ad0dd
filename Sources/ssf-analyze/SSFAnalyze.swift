import ArgumentParser
import SSFCommands

@main
struct SSFAnalyze: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ssf-analyze",
        abstract: "Shows what a machine, a model and a tuning do: figures, with the numbers beside each.",
        version: ProgramVersion.text,
        subcommands: [
            Similarity.self, TSNECommand.self, Attention.self, Weights.self, Features.self, Report.self, Cost.self,
            Kernels.self, MeasureCost.self, MeasureSimilarity.self,
        ])

    static func main() {
        Program.main(SSFAnalyze.self)
    }
}
