import ArgumentParser
import SSFCommands

@main
struct SSFAnalyze: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ssf-analyze",
        abstract: "Shows what a machine, a model and a tuning do: figures, with the numbers beside each.",
        version: ProgramVersion.text,
        subcommands: [
            Kernels.self, Cost.self, Similarity.self, Features.self, Weights.self, MeasureCost.self,
            MeasureSimilarity.self,
        ])

    static func main() {
        Program.main(SSFAnalyze.self)
    }
}
