import ArgumentParser
import Foundation
import SSFAnalysis
import SSFCommands
import SSFKernels
import SSFParallel
import SSFTensors

struct Kernels: ParsableCommand {
    /// How the report is printed.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json
    }

    static let configuration = CommandConfiguration(
        abstract: "Measure how near the kernels come to the limits of this machine (roofline).",
        discussion: """
            Measures the limits first: multiply-adds on registers, for each instruction set and number format of this \
            machine, and the bandwidth of its memory. Then every kernel of a training step, at the shapes of a ViT-B/16 \
            with 16 images of 224 pixels. A kernel that does much with each number (many FLOP per byte) can be as fast \
            as the multiply-adds, one that does little as fast as memory; the lower of the two limits is the roof, and \
            the table says how much of it was reached and what stands in the way.

            The limits are measured again at the end. If they have changed, something else was using the machine; run \
            the command again when it is idle.

            SSF_ISA=baseline|avx2|avx512|avx512bf16 chooses the instruction set of the kernels.

            With --output, the folder receives roofline.png, .svg and .pdf, kernels.csv and kernels.json.
            """)

    @Option(help: ArgumentHelp("Folder for the figure and the numbers.", valueName: "path"))
    var output: String?

    @Option(parsing: .unconditional, help: "Threads that compute (default: the CPUs this process may use).")
    var threads: Int?

    @Option(help: ArgumentHelp("Kernels to measure: a part of the name, or `*` for any letters.", valueName: "pattern"))
    var filter: String?

    @Flag(help: "Measure each kernel for a sixth of the time.")
    var quick = false

    @Option(help: "How to print the report: text or json.")
    var format = Format.text

    @Flag(help: "Say nothing but warnings, errors and the report.")
    var quiet = false

    func validate() throws {
        if let threads, threads < 1 {
            throw ValidationError("--threads must be 1 or more, not \(threads). Leave it out to use every CPU.")
        }
    }

    func run() throws {
        let pinning = try Program.begin(threads: threads)
        let console = Console(quiet: quiet)
        let kernels = try filter.map(Self.matching) ?? KernelCatalog.all
        // Before the time is spent.
        let folder = try output.map { try OutputFolder($0) }
        let measurement = RooflineMeasurement(kernels: kernels, secondsPerKernel: quick ? 0.2 : 1.2)
        let report = measurement.run(machine: .current(pinning)) { progress in
            switch progress {
            case .peaks(let isSecondTime):
                console.line(isSecondTime ? "the limits again ..." : "measuring the limits of the machine ...")
            case .kernel(let name, let index, let count):
                if index == 0 { console.line("measuring \(Formatting.counted(count, "kernel")) ...") }
                console.transient("[\(index + 1)/\(count)] \(name)")
            }
        }
        if let folder {
            let names = try folder.write(
                report.figure(), as: "roofline", csv: report.csv(), json: try JSONText.of(report), as: "kernels")
            console.line("written to \(folder.path): \(names.joined(separator: ", "))")
        }
        switch format {
        case .json: try StandardOutput.write(try JSONText.of(report))
        case .text: for line in KernelsText.lines(report) { try StandardOutput.line(line) }
        }
        if report.hasDrifted {
            console.warning(
                "the limits changed by \(Formatting.percent(report.drift, 0)) % during the run: something else uses the "
                    + "machine, or its clock changed, and the percentages say little. Run the command again when it is "
                    + "idle.")
        }
        if output == nil && format == .text { console.next("ssf-analyze kernels --output roofline") }
    }

    /// The kernels that a pattern names.
    private static func matching(_ pattern: String) throws -> [KernelCase] {
        let found = KernelCatalog.matching(pattern)
        guard found.isEmpty else { return found }
        let names = KernelCatalog.all.map(\.name)
        // A slip of the pen may be in a part of the name: `sofmax`, `atention.backward`.
        let parts = names + names.flatMap { $0.split(separator: ".").map(String.init) }
        let nearest = Suggestion.nearest(to: pattern, among: parts)
        throw UserError(
            "--filter \(pattern): no kernel has this in its name", expected: names.joined(separator: ", "),
            remedy: nearest.map { "did you mean --filter \($0)?" })
    }
}
