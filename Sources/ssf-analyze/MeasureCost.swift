import ArgumentParser
import Foundation
import SSFAnalysis
import SSFCommands
import SSFTensors

/// One measurement of `ssf-analyze cost`, in a process of its own so that the peak of memory is that of nothing else.
struct MeasureCost: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "measure-cost",
        abstract: "One measurement of `ssf-analyze cost`, which runs this for each. Prints JSON.", shouldDisplay: false)

    @Argument(help: "What to measure, as JSON.")
    var request: String

    func run() throws {
        let request: CostRequest
        do {
            request = try JSONDecoder().decode(CostRequest.self, from: Data(self.request.utf8))
        } catch {
            throw UserError(
                "measure-cost is run by `ssf-analyze cost`", expected: "its request as JSON", found: self.request,
                remedy: "run ssf-analyze cost")
        }
        try Program.begin(threads: request.setting.threads)
        try StandardOutput.write(try JSONText.of(try request.sample()))
    }
}
