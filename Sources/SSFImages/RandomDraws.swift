import SSFTensors

extension RandomGenerator {
    /// A whole number in `0..<bound`.
    mutating func integer(below bound: Int) -> Int {
        min(bound - 1, Int(uniform() * Double(bound)))
    }

    /// A number in a closed range.
    mutating func uniform(_ range: ClosedRange<Double>) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
    }

    mutating func chance(_ probability: Double) -> Bool { uniform() < probability }
}
