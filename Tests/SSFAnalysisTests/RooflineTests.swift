import Foundation
import SSFAnalysis
import SSFKernels
import SSFTestSupport
import Testing

@Suite("The roofline report") struct RooflineTests {
    static let machine = RooflineReport.Machine(
        program: "ssf-analyze 0", cpu: "a CPU", operatingSystem: "a system", instructionSet: .avx2, threads: 2,
        affinity: "bound to CPUs 0-1", date: "2026-01-02T03:04:05Z", loadAverage: 0.5)

    /// A machine of 200 GFLOP/s, a triad of 50 GB/s and 75 GB/s at best.
    static func report(_ timings: [KernelTiming], after: Double = 200) -> RooflineReport {
        RooflineReport(
            machine: machine, secondsPerKernel: 1, caches: [CacheLevel(level: 1, bytes: 32768, sharedBy: 1)],
            peaks: [
                MeasuredPeak(kind: .arithmetic, instructionSet: .baseline, precision: .float32, before: 50, after: 50),
                MeasuredPeak(kind: .arithmetic, instructionSet: .avx2, precision: .float32, before: 190, after: after),
                MeasuredPeak(kind: .triad, instructionSet: .avx2, before: 50, after: 49),
                MeasuredPeak(kind: .read, instructionSet: .avx2, before: 45, after: 45),
                MeasuredPeak(kind: .update, instructionSet: .avx2, before: 75, after: 75),
            ], timings: timings)
    }

    private func kernel(_ name: String) throws -> KernelCase {
        try #require(KernelCatalog.all.first { $0.name == name })
    }

    @Test("A product stands under the arithmetic, a norm and AdamW under the memory")
    func percentages() throws {
        let (product, norm, adam) = (try kernel("gemm.qkv"), try kernel("layernorm.forward"), try kernel("adamw"))
        // 160 GFLOP/s; 40 and 60 GB/s.
        let report = Self.report([
            KernelTiming(kernel: product, best: Double(product.flops) / 160e9, median: 1, calls: 3),
            KernelTiming(kernel: norm, best: Double(norm.bytes) / 40e9, median: 1, calls: 3),
            KernelTiming(kernel: adam, best: Double(adam.bytes) / 60e9, median: 1, calls: 3),
        ])
        let kernels = report.kernels
        #expect(kernels.map(\.roof) == [.arithmetic, .memory, .memory])
        for (kernel, percent) in zip(kernels, [80, 100 * 40.0 / 75, 80]) {
            #expect(abs(kernel.percentOfRoof - percent) < 1e-9, "\(kernel.name)")
        }
        #expect(abs(kernels[1].percentOfTriad - 80) < 1e-9)
        #expect(abs(kernels[0].gigaFLOPs - 160) < 1e-9)
        #expect(abs(kernels[1].gigabytes - 40) < 1e-9)
        #expect(kernels.map(\.limit) == ["arithmetic", "memory", "memory"])
    }

    @Test("Products of bf16 stand under the peak of their own, or of single precision where there is none")
    func precisions() {
        var report = Self.report([])
        #expect(report.arithmeticPeak(.bfloat16).precision == .float32)
        report.machine.instructionSet = .avx512bf16
        report.peaks += [
            MeasuredPeak(kind: .arithmetic, instructionSet: .avx512, precision: .float32, before: 400, after: 400),
            MeasuredPeak(kind: .arithmetic, instructionSet: .avx512bf16, precision: .bfloat16, before: 800, after: 800),
        ]
        #expect(report.arithmeticPeak(.float32).value == 400)
        #expect(report.arithmeticPeak(.bfloat16).value == 800)
    }

    @Test("Peaks that changed are reported; the greater counts")
    func drift() {
        #expect(!Self.report([]).hasDrifted)
        #expect(Self.report([]).arithmeticPeak(.float32).value == 200)
        let drifted = Self.report([], after: 150)
        #expect(drifted.hasDrifted && drifted.arithmeticPeak(.float32).value == 190)
        #expect(abs(drifted.drift - 40.0 / 190) < 1e-12)
    }

    @Test("JSON gives back what was measured; CSV has a row for each kernel")
    func files() throws {
        let norm = try kernel("layernorm.backward")
        let report = Self.report([KernelTiming(kernel: norm, best: 1e-3, median: 2e-3, calls: 7)])
        let data = try JSONEncoder().encode(report)
        let copy = try JSONDecoder().decode(RooflineReport.self, from: data)
        #expect(copy.peaks == report.peaks && copy.machine == report.machine && copy.caches == report.caches)
        #expect(copy.kernels.map(\.name) == ["layernorm.backward"] && copy.kernels[0].calls == 7)
        let lines = report.csv().split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines[0].split(separator: ",").count == 15)
        #expect(lines[1].hasPrefix("layernorm.backward,layernorm,\"[3152, 768]\",f32,31469568,29089408,"))
    }

    @Test("The figure of the same numbers is the same, and names the peaks, the machine and each family once")
    func figure() throws {
        let timings = KernelCatalog.all.map {
            KernelTiming(kernel: $0, best: max(Double($0.flops) / 150e9, Double($0.bytes) / 40e9), median: 1, calls: 1)
        }
        let report = Self.report(timings)
        #expect(FigureFile.bytes(report.figure(), .svg) == FigureFile.bytes(report.figure(), .svg))
        let panel = try #require(report.figure().panels.first?.first)
        #expect(panel.marks.compactMap(\.legendEntry).count == KernelCase.Family.allCases.count)
        #expect(panel.marks.compactMap { ($0 as? Points)?.points.count }.reduce(0, +) == KernelCatalog.all.count)
        #expect(report.caption.contains("a CPU") && report.caption.contains("2 threads"))
    }

    @Test("Every family can be measured, and the results are numbers")
    func measuring() {
        let small = [
            KernelCatalog.linear("small", m: 16, n: 48, k: 32),
            KernelCatalog.linear("small", m: 16, n: 48, k: 32, precision: .bfloat16),
            KernelCatalog.weightGradient("small", m: 17, n: 16, k: 32),
            KernelCatalog.layerNormForward(rows: 64, channels: 32),
            KernelCatalog.layerNormBackward(rows: 64, channels: 32),
            KernelCatalog.softmaxForward(rows: 64, columns: 17), KernelCatalog.softmaxBackward(rows: 64, columns: 17),
            KernelCatalog.geluForward(rows: 64, channels: 32), KernelCatalog.geluBackward(rows: 64, channels: 32),
            KernelCatalog.attentionForward(batch: 1, tokens: 17, heads: 2, headWidth: 16),
            KernelCatalog.attentionBackward(batch: 1, tokens: 17, heads: 2, headWidth: 16),
            KernelCatalog.adamW(count: 999),
        ]
        var machine = Self.machine
        machine.instructionSet = KernelTable.current.instructionSet
        var steps: [RooflineMeasurement.Progress] = []
        let report = RooflineMeasurement(kernels: small, secondsPerKernel: 0.001).run(machine: machine) {
            steps.append($0)
        }
        #expect(steps.count == small.count + 2)
        #expect(steps.first == .peaks(isSecondTime: false) && steps.last == .peaks(isSecondTime: true))
        #expect(report.kernels.map(\.name) == small.map(\.name))
        for kernel in report.kernels {
            #expect(kernel.gigaFLOPs > 0 && kernel.gigabytes > 0 && kernel.percentOfRoof > 0, "\(kernel.name)")
            #expect(kernel.percentOfRoof.isFinite && kernel.medianSeconds >= kernel.seconds, "\(kernel.name)")
        }
        for peak in report.peaks { #expect(peak.before > 0.1 && peak.after > 0.1 && peak.value < 1e6, "\(peak.title)") }
        #expect(Set(report.peaks.map(\.title)).count == report.peaks.count)
    }

    @Test("A streaming kernel takes so many copies that the caches are too small for them")
    func copies() throws {
        let norm = try kernel("layernorm.forward")
        #expect(RooflineMeasurement.copies(norm, cacheBytes: 32 << 20) == 7)
        #expect(RooflineMeasurement.copies(norm, cacheBytes: 4 << 30) == 56)
        #expect(RooflineMeasurement.copies(try kernel("gemm.qkv"), cacheBytes: 32 << 20) == 1)
    }
}

@Suite("Caches as the system reports them") struct CacheLevelTests {
    @Test("Sizes, levels and sharers are read; instruction caches are left out")
    func linux() throws {
        let folder = try TemporaryFolder()
        for (index, cache) in [
            ("1", "Data", "48K", "0"), ("1", "Instruction", "32K", "0"), ("3", "Unified", "32768K", "0-3,8-11"),
            ("2", "Unified", "1M", "0,4"), ("x", "Unified", "1M", "0"),
        ].enumerated() {
            let path = folder.file("index\(index)")
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            for (name, text) in [
                ("level", cache.0), ("type", cache.1), ("size", cache.2), ("shared_cpu_list", cache.3),
            ] { try Data("\(text)\n".utf8).write(to: URL(filePath: path + "/" + name)) }
        }
        #expect(
            CacheLevel.reported(folder: folder.path) == [
                CacheLevel(level: 1, bytes: 49152, sharedBy: 1), CacheLevel(level: 2, bytes: 1 << 20, sharedBy: 2),
                CacheLevel(level: 3, bytes: 32 << 20, sharedBy: 8),
            ])
        #expect(CacheLevel.reported(folder: folder.file("nowhere")).isEmpty)
    }

    @Test("Sizes and lists that make no sense are nothing")
    func malformed() {
        #expect(CacheLevel.bytes("") == nil && CacheLevel.bytes("K") == nil && CacheLevel.bytes("512") == 512)
        #expect(CacheLevel.count("") == 0 && CacheLevel.count("7") == 1 && CacheLevel.count("3-1,5") == 1)
    }
}
