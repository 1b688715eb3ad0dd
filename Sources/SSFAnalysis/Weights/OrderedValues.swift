/// 32-bit numbers in the order of single-precision numbers, and how such numbers are sorted by them.
enum OrderedKey {
    /// Greater for the greater number; -0 comes before 0.
    static func of(_ value: Float) -> UInt32 {
        let bits = value.bitPattern
        return bits & 0x8000_0000 == 0 ? bits | 0x8000_0000 : ~bits
    }

    static func value(_ key: UInt32) -> Float {
        Float(bitPattern: key & 0x8000_0000 == 0 ? ~key : key & 0x7FFF_FFFF)
    }

    /// Sorts keys ascending, by 11 bits at a time; `scratch` grows to as many.
    static func sort(_ keys: inout [UInt32], scratch: inout [UInt32]) {
        guard keys.count > 64 else {
            keys.sort()
            return
        }
        if scratch.count < keys.count { scratch = [UInt32](repeating: 0, count: keys.count) }
        let count = keys.count
        keys.withUnsafeMutableBufferPointer { keys in
            scratch.withUnsafeMutableBufferPointer { scratch in
                pass(keys.baseAddress!, scratch.baseAddress!, count, shift: 0)
                pass(scratch.baseAddress!, keys.baseAddress!, count, shift: 11)
                pass(keys.baseAddress!, scratch.baseAddress!, count, shift: 22)
                keys.baseAddress!.update(from: scratch.baseAddress!, count: count)
            }
        }
    }

    private static func pass(
        _ source: UnsafeMutablePointer<UInt32>, _ target: UnsafeMutablePointer<UInt32>, _ count: Int, shift: UInt32
    ) {
        withUnsafeTemporaryAllocation(of: Int.self, capacity: 2048) { places in
            places.initialize(repeating: 0)
            for i in 0..<count { places[Int(source[i] >> shift & 0x7FF)] += 1 }
            var first = 0
            for digit in 0..<2048 { (places[digit], first) = (first, first + places[digit]) }
            for i in 0..<count {
                let digit = Int(source[i] >> shift & 0x7FF)
                target[places[digit]] = source[i]
                places[digit] += 1
            }
        }
    }
}

/// How many numbers of a set lie in each of the 65,536 ranges that share their upper 16 bits: bfloat16's steps.
///
/// A first pass over numbers that are too many to be sorted at once.
struct CoarseCounts {
    static let rangeCount = 65_536

    private(set) var counts = [Int](repeating: 0, count: CoarseCounts.rangeCount)
    private(set) var total = 0

    mutating func add(_ values: UnsafeBufferPointer<Float>) {
        counts.withUnsafeMutableBufferPointer { counts in
            for value in values { counts[Int(OrderedKey.of(value) >> 16)] += 1 }
        }
        total += values.count
    }

    /// The bounds of the numbers that are left when a part of the least and as large a part of the greatest is taken
    /// away, rounded outwards to the bounds of ranges.
    ///
    /// - Precondition: there are numbers.
    func bounds(withoutPart part: Double) -> ClosedRange<Double> {
        precondition(total > 0)
        let dropped = Int(part * Double(total))
        func range(_ order: some Sequence<Int>) -> Int {
            var seen = 0
            for index in order {
                seen += counts[index]
                if seen > dropped { return index }
            }
            return 0
        }
        let least = OrderedKey.value(UInt32(range(0..<Self.rangeCount)) << 16)
        let greatest = OrderedKey.value(UInt32(range((0..<Self.rangeCount).reversed())) << 16 | 0xFFFF)
        return Double(least)...Double(greatest)
    }
}
