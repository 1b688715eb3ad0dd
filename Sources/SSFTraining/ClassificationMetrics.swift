#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What is kept of one image's logits.
public struct Prediction: Sendable, Equatable {
    /// Position of the image in its data set.
    public var index: Int
    public var label: Int
    /// The class with the greatest logit; the first of equal ones.
    public var predicted: Int
    /// Softmax probability of `predicted`.
    public var probability: Float
    /// How many classes have a greater logit than the label's: 0 when the prediction is right, K where the label's is
    /// NaN.
    public var labelRank: Int
    /// Cross-entropy in nats, without label smoothing.
    public var loss: Double

    /// - Precondition: `label` is a class of `logits`.
    public init(index: Int, label: Int, logits: UnsafeBufferPointer<Float>) {
        precondition(logits.indices.contains(label), "label \(label) is not one of \(logits.count) classes")
        self.index = index
        self.label = label
        // A comparison with NaN is false: the first number is taken in its place.
        var best = logits.indices.first { !logits[$0].isNaN } ?? 0
        for i in logits.indices where logits[i] > logits[best] { best = i }
        predicted = best
        var sum = 0.0
        for logit in logits { sum += exp(Double(logit - logits[best])) }
        probability = Float(1 / sum)
        loss = log(sum) + Double(logits[best] - logits[label])
        // Of equal logits the lower class counts as the greater, in agreement with `predicted`.
        var rank = 0
        for i in logits.indices where logits[i] > logits[label] || (logits[i] == logits[label] && i < label) {
            rank += 1
        }
        // A label whose logit is no number was not recognised.
        labelRank = logits[label].isNaN ? logits.count : rank
    }
}

/// Accuracy over a data set. Parts are in 0...1; what is shown to people is in percent.
public struct ClassificationMetrics: Sendable {
    public let count: Int
    /// Mean cross-entropy in nats, without label smoothing.
    public let loss: Double
    public let top1: Double
    /// With five classes or fewer, the label is always among the first five.
    public let top5: Double
    public let confusion: ConfusionMatrix

    public var macroRecall: Double { confusion.macroRecall }

    public init(_ predictions: [Prediction], classCount: Int) {
        var confusion = ConfusionMatrix(classCount: classCount)
        var loss = 0.0
        var first = 0
        var firstFive = 0
        for prediction in predictions {
            confusion.add(truth: prediction.label, prediction: prediction.predicted)
            loss += prediction.loss
            if prediction.labelRank < 1 { first += 1 }
            if prediction.labelRank < 5 && !prediction.loss.isNaN { firstFive += 1 }
        }
        let total = Double(max(predictions.count, 1))
        count = predictions.count
        self.loss = loss / total
        top1 = Double(first) / total
        top5 = Double(firstFive) / total
        self.confusion = confusion
    }
}
