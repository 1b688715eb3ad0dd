import Foundation

/// McNemar's test: whether two classifiers that saw the same images err equally often (McNemar 1947).
///
/// It looks at the images that one of them has right and the other wrong. Under the hypothesis that both err equally
/// often, each of these is a toss of a coin.
public struct McNemarTest: Codable, Sendable, Equatable {
    public enum Form: String, Codable, Sendable {
        /// The binomial distribution itself: fewer than 25 images differ.
        case exact
        /// Chi-squared of one degree of freedom, with Edwards's correction for continuity.
        case corrected
    }

    /// Images that only the first, and only the second has right.
    public var onlyFirst: Int
    public var onlySecond: Int
    public var form: Form
    /// Two-sided.
    public var pValue: Double

    enum CodingKeys: String, CodingKey {
        case form
        case onlyFirst = "only_first"
        case onlySecond = "only_second"
        case pValue = "p_value"
    }

    /// Below this many differing images the exact distribution is taken.
    static let exactBelow = 25

    /// - Precondition: neither count is negative.
    public init(onlyFirst: Int, onlySecond: Int) {
        precondition(onlyFirst >= 0 && onlySecond >= 0)
        (self.onlyFirst, self.onlySecond) = (onlyFirst, onlySecond)
        let count = onlyFirst + onlySecond
        form = count < Self.exactBelow ? .exact : .corrected
        switch form {
        case .exact:
            // Coefficients below 2^24 and their sums are exact.
            var coefficient = 1.0
            var sum = 0.0
            for k in 0...min(onlyFirst, onlySecond) {
                sum += coefficient
                coefficient = coefficient * Double(count - k) / Double(k + 1)
            }
            pValue = min(1, 2 * sum * pow(0.5, Double(count)))
        case .corrected:
            // Of equal counts nothing is left to correct.
            let difference = Double(max(abs(onlyFirst - onlySecond) - 1, 0))
            pValue = erfc((difference * difference / Double(count) / 2).squareRoot())
        }
    }

    /// - Parameters:
    ///   - first, second: whether each image was right, in the same order.
    /// - Precondition: they are equally many.
    public init(first: [Bool], second: [Bool]) {
        precondition(first.count == second.count, "\(first.count) images beside \(second.count)")
        self.init(
            onlyFirst: zip(first, second).count { $0 && !$1 }, onlySecond: zip(first, second).count { !$0 && $1 })
    }
}
