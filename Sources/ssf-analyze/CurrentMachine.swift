import Foundation
import SSFAnalysis
import SSFCommands
import SSFKernels
import SSFParallel

extension RooflineReport.Machine {
    /// This machine, now.
    static func current(_ pinning: Parallel.Pinning) -> RooflineReport.Machine {
        let environment = EnvironmentReport.current()
        let affinity =
            switch pinning {
            case .pinned(let cpus): "bound to CPUs \(KernelsText.ranges(cpus))"
            case .unpinned(let reason): "not bound: \(reason)"
            }
        var load = [Double](repeating: 0, count: 1)
        return RooflineReport.Machine(
            program: "ssf-analyze \(ProgramVersion.text)", cpu: environment.cpu,
            operatingSystem: environment.operatingSystem, instructionSet: KernelTable.current.instructionSet,
            threads: Parallel.threads, affinity: affinity, date: Date.now.formatted(.iso8601),
            loadAverage: getloadavg(&load, 1) == 1 ? load[0] : nil)
    }
}
