/// How often images of each class were taken for each class.
public struct ConfusionMatrix: Sendable, Equatable {
    public let classCount: Int
    /// Row-major [K, K]: true class by predicted class.
    public private(set) var counts: [Int]

    public init(classCount: Int) {
        self.classCount = classCount
        counts = [Int](repeating: 0, count: classCount * classCount)
    }

    public subscript(truth: Int, prediction: Int) -> Int {
        counts[truth * classCount + prediction]
    }

    public mutating func add(truth: Int, prediction: Int) {
        counts[truth * classCount + prediction] += 1
    }

    /// Images of a class.
    public func support(_ truth: Int) -> Int {
        counts[truth * classCount..<(truth + 1) * classCount].reduce(0, +)
    }

    /// Images taken for a class.
    public func predicted(_ prediction: Int) -> Int {
        (0..<classCount).reduce(0) { $0 + self[$1, prediction] }
    }

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
