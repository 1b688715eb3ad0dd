import Foundation
import SSFKernels

extension RooflineReport {
    /// The roofline plot (Williams, Waterman, Patterson 2009): performance over arithmetic intensity, both logarithmic;
    /// the roofs as lines, each kernel as a named point.
    public func figure() -> Figure {
        let used = arithmeticPeak(.float32)
        let roofs = peaks.filter { $0.kind == .arithmetic }.sorted { $0.value < $1.value }
        let highest = roofs.last?.value ?? used.value
        let intensities = kernels.map(\.intensity)
        let balance = highest / bandwidth.value
        let xRange = min(intensities.min() ?? 1, balance / 4) / 2...max(intensities.max() ?? 1, balance * 8) * 3.5
        let lowest = min(kernels.map(\.gigaFLOPs).min() ?? 10, bandwidth.value * xRange.lowerBound * 2)
        let yRange = lowest / 2...highest * 2
        var marks = memoryRoofs(from: xRange.lowerBound, to: highest)
        for roof in roofs {
            let isMain = roof == used || usesBFloat16 && roof == arithmeticPeak(.bfloat16)
            let corner = roof.value / bandwidth.value
            marks.append(
                Line(
                    [DataPoint(corner, roof.value), DataPoint(xRange.upperBound, roof.value)],
                    color: isMain ? .ink : .muted, width: isMain ? 1.3 : 0.8, dash: isMain ? [] : [3, 2],
                    label: "\(roof.title)  \(Self.number(roof.value)) GFLOP/s", labelPosition: 0.02))
        }
        for (index, family) in KernelCase.Family.allCases.enumerated() {
            let members = kernels.filter { $0.family == family }
            guard !members.isEmpty else { continue }
            marks.append(
                Points(
                    members.map { DataPoint($0.intensity, $0.gigaFLOPs) }, color: Palette.color(index),
                    shape: .series(index), size: 6.5,
                    texts: members.map { "\($0.label) \(Self.number($0.percentOfRoof.rounded())) %" },
                    name: family.title))
        }
        return Figure(
            title: "How near the kernels come to the limits of the machine", width: 540, height: 400,
            panels: [
                [
                    Panel(
                        x: Axis(
                            "arithmetic intensity, FLOP per byte of compulsory traffic", scale: .logarithmic,
                            range: xRange),
                        y: Axis("performance, GFLOP/s", scale: .logarithmic, range: yRange), marks: marks,
                        legend: .none)
                ]
            ], hasSharedLegend: true, caption: caption)
    }

    /// The slanted lines: performance that memory allows, up to the highest of the others; below it that of the triad.
    private func memoryRoofs(from lowest: Double, to highest: Double) -> [any Mark] {
        let roofs = bandwidth == triad ? [bandwidth] : [triad, bandwidth]
        return roofs.map { roof in
            let isMain = roof == bandwidth
            // The triad ends where the roof is flat: above it the line would only cross others.
            let end = isMain ? highest : min(arithmeticPeak(.float32).value, highest)
            return Line(
                [DataPoint(lowest, roof.value * lowest), DataPoint(end / roof.value, end)],
                color: isMain ? .ink : .muted, width: isMain ? 1.3 : 0.8, dash: isMain ? [] : [3, 2],
                label: "\(roof.title)  \(Self.number(roof.value)) GB/s", labelPosition: isMain ? 0.8 : 0.06)
        }
    }

    private var usesBFloat16: Bool { kernels.contains { $0.precision == .bfloat16 } }

    /// The machine line.
    public var caption: String {
        "\(machine.cpu), \(machine.instructionSet.rawValue), \(machine.threads) thread\(machine.threads == 1 ? "" : "s") "
            + "(\(machine.affinity)), \(machine.date.prefix(10)), \(machine.program). Percent: part of the roof above the "
            + "point. Peaks are the greater of two, before and after the kernels; they differ by at most "
            + "\(Self.number((100 * drift * 10).rounded() / 10)) %."
    }

    /// Three significant digits.
    static func number(_ value: Double) -> String {
        value >= 100 ? String(format: "%.0f", value) : String(format: "%.3g", value)
    }
}
