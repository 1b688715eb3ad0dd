import ArgumentParser
import SSFKernels
import SSFParallel

/// `ssf doctor`: what this machine is, which code runs on it, and how fast it can be at best.
public struct DoctorRun {
    private let console: Console

    public init(console: Console) {
        self.console = console
    }

    public func run() {
        let report = EnvironmentReport.current()
        print(
            "program          \(report.program), Swift \(report.swift)\(report.gitRevision.map { ", \($0.prefix(12))" } ?? "")"
        )
        print(
            "system           \(report.operatingSystem), \(report.architecture), \(Formatting.bytes(Int(report.memoryBytes))) of memory"
        )
        print("processor        \(report.cpu)")
        print(
            "instruction set  \(report.instructionSet) (this machine runs \(report.availableInstructionSets.joined(separator: ", ")); "
                + "SSF_ISA chooses)")
        print("threads          \(report.threads) of \(report.threadLimit) (\(report.threadLimitReason))")
        for (name, path) in report.libraries.sorted(by: { $0.key < $1.key }) {
            print("library          \(name)  \(path)")
        }
        console.line("measuring ...")
        var table = TextTable(["measured", "1 thread", "\(report.threads) threads"])
        func row(_ name: String, _ unit: String, _ measure: (Int) -> Double) {
            table.add(
                [name] + [1, report.threads].map { Formatting.fixed(measure($0), 1) + " " + unit })
        }
        row("multiply-adds on registers", "GFLOP/s") { MachinePeak.gigaFLOPs(threads: $0) }
        row("triad over memory", "GB/s") { MachinePeak.triadGigabytes(threads: $0) }
        for line in table.lines(indent: 0) { print(line) }
        console.next("ssf train --help")
    }
}
