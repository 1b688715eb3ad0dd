import SSFAnalysis
import SSFCommands

/// A report of `ssf-analyze similarity` as a person reads it.
enum SimilarityText {
    static func lines(_ report: SimilarityReport) -> [String] {
        report.setting.measures.flatMap { table($0, report) } + report.claims.flatMap { claim($0, report) }
    }

    /// Similarity by block, a row for each model.
    private static func table(_ measure: SimilarityMeasure, _ report: SimilarityReport) -> [String] {
        let curves = report.curves.filter { $0.measure == measure }
        guard !curves.isEmpty else { return [] }
        var table = TextTable(["block"] + (1...report.models[0].blocks).map(String.init))
        for curve in curves {
            let role = report.models.first { $0.name == curve.model }!.role
            let name = curve.model + (role == .ceiling ? " (another seed)" : role == .floor ? " (not tuned)" : "")
            table.add([name] + curve.values.map { $0.map { Formatting.fixed($0, 3) } ?? "" })
        }
        return ["\(measure.title), \(report.setting.tokens) tokens, with \(report.models[0].name)"] + table.lines() + [
            ""
        ]
    }

    private static func claim(_ claim: SimilarityClaim, _ report: SimilarityReport) -> [String] {
        let verdict =
            switch claim.verdict {
            case .holds: "\(claim.subject) is the nearest"
            case .fails: "\(claim.subject) is not the nearest"
            case .undecided: "these images do not decide whether \(claim.subject) is the nearest"
            }
        let differences = claim.differences.map {
            "  \(claim.subject) less \($0.model): \(signed($0.value)) (95 %: \(signed($0.low)) to \(signed($0.high)))"
        }
        return [
            "last block, \(claim.measure.title): \(verdict) to \(report.models[0].name)"
                + " (\(claim.replicates) times \(claim.resampling))"
        ] + differences
    }

    private static func signed(_ value: Double) -> String { (value < 0 ? "" : "+") + Formatting.fixed(value, 4) }
}
