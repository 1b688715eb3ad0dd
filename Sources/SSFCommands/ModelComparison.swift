import SSFGraph
import SSFTensors
import SSFTraining
import SSFTuning

/// How far two models differ on the same images.
public struct ModelComparison: Sendable {
    public private(set) var images = 0
    /// Of any logit of any image.
    public private(set) var largestDifference = 0.0
    /// Of the first model, by magnitude.
    public private(set) var largestLogit = 0.0
    /// Images for which both name the same class.
    public private(set) var agreements = 0
    /// Images for which they do not, although the first model's choice is further ahead than the tolerance.
    public private(set) var contradictions = 0
    private let relativeTolerance: Double

    /// What logits may differ by: the relative tolerance times the largest logit, at least times 1.
    public var tolerance: Double { relativeTolerance * max(1, largestLogit) }

    /// Whether every logit is within the tolerance and no class is another. Two classes that are nearer to each other
    /// than the tolerance may change places.
    public var passes: Bool { largestDifference.isFinite && largestDifference <= tolerance && contradictions == 0 }

    /// Runs both models on every image of `source`.
    public init(
        _ first: TunedModel, _ second: TunedModel, on source: any BatchSource, relativeTolerance: Double,
        batchSize: Int = 16
    ) throws {
        self.relativeTolerance = relativeTolerance
        var logits: [[Float]] = []
        try Evaluator(model: first, batchSize: batchSize).forEachBatch(of: source) { batch, values in
            let classes = values.count / batch.count
            for i in 0..<batch.count { logits.append(Array(values[i * classes..<(i + 1) * classes])) }
        }
        largestLogit = logits.reduce(0) { max($0, $1.reduce(0) { max($0, abs(Double($1))) }) }

        var position = 0
        try Evaluator(model: second, batchSize: batchSize).forEachBatch(of: source) { batch, values in
            let classes = values.count / batch.count
            for i in 0..<batch.count {
                compare(logits[position], Array(values[i * classes..<(i + 1) * classes]))
                position += 1
            }
        }
    }

    private mutating func compare(_ a: [Float], _ b: [Float]) {
        images += 1
        guard a.count == b.count, let first = a.max(), let second = b.max() else {
            largestDifference = .infinity
            return
        }
        for (x, y) in zip(a, b) {
            let difference = abs(Double(x) - Double(y))
            // A comparison with NaN is false: it must not pass for a small difference.
            largestDifference =
                difference <= largestDifference ? largestDifference : difference.isNaN ? .infinity : difference
        }
        let choice = a.firstIndex(of: first)
        let other = b.firstIndex(of: second)
        if choice == other {
            agreements += 1
        } else if other.map({ Double(first - a[$0]) > tolerance }) ?? true {
            contradictions += 1
        }
    }
}

/// Images of noise, for comparing models where there are no others.
enum NoiseImages {
    /// Normalised pixels of the standard normal distribution, always the same.
    static func source(count: Int, height: Int, width: Int) -> MemoryBatchSource {
        let pixels = Tensor(zeros: [count, 3, height, width])
        var random = RandomGenerator(seed: 0, stream: "noise")
        let floats = pixels.floats
        for i in floats.indices { floats[i] = Float(random.normal()) }
        return MemoryBatchSource(pixels: pixels, labels: [Int32](repeating: 0, count: count))
    }
}
