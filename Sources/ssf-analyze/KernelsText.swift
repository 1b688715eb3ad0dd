import SSFAnalysis
import SSFCommands

/// The report of `ssf-analyze kernels` for a terminal, no line longer than 100 letters.
enum KernelsText {
    static func lines(_ report: RooflineReport) -> [String] {
        machine(report) + [""] + peaks(report) + [""] + kernels(report) + [""] + reading(report)
    }

    private static func machine(_ report: RooflineReport) -> [String] {
        let machine = report.machine
        let caches = report.caches.map { cache in
            "L\(cache.level) \(size(cache.bytes))" + (cache.sharedBy > 1 ? " shared by \(cache.sharedBy)" : "")
        }
        return [
            "processor        \(machine.cpu)",
            "instruction set  \(machine.instructionSet.rawValue)",
            "threads          \(machine.threads), \(machine.affinity)",
            "data caches      \(caches.isEmpty ? "not reported" : caches.joined(separator: ", "))",
            "begun            \(machine.date)"
                + (machine.loadAverage.map { ", load average \(Formatting.fixed($0, 2))" } ?? ""),
        ]
    }

    private static func peaks(_ report: RooflineReport) -> [String] {
        var table = TextTable(["limit", "before", "after", "unit"])
        for peak in report.peaks {
            table.add([peak.title, Formatting.fixed(peak.before, 1), Formatting.fixed(peak.after, 1), peak.unit])
        }
        return table.lines(indent: 0)
    }

    private static func kernels(_ report: RooflineReport) -> [String] {
        var table = TextTable(["kernel", "shape", "FLOP/B", "GFLOP/s", "GB/s", "% roof", "limited by"])
        for kernel in report.kernels {
            table.add([
                kernel.name, kernel.shape, Formatting.fixed(kernel.intensity, 1),
                Formatting.fixed(kernel.gigaFLOPs, 1), Formatting.fixed(kernel.gigabytes, 1),
                Formatting.fixed(kernel.percentOfRoof, 0), kernel.limit,
            ])
        }
        return table.lines(indent: 0)
    }

    private static func reading(_ report: RooflineReport) -> [String] {
        let arithmetic = report.arithmeticPeak(.float32)
        let memory = report.bandwidth
        let balance = arithmetic.value / memory.value
        return [
            "The roof: \(Formatting.fixed(memory.value, 1)) GB/s (\(memory.title)) below "
                + "\(Formatting.fixed(balance, 1)) FLOP per byte, above it "
                + "\(Formatting.fixed(arithmetic.value, 1)) GFLOP/s (\(arithmetic.title)).",
            "Bytes are those that must be moved: every operand read once, every result written once. Most",
            "processors read a place before they write it, which nobody counts: then the triad is the limit.",
        ]
    }

    /// `48 KB`, `32 MB`
    private static func size(_ bytes: Int) -> String {
        bytes >= 1 << 20 ? "\(bytes >> 20) MB" : "\(bytes >> 10) KB"
    }

    /// `0-3, 8`
    static func ranges(_ cpus: [Int]) -> String {
        var parts: [ClosedRange<Int>] = []
        for cpu in cpus.sorted() {
            if let last = parts.last, last.upperBound + 1 == cpu {
                parts[parts.count - 1] = last.lowerBound...cpu
            } else {
                parts.append(cpu...cpu)
            }
        }
        return parts.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
            .joined(separator: ", ")
    }
}
