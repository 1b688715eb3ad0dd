import Foundation

extension RooflineReport {
    /// The kernels as comma-separated values with a heading; numbers with six significant digits.
    public func csv() -> String {
        func number(_ value: Double) -> String { String(format: "%.6g", value) }
        var lines = [
            "name,family,shape,dtype,flops,bytes,intensity,seconds,median_seconds,gflops_per_second,"
                + "gigabytes_per_second,roof,roof_gflops_per_second,percent_of_roof,percent_of_triad"
        ]
        for kernel in kernels {
            // The shapes of row-wise kernels hold commas.
            let shape = kernel.shape.contains(",") ? "\"\(kernel.shape)\"" : kernel.shape
            lines.append(
                [
                    kernel.name, kernel.family.rawValue, shape, kernel.precision.rawValue, String(kernel.flops),
                    String(kernel.bytes), number(kernel.intensity), number(kernel.seconds),
                    number(kernel.medianSeconds), number(kernel.gigaFLOPs), number(kernel.gigabytes),
                    kernel.roof.rawValue, number(kernel.roofGigaFLOPs), number(kernel.percentOfRoof),
                    number(kernel.percentOfTriad),
                ].joined(separator: ","))
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
