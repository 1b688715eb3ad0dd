import Foundation
import SSFTraining

/// What `ssf triage` has found, as JSON and as text. Accuracies in percent, times in seconds.
struct TriageReport: Encodable {
    struct Part: Encodable {
        var name: String
        var images: Int
    }
    struct Neighbours: Encodable {
        var k: Int
        var top1: Double
        var images: Int
        /// What was looked up among what.
        var kind: String
    }
    struct Probe: Encodable {
        var learning_rate: Double
        var weight_decay: Double
        var epoch: Int
        var top1: Double
        var macro_recall: Double
        var loss: Double

        init(_ candidate: LinearProbe.Candidate) {
            learning_rate = candidate.learningRate
            weight_decay = candidate.weightDecay
            epoch = candidate.epoch
            top1 = 100 * candidate.metrics.top1
            macro_recall = 100 * candidate.metrics.macroRecall
            loss = candidate.metrics.loss
        }
    }
    struct Confusion: Encodable {
        var label: String
        var taken_for: String
        var images: Int
        /// Part of the label's images, in percent.
        var share: Double
    }
    struct Pair: Encodable {
        var first: String
        var second: String
        var similarity: Double
        var hasSameLabel: Bool

        enum CodingKeys: String, CodingKey {
            case first, second, similarity
            case hasSameLabel = "same_label"
        }
    }
    struct Duplicates: Encodable {
        var first: String
        var second: String
        /// Images of `second` that are nearly one of `first`.
        var images: Int
        var pairs: [Pair]
    }
    struct Tuning: Encodable {
        var method: String
        var epochs: Int
        var trainable: Int
        var seconds: Double
    }
    struct Recommendation: Encodable {
        var method: String
        var reasons: [String]
    }

    let model: String
    let data: String
    let classes: [String]
    let parts: [Part]
    /// Training images of each class.
    let histogram: [Int]
    let knn: Neighbours
    /// The best first.
    let probes: [Probe]
    let confusions: [Confusion]
    let chosenBy: String
    let chosenOnImages: Int
    let duplicates: [Duplicates]
    let tuning: Tuning
    let featureWidth: Int
    let featureSeconds: Double
    let seconds: Double

    enum CodingKeys: String, CodingKey {
        case model, data, classes, parts, histogram, knn, probes, confusions, duplicates, tuning, seconds
        case chosenBy = "chosen_by"
        case chosenOnImages = "chosen_on_images"
        case featureWidth = "feature_width"
        case featureSeconds = "feature_seconds"
        case recommendation
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(model, forKey: .model)
        try container.encode(data, forKey: .data)
        try container.encode(classes, forKey: .classes)
        try container.encode(parts, forKey: .parts)
        try container.encode(histogram, forKey: .histogram)
        try container.encode(knn, forKey: .knn)
        try container.encode(probes, forKey: .probes)
        try container.encode(confusions, forKey: .confusions)
        try container.encode(chosenBy, forKey: .chosenBy)
        try container.encode(chosenOnImages, forKey: .chosenOnImages)
        try container.encode(duplicates, forKey: .duplicates)
        try container.encode(tuning, forKey: .tuning)
        try container.encode(featureWidth, forKey: .featureWidth)
        try container.encode(featureSeconds, forKey: .featureSeconds)
        try container.encode(seconds, forKey: .seconds)
        try container.encode(recommendation, forKey: .recommendation)
    }

    /// The pairs of classes that the best probe mixes up most.
    static func confusions(_ metrics: ClassificationMetrics?, classes: [String]) -> [Confusion] {
        guard let confusion = metrics?.confusion else { return [] }
        var found: [Confusion] = []
        for truth in classes.indices {
            let support = confusion.support(truth)
            guard support > 0, confusion[truth, truth] < support else { continue }
            for prediction in classes.indices where prediction != truth && confusion[truth, prediction] > 0 {
                let count = confusion[truth, prediction]
                found.append(
                    Confusion(
                        label: classes[truth], taken_for: classes[prediction], images: count,
                        share: 100 * Double(count) / Double(support)))
            }
        }
        return Array(found.sorted { ($0.images, $0.share) > ($1.images, $1.share) }.prefix(5))
    }

    // MARK: Judgement

    /// Top-1 of the best probe, in percent.
    var probeTop1: Double? { probes.first?.top1 }

    /// What one gets for always naming the most frequent class, in percent.
    var majority: Double { 100 * Double(histogram.max() ?? 0) / Double(max(histogram.reduce(0, +), 1)) }

    /// Which method to begin with, and why.
    var recommendation: Recommendation {
        var reasons: [String] = []
        let time = Formatting.duration(tuning.seconds)
        let frozen = max(probeTop1 ?? 0, knn.top1)
        let headroom = 100 - frozen
        let method: String
        let figures =
            "with frozen features \(probeTop1.map { "a linear probe reaches \(Formatting.fixed($0, 1)) %" } ?? "no probe converged") "
            + "and neighbours \(Formatting.fixed(knn.top1, 1)) %; naming the most frequent class gives "
            + "\(Formatting.fixed(majority, 1)) %"
        if headroom <= 2 {
            method = "linear"
            reasons.append("\(figures): at most \(Formatting.fixed(headroom, 1)) points are left to gain")
            reasons.append("linear probing takes seconds; ssf would take about \(time) for what is left")
        } else {
            method = "ssf"
            reasons.append("\(figures): up to \(Formatting.fixed(headroom, 1)) points are open to tuning the features")
            reasons.append(
                "ssf trains \(Formatting.grouped(tuning.trainable)) numbers in about \(time) "
                    + "(\(Formatting.counted(tuning.epochs, "epoch")), not augmented) and merges at no cost")
            if frozen < majority + (100 - majority) / 4 {
                reasons.append(
                    "the features hardly tell the classes apart: look at labels and --img-size, and compare with "
                        + "--method full")
            }
        }
        if tuning.seconds > 2 * 3600 {
            reasons.append("a smaller --img-size shortens the run; --dry-run tells by how much")
        }
        let error = chosenOnImages > 0 ? 100 * (frozen / 100 * headroom / 100 / Double(chosenOnImages)).squareRoot() : 0
        if error > 1 {
            reasons.append(
                "these figures come from \(Formatting.counted(chosenOnImages, "image")): one standard error is "
                    + "\(Formatting.fixed(error, 1)) points")
        }
        let copies = duplicates.filter { $0.images > 0 }
        if !copies.isEmpty {
            reasons.append(
                "nearly the same images stand in "
                    + copies.map { "\($0.first) and \($0.second) (\($0.images))" }.joined(separator: ", ")
                    + ": accuracies there flatter; take them out first")
        }
        if let least = histogram.min(), let most = histogram.max(), most > 10 * max(least, 1) {
            reasons.append("classes are uneven, \(least) to \(most) images: judge by macro recall")
        }
        return Recommendation(method: method, reasons: reasons)
    }

    // MARK: Text

    /// Within 100 columns but for names.
    var lines: [String] {
        var lines = [
            "features  \(featureWidth) numbers of "
                + parts.map { "\(Formatting.counted($0.images, "image")) (\($0.name))" }.joined(separator: ", ")
                + ": \(Formatting.fixed(featureSeconds, 1)) s"
        ]
        let least = histogram.indices.min { histogram[$0] < histogram[$1] } ?? 0
        let most = histogram.indices.max { histogram[$0] < histogram[$1] } ?? 0
        lines.append(
            "classes   \(classes.count), \(histogram[least]) (\(classes[least])) to \(histogram[most]) (\(classes[most])) "
                + "training images; the most frequent is \(Formatting.fixed(majority, 1)) %")
        lines.append(
            "kNN       top1 \(Formatting.fixed(knn.top1, 1)) %, cosine, k \(knn.k), "
                + "\(Formatting.counted(knn.images, "image")): \(knn.kind)")
        if let best = probes.first {
            lines.append(
                "probe     top1 \(Formatting.fixed(best.top1, 1)) %, macro recall \(Formatting.fixed(best.macro_recall, 1)) %, "
                    + "lr \(best.learning_rate), weight decay \(best.weight_decay)")
            lines.append(
                "          the best of \(probes.count) settings by \(chosenBy) (\(Formatting.counted(chosenOnImages, "image")))"
            )
        } else {
            lines.append("probe     every setting diverged")
        }
        if !confusions.isEmpty {
            var table = TextTable(["most confused", "taken for", "images", "share %"])
            for confusion in confusions {
                table.add([
                    confusion.label, confusion.taken_for, String(confusion.images),
                    Formatting.fixed(confusion.share, 1),
                ])
            }
            lines += table.lines(indent: 0)
        }
        for found in duplicates where found.images > 0 {
            lines.append(
                "same      \(Formatting.counted(found.images, "image")) of \(found.second) "
                    + "(cosine above 0.999 with one of \(found.first))")
            for pair in found.pairs {
                lines.append(
                    "          \(pair.second) = \(pair.first)" + (pair.hasSameLabel ? "" : ", labelled differently"))
            }
        }
        if duplicates.allSatisfy({ $0.images == 0 }), parts.count > 1 {
            lines.append("same      no image of one part is nearly one of another (cosine above 0.999)")
        }
        lines.append(
            "ssf       about \(Formatting.duration(tuning.seconds)) for \(Formatting.counted(tuning.epochs, "epoch")), "
                + "\(Formatting.grouped(tuning.trainable)) trained numbers")
        let recommendation = recommendation
        lines.append("advice    --method \(recommendation.method)")
        lines += recommendation.reasons.flatMap { Self.wrapped($0) }
        return lines
    }

    /// A sentence in lines of at most 100 columns, behind a dash.
    private static func wrapped(_ text: String) -> [String] {
        var lines: [String] = []
        var line = "          -"
        for word in text.split(separator: " ") {
            if line.count + 1 + word.count > 100 {
                lines.append(line)
                line = "           "
            }
            line += " " + word
        }
        return lines + [line]
    }
}
