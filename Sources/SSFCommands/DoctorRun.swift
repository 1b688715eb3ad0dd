import ArgumentParser
import SSFKernels
import SSFParallel

/// `ssf doctor`: what this machine is, which code runs on it, and how fast it can be at best.
public struct DoctorRun {
    private let console: Console

    public init(console: Console) {
        self.console = console
    }

    /// - Throws: `UserError` when the report cannot be written.
    public func run() throws {
        let report = EnvironmentReport.current()
        try StandardOutput.line(
            "program          \(report.program), Swift \(report.swift)\(report.gitRevision.map { ", \($0.prefix(12))" } ?? "")"
        )
        try StandardOutput.line(
            "system           \(report.operatingSystem), \(report.architecture), \(Formatting.bytes(Int(report.memoryBytes))) of memory"
        )
        try StandardOutput.line("processor        \(report.cpu)")
        try StandardOutput.line(
            "instruction set  \(report.instructionSet) (this machine runs \(report.availableInstructionSets.joined(separator: ", ")); "
                + "SSF_ISA chooses)")
        try StandardOutput.line(
            "threads          \(report.threads) of \(report.threadLimit) (\(report.threadLimitReason))")
        for (name, path) in report.libraries.sorted(by: { $0.key < $1.key }) {
            try StandardOutput.line("library          \(name)  \(path)")
        }
        console.line("measuring ...")
        let counts = report.threads == 1 ? [1] : [1, report.threads]
        var table = TextTable(["measured"] + counts.map { $0 == 1 ? "1 thread" : "\($0) threads" })
        func row(_ name: String, _ unit: String, _ measure: (Int) -> Double) {
            table.add(
                [name] + counts.map { Formatting.fixed(measure($0), 1) + " " + unit })
        }
        row("multiply-adds on registers", "GFLOP/s") { MachinePeak.gigaFLOPs(threads: $0) }
        if KernelTable.current.multipliesBFloat16 {
            row("products of bfloat16", "GFLOP/s") { MachinePeak.gigaFLOPs(precision: .bfloat16, threads: $0) ?? 0 }
        }
        row("triad over memory", "GB/s") { MachinePeak.triadGigabytes(threads: $0) }
        for line in table.lines(indent: 0) { try StandardOutput.line(line) }
        console.next("ssf train --help")
    }
}
