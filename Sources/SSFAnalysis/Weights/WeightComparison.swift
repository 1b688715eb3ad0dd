import SSFTensors

/// How weights are compared.
public struct WeightSettings: Sendable, Hashable, Codable {
    /// Of a histogram, between its edges.
    public var bins: Int
    /// A histogram's edges leave out this part of the pre-trained numbers on either side, before `margin`.
    public var tail: Double
    /// The edges then move outwards by this part of what is between them.
    public var margin: Double
    /// What is added to every count of a histogram before its divergence is computed.
    public var smoothing: Double
    /// A number has changed noticeably where it moved by more than this part of the standard deviation of the
    /// pre-trained numbers.
    public var threshold: Double

    public init(
        bins: Int = 128, tail: Double = 0.0005, margin: Double = 0.1, smoothing: Double = 0.5, threshold: Double = 0.1
    ) {
        (self.bins, self.tail, self.margin) = (bins, tail, margin)
        (self.smoothing, self.threshold) = (smoothing, threshold)
    }
}

/// How the numbers of a scope lie, before and after tuning. The counts of bins are not encoded: they are many.
public struct WeightChange: Sendable, Hashable, Encodable {
    public let scope: WeightScope
    public let count: Int
    public let pretrainedMean: Double
    /// Standard deviations, of all numbers (divided by the count).
    public let pretrainedDeviation: Double
    public let mean: Double
    public let deviation: Double
    /// First Wasserstein distance between the two, in the numbers' own units.
    public let wasserstein: Double
    /// Of the tuned from the pre-trained, in nats, of their histograms.
    public let divergence: Double
    /// The part of the numbers that differ at all.
    public let changed: Double
    /// The part that moved by more than the threshold.
    public let changedNoticeably: Double
    public let meanAbsoluteChange: Double
    public let largestAbsoluteChange: Double
    public let pretrainedHistogram: [Int]
    public let histogram: [Int]
    public let bins: HistogramBins
    /// Parts of the numbers outside of the bins.
    public let pretrainedOutside: Double
    public let outside: Double

    enum CodingKeys: CodingKey {
        case scope, count, pretrainedMean, pretrainedDeviation, mean, deviation, wasserstein, divergence, changed
        case changedNoticeably, meanAbsoluteChange, largestAbsoluteChange, bins, pretrainedOutside, outside
    }

    /// The distance as a part of the pre-trained standard deviation; nil where that is 0.
    public var relativeWasserstein: Double? { pretrainedDeviation > 0 ? wasserstein / pretrainedDeviation : nil }
}

/// Compares the weights of tuned models with those that they began with: Figure 4 of arXiv 2210.08823, in numbers.
///
/// One tuned model is looked at at a time, one scope after the other, so that beside the tensors themselves little memory
/// is taken.
public struct WeightComparison {
    public let settings: WeightSettings
    /// Scopes of weights, then of biases; those for which the pre-trained model has no tensors are left out.
    public let scopes: [WeightScope]
    private let pretrained: [String: Tensor]

    /// - Parameters:
    ///   - pretrained: timm's names.
    ///   - name: what errors call it.
    /// - Throws: `UserError` where there is no linear layer in blocks, or a number is not finite.
    public init(pretrained: [String: Tensor], name: String, settings: WeightSettings = WeightSettings()) throws {
        self.settings = settings
        self.pretrained = pretrained
        let sites = WeightSite.all(in: pretrained)
        guard !sites.isEmpty else {
            throw UserError(
                "\(name) has no weights to compare", expected: "linear layers in blocks, such as blocks.0.attn.qkv",
                found: pretrained.keys.sorted().prefix(3).joined(separator: ", "))
        }
        scopes = WeightPart.allCases.flatMap { part in
            WeightScope.all(of: sites.filter { pretrained["\($0.name).\(part.rawValue)"] != nil }, part: part)
        }.filter { !$0.sites.isEmpty }
        try Self.check(pretrained, of: name, scopes: scopes)
    }

    /// Compares a tuned model with the pre-trained one.
    ///
    /// - Parameters:
    ///   - tensors: of the tuned model, whole, its tuning merged.
    ///   - name: what errors call it.
    ///   - progress: is told of each scope before it is looked at.
    /// - Throws: `UserError` where a tensor is missing, has another shape, or holds a number that is not finite.
    public func changes(
        of tensors: [String: Tensor], name: String, progress: (_ index: Int, _ scope: WeightScope) -> Void = { _, _ in }
    ) throws -> [WeightChange] {
        for tensorName in Set(scopes.flatMap(\.tensorNames)).sorted() {
            let expected = pretrained[tensorName]!.shape
            guard let tensor = tensors[tensorName] else {
                throw UserError("\(name) has no tensor \(tensorName)", expected: "the layers of the pre-trained model")
            }
            guard tensor.shape == expected else {
                throw UserError(
                    "\(name): \(tensorName) has another shape than in the pre-trained model", expected: "\(expected)",
                    found: "\(tensor.shape)", remedy: "compare models of one architecture")
            }
        }
        try Self.check(tensors, of: name, scopes: scopes)
        return scopes.enumerated().map { index, scope in
            progress(index, scope)
            func parts(_ tensors: [String: Tensor]) -> [Tensor] {
                scope.tensorNames.map { tensors[$0]!.converted(to: .f32) }
            }
            return change(scope, from: parts(pretrained), to: parts(tensors))
        }
    }

    private static func check(_ tensors: [String: Tensor], of name: String, scopes: [WeightScope]) throws {
        for tensorName in scopes.filter({ $0.name == "all" }).flatMap(\.tensorNames) {
            guard let tensor = tensors[tensorName] else { continue }
            let isFloating = [DType.f64, .f32, .f16, .bf16].contains(tensor.dtype)
            let floats = isFloating ? tensor.converted(to: .f32) : nil
            let isFinite = withExtendedLifetime(floats) { floats?.floats.allSatisfy(\.isFinite) ?? false }
            guard isFinite else {
                throw UserError("\(name): \(tensorName) holds values that are not finite numbers")
            }
        }
    }

    private func change(_ scope: WeightScope, from pretrained: [Tensor], to tuned: [Tensor]) -> WeightChange {
        let before = Moments(pretrained)
        let after = Moments(tuned)
        let bins = bins(of: pretrained, before)
        let (first, second) = (Histogram(bins, of: pretrained), Histogram(bins, of: tuned))
        let difference = Difference(pretrained, tuned, threshold: settings.threshold * before.deviation)
        func outside(_ histogram: Histogram) -> Double {
            Double(histogram.below + histogram.above) / Double(histogram.total)
        }
        return WeightChange(
            scope: scope, count: before.count, pretrainedMean: before.mean, pretrainedDeviation: before.deviation,
            mean: after.mean, deviation: after.deviation,
            wasserstein: WassersteinDistance.between(pretrained, tuned),
            divergence: second.divergence(from: first, smoothing: settings.smoothing),
            changed: difference.part(difference.changed), changedNoticeably: difference.part(difference.beyond),
            meanAbsoluteChange: difference.sum / Double(difference.count), largestAbsoluteChange: difference.largest,
            pretrainedHistogram: first.counts, histogram: second.counts, bins: bins,
            pretrainedOutside: outside(first), outside: outside(second))
    }

    /// Bins by the pre-trained numbers alone, so that models can be compared with each other.
    private func bins(of tensors: [Tensor], _ moments: Moments) -> HistogramBins {
        guard moments.deviation > 0 else {
            let room = max(0.1 * abs(moments.mean), 0.01)
            return HistogramBins(lower: moments.mean - room, upper: moments.mean + room, count: settings.bins)
        }
        var counts = CoarseCounts()
        for tensor in tensors { withExtendedLifetime(tensor) { counts.add(UnsafeBufferPointer(tensor.floats)) } }
        let bounds = counts.bounds(withoutPart: settings.tail)
        let room = settings.margin * (bounds.upperBound - bounds.lowerBound)
        return HistogramBins(lower: bounds.lowerBound - room, upper: bounds.upperBound + room, count: settings.bins)
    }
}

/// Count, mean and standard deviation.
private struct Moments {
    let count: Int
    let mean: Double
    let deviation: Double

    init(_ tensors: [Tensor]) {
        count = tensors.reduce(0) { $0 + $1.count }
        func sum(_ term: (Double) -> Double) -> Double {
            tensors.reduce(0) { total, tensor in
                withExtendedLifetime(tensor) { tensor.floats.reduce(total) { $0 + term(Double($1)) } }
            }
        }
        let mean = sum { $0 } / Double(count)
        self.mean = mean
        deviation = (sum { ($0 - mean) * ($0 - mean) } / Double(count)).squareRoot()
    }
}

/// What has moved, and by how much.
private struct Difference {
    private(set) var count = 0
    private(set) var changed = 0
    private(set) var beyond = 0
    private(set) var sum = 0.0
    private(set) var largest = 0.0

    init(_ first: [Tensor], _ second: [Tensor], threshold: Double) {
        for (a, b) in zip(first, second) {
            withExtendedLifetime((a, b)) {
                for (x, y) in zip(a.floats, b.floats) {
                    let change = abs(Double(y) - Double(x))
                    if x != y { changed += 1 }
                    if change > threshold { beyond += 1 }
                    sum += change
                    largest = max(largest, change)
                }
            }
            count += a.count
        }
    }

    func part(_ number: Int) -> Double { Double(number) / Double(count) }
}
