import SSFKernels
import SSFParallel
import SSFTraining

/// `ssf train --profile`: where the time of a step goes, as tables within 100 columns and as JSON.
struct ProfileReport {
    let profile: StepProfile

    // MARK: Text

    var lines: [String] {
        let p = profile
        var lines = table("by operation", p.classes, isTotalled: true)
        lines += [""] + table("by site", p.sites, isTotalled: false)
        var rest = TextTable(["around the program", "ms", "share %"])
        for phase in p.phases + [StepProfile.Phase(name: "the rest", seconds: p.otherSeconds)] {
            rest.add([phase.name, milliseconds(phase.seconds), share(phase.seconds)])
        }
        lines += [""] + rest.lines(indent: 0)
        lines += [
            "",
            "step  \(milliseconds(p.secondsPerStep)) ms, \(Formatting.counted(p.images, "image")): "
                + "\(Formatting.fixed(Double(p.images) / p.secondsPerStep, 1)) img/s, mean of "
                + Formatting.counted(p.steps, "step"),
            "      \(Formatting.fixed(Double(p.total.flops) * 1e-9, 1)) GFLOP at "
                + "\(Formatting.fixed(Double(p.total.flops) * 1e-9 / p.secondsPerStep, 1)) GFLOP/s: "
                + "\(Formatting.percent(p.utilisation)) % of the FMA peak",
            "peak  \(Formatting.fixed(p.peakGigaFLOPs, 1)) GFLOP/s, \(Formatting.fixed(p.peakGigabytes, 1)) GB/s, measured "
                + "between these steps; isa \(KernelTable.current.instructionSet.rawValue), "
                + Formatting.counted(Parallel.threads, "thread"),
            "      peak %: of the FMA peak. GB/s and mem %: where memory is the limit and not arithmetic,",
            "      from the bytes that must move (each number read once, written once), of that bandwidth.",
        ]
        return lines
    }

    private func table(_ title: String, _ rows: [StepProfile.Row], isTotalled: Bool) -> [String] {
        var table = TextTable([
            title, "ops", "fwd ms", "bwd ms", "share %", "GFLOP", "GFLOP/s", "peak %", "MB", "GB/s", "mem %",
        ])
        for row in rows { table.add(cells(row)) }
        if isTotalled {
            var total = profile.total
            total.name = "all"
            table.add(cells(total))
        }
        return table.lines(indent: 0)
    }

    private func cells(_ row: StepProfile.Row) -> [String] {
        let isMemory = profile.isBoundByMemory(row)
        let rate = row.gigaFLOPsPerSecond
        return [
            row.name, String(row.count), milliseconds(row.forwardSeconds), milliseconds(row.backwardSeconds),
            share(row.seconds), Formatting.fixed(Double(row.flops) * 1e-9, 2), Formatting.fixed(rate, 1),
            Formatting.percent(rate / profile.peakGigaFLOPs), Formatting.fixed(Double(row.bytes) * 1e-6, 1),
            isMemory ? Formatting.fixed(row.gigabytesPerSecond, 1) : "",
            isMemory ? Formatting.percent(row.gigabytesPerSecond / profile.peakGigabytes) : "",
        ]
    }

    private func milliseconds(_ seconds: Double) -> String { Formatting.fixed(1000 * seconds, 2) }
    private func share(_ seconds: Double) -> String { Formatting.percent(seconds / profile.secondsPerStep) }

    // MARK: JSON

    struct JSON: Codable {
        struct Row: Codable {
            var name: String
            var kind: String?
            var operations: Int
            var forward_seconds: Double
            var backward_seconds: Double
            var share: Double
            var forward_flops: Int
            var backward_flops: Int
            var gflops_per_second: Double
            var peak_share: Double
            var forward_bytes: Int
            var backward_bytes: Int
            var gigabytes_per_second: Double
            var is_bound_by_memory: Bool
        }
        struct Phase: Codable {
            var name: String
            var seconds: Double
        }
        var steps: Int
        var images_per_step: Int
        var seconds_per_step: Double
        var flops_per_step: Int
        var utilisation: Double
        var peak_gflops_per_second: Double
        var peak_gigabytes_per_second: Double
        var instruction_set: String
        var threads: Int
        var classes: [Row]
        var operations: [Row]
        var around_the_program: [Phase]
    }

    /// Times in seconds and costs of one step; shares in 0...1.
    var json: JSON {
        let p = profile
        return JSON(
            steps: p.steps, images_per_step: p.images, seconds_per_step: p.secondsPerStep,
            flops_per_step: p.total.flops, utilisation: p.utilisation, peak_gflops_per_second: p.peakGigaFLOPs,
            peak_gigabytes_per_second: p.peakGigabytes,
            instruction_set: KernelTable.current.instructionSet.rawValue, threads: Parallel.threads,
            classes: p.classes.map { row($0, kind: nil) },
            operations: p.operations.map { row($0.row, kind: $0.kind) },
            around_the_program: (p.phases + [StepProfile.Phase(name: "the rest", seconds: p.otherSeconds)])
                .map { JSON.Phase(name: $0.name, seconds: $0.seconds) })
    }

    private func row(_ row: StepProfile.Row, kind: String?) -> JSON.Row {
        JSON.Row(
            name: row.name, kind: kind, operations: row.count, forward_seconds: row.forwardSeconds,
            backward_seconds: row.backwardSeconds, share: row.seconds / profile.secondsPerStep,
            forward_flops: row.forwardFLOPs, backward_flops: row.backwardFLOPs,
            gflops_per_second: row.gigaFLOPsPerSecond, peak_share: row.gigaFLOPsPerSecond / profile.peakGigaFLOPs,
            forward_bytes: row.forwardBytes, backward_bytes: row.backwardBytes,
            gigabytes_per_second: row.gigabytesPerSecond, is_bound_by_memory: profile.isBoundByMemory(row))
    }
}
