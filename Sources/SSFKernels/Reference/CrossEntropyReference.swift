import Foundation

extension Reference {
    /// `-(sum over k of targets[k] * log(softmax(logits)[k]))` of every row, and its gradient with respect to logits.
    package static func crossEntropy(
        batch: Int, classes: Int, logits: [Double], targets: [Double]
    ) -> (losses: [Double], dLogits: [Double]) {
        var losses: [Double] = []
        var dLogits = logits
        for row in 0..<batch {
            let range = row * classes..<(row + 1) * classes
            let logSum = logSumExp(logits[range])
            let mass = targets[range].reduce(0, +)
            losses.append(range.reduce(0) { $0 + targets[$1] * (logSum - logits[$1]) })
            for i in range {
                dLogits[i] = exp(logits[i] - logSum) * mass - targets[i]
            }
        }
        return (losses, dLogits)
    }

    /// One label per row as target distributions: `1 - smoothing` on the label and `smoothing / classes` on every class.
    package static func smoothedTargets(labels: [Int32], classes: Int, smoothing: Double) -> [Double] {
        labels.flatMap { label in
            (0..<classes).map { smoothing / Double(classes) + ($0 == Int(label) ? 1 - smoothing : 0) }
        }
    }
}
