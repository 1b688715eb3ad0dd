import Foundation
import SSFAnalysis
import SSFTestSupport
import SSFTuning
import Testing

@Suite("Comparisons of methods") struct ComparisonTests {
    /// Two methods on two sets with two seeds; `linear` has lost a seed on the second.
    static func report() throws -> ComparisonReport {
        func run(_ seed: Int, _ last: Double, _ best: Double) -> ComparisonCell.Run {
            ComparisonCell.Run(
                seed: seed, lastTop1: last, bestTop1: best, bestEpoch: 1, seconds: 2, peakBytes: 100 + seed,
                adapterBytes: 40)
        }
        func cell(_ method: String, _ dataset: String, _ runs: [ComparisonCell.Run]) -> ComparisonCell {
            ComparisonCell(
                method: method, dataset: dataset, trainable: method == "ssf" ? 3000 : 200, parameters: 10_000,
                runs: runs, diverged: runs.count < 2 ? [1] : [])
        }
        let methods = try ["linear", "ssf"].map { name in
            let named = try NamedTuning(name)
            return ComparisonReport.Method(named, title: named.title, isUnified: true, merges: true)
        }
        let datasets = ["first", "second"].map {
            ComparisonReport.Dataset(
                name: $0, location: $0, classes: 2, trainImages: 8, validationImages: 0, testImages: 4,
                baseMultiplyAdds: 1_000_000)
        }
        return ComparisonReport(
            machine: .init(program: "ssf", cpu: "a CPU", instructionSet: "avx2", threads: 1, date: "2026-11-21"),
            model: "models/tiny", settings: [:], seeds: [0, 1], sweep: nil, datasets: datasets, methods: methods,
            cells: [
                cell("linear", "first", [run(0, 50, 52), run(1, 54, 50)]), cell("linear", "second", [run(0, 60, 60)]),
                cell("ssf", "first", [run(0, 70, 71), run(1, 74, 75)]),
                cell("ssf", "second", [run(0, 80, 81), run(1, 90, 91)]),
            ], differences: [])
    }

    @Test("The mean over the sets is taken seed by seed; a seed that is missing somewhere is left out")
    func means() throws {
        let report = try Self.report()
        let ssf = try #require(report.mean(method: "ssf", .last))
        #expect(ssf.mean == 78.5 && ssf.count == 2)
        #expect(abs(ssf.deviation! - 7 / 2.0.squareRoot()) < 1e-12)
        #expect(report.mean(method: "ssf", .best)?.mean == 79.5)
        let linear = try #require(report.mean(method: "linear", .last))
        #expect(linear.mean == 55 && linear.count == 1 && linear.deviation == nil)
        #expect(report.mean(method: "linear") { Double($0.runs.count) } == 1.5)
        #expect(report.cell(method: "ssf", dataset: "first")?.peakBytes == 101)
        #expect(report.mean(method: "full", .last) == nil)
    }

    @Test("Every pair is compared on every set and in their mean; methods without a run are left out")
    func differences() {
        func outcome(_ method: String, _ runs: [[Bool]]) -> MethodDifference.Outcomes {
            MethodDifference.Outcomes(
                method: method, bySeed: Dictionary(uniqueKeysWithValues: runs.enumerated().map { ($0, $1) }))
        }
        let a = [[true, true, true, false], [true, true, false, false]]
        let b = [[true, false, false, false], [true, false, false, true]]
        let one = ("one", [outcome("a", a), outcome("b", b), outcome("lost", [])])
        let two = ("two", [outcome("a", b), outcome("b", b), outcome("lost", [])])
        let found = MethodDifference.all([one, two], resamples: 200)
        #expect(found.map(\.dataset) == ["one", "two", nil])
        #expect(found.allSatisfy { $0.first == "a" && $0.second == "b" })
        #expect(abs(found[0].points - 25) < 1e-12 && found[1].points == 0 && abs(found[2].points - 12.5) < 1e-12)
        #expect(found[0].tests.map(\.seed) == [0, 1])
        #expect(found[0].tests[0].test == McNemarTest(onlyFirst: 2, onlySecond: 0))
        #expect(found[0].tests[1].test == McNemarTest(onlyFirst: 1, onlySecond: 1))
        #expect(found[1].low == 0 && found[1].high == 0 && !found[1].isClear)
        #expect(found[0].low <= found[0].points && found[0].points <= found[0].high)
        #expect(found[2].high <= found[0].high)
    }

    @Test("The figure shows each method by its name and is a picture")
    func figure() throws {
        let report = try Self.report()
        let folder = try TemporaryFolder()
        try FigureFile.write(report.figure(), to: folder.file("a.svg"))
        try FigureFile.write(try #require(report.figureOfSets()), to: folder.file("b.pdf"))
        let marks = report.figure().panels[0][0].marks
        let points = marks.compactMap { $0 as? Points }
        #expect(points.flatMap(\.texts).sorted() == ["Linear", "SSF"])
        #expect(points.flatMap(\.points).map(\.x).sorted() == [200, 3000])
        #expect(try Data(contentsOf: URL(filePath: folder.file("a.svg"))).count > 2000)
        #expect(try Data(contentsOf: URL(filePath: folder.file("b.pdf"))).prefix(4).elementsEqual(Data("%PDF".utf8)))
    }

    @Test("A method's own settings, lists of words and settings of its runs are told apart")
    func names() throws {
        let list = try NamedTuning.list("ssf, lora:targets=q+v:lr=1e-3:rank=2", others: ["lr"])
        #expect(list.map(\.method.name) == ["ssf", "lora:targets=q+v:lr=1e-3:rank=2"])
        #expect(list[1].method.tuning.options["targets"]?.string == "q,v")
        #expect(list[1].method.tuning.options["rank"]?.integer == 2)
        #expect(list[0].others.isEmpty && list[1].others == ["lr": "1e-3"])
        for text in ["ssf,", "ssf,ssf", "ssf:lr=1:lr=2", "ssf:epochs=2"] {
            #expect(throws: (any Error).self, "\(text)") { try NamedTuning.list(text, others: ["lr"]) }
        }
    }
}
