import SSFImages
import SSFTraining

/// What one model did on a set of images.
struct EvaluationOutcome {
    let member: AdapterSet.Member
    var predictions: [Prediction] = []
    /// Of the model alone, without the waiting for images.
    var seconds = 0.0

    var results: RunResults { RunResults(predictions: predictions, classes: member.opened.classes) }
}

/// What `ssf eval` prints and writes: of one model a line and its weakest classes, of several a row each.
struct EvaluationReport {
    let outcomes: [EvaluationOutcome]
    /// Whether several were asked for, even if one of them alone could answer.
    let hasSeveral: Bool
    let dataset: ImageDataset
    let skippedImages: Int

    /// For standard output.
    var lines: [String] {
        guard hasSeveral else {
            let metrics = outcomes[0].results.metrics
            return [
                "\(dataset.name)  images \(metrics.count)  loss \(Formatting.fixed(metrics.loss, 4))  "
                    + "top1 \(Formatting.percent(metrics.top1, 2))  top5 \(Formatting.percent(metrics.top5, 2))  "
                    + "macro recall \(Formatting.percent(metrics.macroRecall, 2))"
            ]
        }
        var table = TextTable(["adapter", "method", "classes", "loss", "top1", "top5", "macro recall", "ms/image"])
        for outcome in outcomes {
            let metrics = outcome.results.metrics
            table.add([
                outcome.member.label, outcome.member.opened.model.method.name,
                String(outcome.member.opened.classes.count), Formatting.fixed(metrics.loss, 4),
                Formatting.percent(metrics.top1, 2), Formatting.percent(metrics.top5, 2),
                Formatting.percent(metrics.macroRecall, 2),
                Formatting.fixed(1000 * outcome.seconds / Double(max(metrics.count, 1)), 2),
            ])
        }
        return ["\(dataset.name)  images \(outcomes[0].predictions.count)"] + table.lines()
    }

    /// All results of one model, or of several in a list.
    func json() throws -> String {
        func summary(_ outcome: EvaluationOutcome) -> RunResults.Summary {
            outcome.results.summary(split: dataset.name, skippedImages: skippedImages)
        }
        guard hasSeveral else { return try JSONText.of(summary(outcomes[0])) }
        return try JSONText.of(
            outcomes.map {
                NamedSummary(
                    adapter: $0.member.label, method: $0.member.opened.model.method.name, summary: summary($0))
            })
    }

    /// One row for each image, of several models for each image and model.
    var csv: String {
        guard hasSeveral else { return outcomes[0].results.predictionsCSV(of: dataset) }
        return outcomes.enumerated().map { position, outcome in
            let text = outcome.results.predictionsCSV(of: dataset, adapter: outcome.member.label)
            // One header is enough.
            return position == 0 ? text : String(text[text.index(after: text.firstIndex(of: "\n")!)...])
        }.joined()
    }

    /// The summary of one adapter among several.
    private struct NamedSummary: Encodable {
        let adapter: String
        let method: String
        let summary: RunResults.Summary

        enum CodingKeys: String, CodingKey { case adapter, method }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(adapter, forKey: .adapter)
            try container.encode(method, forKey: .method)
            try summary.encode(to: encoder)
        }
    }
}
