import SSFTensors

/// The first Wasserstein distance between two sets of numbers: the mean distance that the numbers of one must move to
/// lie as the others do, the area between their distribution functions.
///
/// Exact, and in little memory: where there are more numbers than `numbersAtOnce`, the line is cut into parts by a first
/// pass, and each part is gathered, sorted and summed by itself.
///
/// - Units: those of the numbers.
/// - Accuracy: that of double precision.
/// - Source: agrees with `scipy.stats.wasserstein_distance`.
public enum WassersteinDistance {
    /// Of both sets; 4 bytes each, and as much again to sort them.
    package static let numbersAtOnce = 1 << 23

    /// The distance between the numbers of some tensors and those of others.
    ///
    /// - Precondition: all are f32 and finite; there is a number on either side.
    public static func between(_ first: [Tensor], _ second: [Tensor]) -> Double {
        between(first, second, numbersAtOnce: numbersAtOnce)
    }

    package static func between(_ first: [Tensor], _ second: [Tensor], numbersAtOnce: Int) -> Double {
        let sides = [first, second]
        let totals = sides.map { side in side.reduce(0) { $0 + $1.count } }
        precondition(totals[0] > 0 && totals[1] > 0, "no numbers have no distribution")
        var area = Area(totals[0], totals[1])
        var keys: [[UInt32]] = [[], []]
        var scratch: [UInt32] = []
        for part in parts(sides, numbersAtOnce: numbersAtOnce) {
            for side in 0..<2 {
                gather(sides[side], part, into: &keys[side])
                OrderedKey.sort(&keys[side], scratch: &scratch)
            }
            area.add(keys[0], keys[1])
        }
        return area.sum
    }

    /// Ranges of the upper 16 bits of keys, in order, each with at most so many numbers where it holds more than one of
    /// `CoarseCounts`.
    private static func parts(_ sides: [[Tensor]], numbersAtOnce: Int) -> [ClosedRange<Int>] {
        let whole = 0...(CoarseCounts.rangeCount - 1)
        guard sides.joined().reduce(0, { $0 + $1.count }) > numbersAtOnce else { return [whole] }
        var counts = CoarseCounts()
        for tensor in sides.joined() { withExtendedLifetime(tensor) { counts.add(UnsafeBufferPointer(tensor.floats)) } }
        var parts: [ClosedRange<Int>] = []
        var first = 0
        var held = 0
        for (index, count) in counts.counts.enumerated() {
            if held + count > numbersAtOnce, held > 0 {
                parts.append(first...(index - 1))
                (first, held) = (index, 0)
            }
            held += count
        }
        return parts + [first...whole.upperBound]
    }

    private static func gather(_ tensors: [Tensor], _ part: ClosedRange<Int>, into keys: inout [UInt32]) {
        keys.removeAll(keepingCapacity: true)
        for tensor in tensors {
            withExtendedLifetime(tensor) {
                for value in tensor.floats {
                    let key = OrderedKey.of(value)
                    if part.contains(Int(key >> 16)) { keys.append(key) }
                }
            }
        }
    }

    /// The area between two distribution functions, summed from the least number up.
    private struct Area {
        private(set) var sum = 0.0
        private let steps: (Double, Double)
        private var seen = (0, 0)
        private var last: Double?

        init(_ first: Int, _ second: Int) {
            steps = (1 / Double(first), 1 / Double(second))
        }

        /// Goes on with numbers that are all greater than those before, each side in order.
        mutating func add(_ first: [UInt32], _ second: [UInt32]) {
            var (i, j) = (0, 0)
            while i < first.count || j < second.count {
                let isFirst = j == second.count || i < first.count && first[i] <= second[j]
                let value = Double(OrderedKey.value(isFirst ? first[i] : second[j]))
                if let last { sum += abs(Double(seen.0) * steps.0 - Double(seen.1) * steps.1) * (value - last) }
                last = value
                if isFirst {
                    i += 1
                    seen.0 += 1
                } else {
                    j += 1
                    seen.1 += 1
                }
            }
        }
    }
}
