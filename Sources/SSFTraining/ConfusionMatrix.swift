/// How often images of each class were taken for each class.
///
/// Only the cells that occur are kept: their number is bounded by that of the images, while the square of the number of
/// classes is not.
public struct ConfusionMatrix: Sendable, Equatable {
    private struct Cell: Hashable {
        var truth: Int
        var prediction: Int
    }

    public let classCount: Int
    private var counts: [Cell: Int] = [:]
    private var supports: [Int]
    private var predictions: [Int]

    public init(classCount: Int) {
        self.classCount = classCount
        supports = [Int](repeating: 0, count: classCount)
        predictions = supports
    }

    /// Images of the class `truth` that were taken for the class `prediction`.
    public subscript(truth: Int, prediction: Int) -> Int {
        counts[Cell(truth: truth, prediction: prediction)] ?? 0
    }

    public mutating func add(truth: Int, prediction: Int) {
        counts[Cell(truth: truth, prediction: prediction), default: 0] += 1
        supports[truth] += 1
        predictions[prediction] += 1
    }

    /// Images of a class.
    public func support(_ truth: Int) -> Int { supports[truth] }

    /// Images taken for a class.
    public func predicted(_ prediction: Int) -> Int { predictions[prediction] }

    /// The part of a class's images that was recognised; nil when there are none.
    public func recall(_ truth: Int) -> Double? {
        let support = support(truth)
        return support == 0 ? nil : Double(self[truth, truth]) / Double(support)
    }

    /// The part of the images taken for a class that belong to it; nil when there are none.
    public func precision(_ prediction: Int) -> Double? {
        let predicted = predicted(prediction)
        return predicted == 0 ? nil : Double(self[prediction, prediction]) / Double(predicted)
    }

    /// The mean recall over the classes that have images, in 0...1.
    public var macroRecall: Double {
        let recalls = (0..<classCount).compactMap(recall)
        return recalls.isEmpty ? 0 : recalls.reduce(0, +) / Double(recalls.count)
    }
}
