import SSFTraining
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

@Suite("Metrics")
struct ClassificationMetricsTests {
    private func prediction(_ label: Int, _ logits: [Float]) -> Prediction {
        logits.withUnsafeBufferPointer { Prediction(index: 0, label: label, logits: $0) }
    }

    @Test("A prediction keeps class, probability, rank and loss")
    func prediction() {
        let logits: [Float] = [1, 3, 2]
        let sum = exp(1.0) + exp(3.0) + exp(2.0)
        let one = prediction(2, logits)
        #expect(one.predicted == 1)
        #expect(one.labelRank == 1)
        #expect(abs(Double(one.probability) - exp(3.0) / sum) < 1e-6)
        #expect(abs(one.loss - (log(sum) - 2)) < 1e-12)
    }

    @Test("Of equal logits the first class is predicted, and ranks agree")
    func ties() {
        #expect(prediction(0, [1, 1, 1]).labelRank == 0)
        #expect(prediction(0, [1, 1, 1]).predicted == 0)
        #expect(prediction(2, [1, 1, 1]).labelRank == 2)
    }

    @Test("Huge logits give finite losses")
    func range() {
        let one = prediction(0, [-3e4, 3e4])
        #expect(one.loss == 6e4)
        #expect(one.probability == 1)
    }

    @Test("A logit that is no number recognises nothing")
    func notANumber() {
        let none = prediction(0, [.nan, .nan, .nan])
        #expect(none.labelRank == 3)
        #expect(prediction(1, [.nan, 2, 1]).predicted == 1)
        let metrics = ClassificationMetrics([none], classCount: 3)
        #expect(metrics.top1 == 0)
        #expect(metrics.top5 == 0)
    }

    @Test("Top-1, top-5, macro recall and the confusion matrix of a small set")
    func set() {
        // Class 0: two of three right. Class 1: its only image is taken for class 5. Class 2 has no image.
        let predictions = [
            prediction(0, [9, 0, 0, 0, 0, 0]), prediction(0, [9, 1, 0, 0, 0, 0]), prediction(0, [0, 1, 2, 3, 4, 5]),
            prediction(1, [0, 1, 2, 3, 4, 5]),
        ]
        let metrics = ClassificationMetrics(predictions, classCount: 6)
        #expect(metrics.top1 == 0.5)
        #expect(metrics.top5 == 0.75)
        #expect(abs(metrics.macroRecall - 1.0 / 3) < 1e-12)
        #expect(metrics.confusion[0, 0] == 2)
        #expect(metrics.confusion[0, 5] == 1)
        #expect(metrics.confusion[1, 5] == 1)
        #expect(metrics.confusion.recall(2) == nil)
        #expect(metrics.confusion.precision(5) == 0)
        #expect(metrics.confusion.precision(0) == 1)
        #expect(metrics.confusion.support(0) == 3)
    }
}
