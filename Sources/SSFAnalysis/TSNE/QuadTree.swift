/// A tree of squares over points of the plane, in flat arrays: nodes in the order of a walk that visits a square before
/// its quarters, points in the order of their squares (Morton's).
///
/// Rebuilt in every step, it keeps its memory.
struct QuadTree {
    /// Squares with so few points are not divided.
    static let leafPoints = 8
    /// Divisions, one for each bit of a coordinate. A leaf of the last level may have any number of points.
    private static let levels = 16

    /// The point of each place in Morton's order, and the places' coordinates.
    private(set) var order: [Int32] = []
    private(set) var x: [Float] = []
    private(set) var y: [Float] = []

    /// A square and what is in it; 32 bytes.
    struct Node {
        var centerX: Float
        var centerY: Float
        /// Points.
        var mass: Float
        var squaredSide: Float
        /// The node behind all that are within it.
        var next: Int32
        /// Where its points begin in the order.
        var first: Int32
        /// Points of a leaf, which are visited one by one; 0 for others.
        var leafCount: Int32
    }

    private(set) var nodes: [Node] = []

    private var keys: [UInt64] = []
    private var otherKeys: [UInt64] = []

    /// Builds the tree.
    ///
    /// - Parameter padding: the arrays of places have a multiple of it, the last place repeated.
    mutating func build(count: Int, points: UnsafePointer<Float>, padding: Int) {
        let bounds = Bounds(count: count, points: points)
        let side = bounds.side
        // Points at one place, or nearly, are one leaf.
        let scale = side > 1e-30 ? 65_535 / side : 0
        if keys.count != count {
            keys = [UInt64](repeating: 0, count: count)
            otherKeys = keys
            order = [Int32](repeating: 0, count: count)
            let padded = (count + padding - 1) / padding * padding
            x = [Float](repeating: 0, count: padded)
            y = x
        }
        for i in 0..<count {
            let column = UInt32((points[2 * i] - bounds.left) * scale)
            let row = UInt32((points[2 * i + 1] - bounds.bottom) * scale)
            let code = Self.spread(min(column, 65_535)) | Self.spread(min(row, 65_535)) << 1
            keys[i] = UInt64(code) << 32 | UInt64(UInt32(i))
        }
        sortKeys()
        for place in 0..<count {
            let i = Int(UInt32(truncatingIfNeeded: keys[place]))
            order[place] = Int32(i)
            x[place] = points[2 * i]
            y[place] = points[2 * i + 1]
        }
        for place in count..<x.count {
            x[place] = x[count - 1]
            y[place] = y[count - 1]
        }
        nodes.removeAll(keepingCapacity: true)
        _ = divide(0..<count, level: 0, side: side)
    }

    /// Puts a zero before each of the lower 16 bits.
    private static func spread(_ value: UInt32) -> UInt32 {
        var v = value
        v = (v | v << 8) & 0x00FF_00FF
        v = (v | v << 4) & 0x0F0F_0F0F
        v = (v | v << 2) & 0x3333_3333
        return (v | v << 1) & 0x5555_5555
    }

    /// By the upper 32 bits, eleven at a time; equal ones stay in order.
    private mutating func sortKeys() {
        for shift: UInt64 in [32, 43, 54] {
            var starts = [Int](repeating: 0, count: 2049)
            for key in keys { starts[Int(key >> shift & 2047) + 1] += 1 }
            for digit in 0..<2048 { starts[digit + 1] += starts[digit] }
            for key in keys {
                let digit = Int(key >> shift & 2047)
                otherKeys[starts[digit]] = key
                starts[digit] += 1
            }
            swap(&keys, &otherKeys)
        }
    }

    /// Appends the node of a range of places and all within it; returns the sums of coordinates.
    private mutating func divide(_ range: Range<Int>, level: Int, side: Float) -> SIMD2<Double> {
        let node = nodes.count
        let count = range.count
        nodes.append(
            Node(
                centerX: 0, centerY: 0, mass: Float(count), squaredSide: side * side, next: 0,
                first: Int32(range.lowerBound), leafCount: 0))
        var sum = SIMD2<Double>.zero
        if count <= Self.leafPoints || level == Self.levels {
            for place in range { sum += SIMD2(Double(x[place]), Double(y[place])) }
            nodes[node].leafCount = Int32(count)
        } else {
            let shift = UInt64(32 + 2 * (Self.levels - 1 - level))
            var begin = range.lowerBound
            for quarter: UInt64 in 0..<4 where begin < range.upperBound {
                // The first place of a later quarter.
                var (low, high) = (begin, range.upperBound)
                while low < high {
                    let middle = (low + high) / 2
                    if keys[middle] >> shift & 3 <= quarter { low = middle + 1 } else { high = middle }
                }
                if low > begin { sum += divide(begin..<low, level: level + 1, side: side / 2) }
                begin = low
            }
        }
        nodes[node].centerX = Float(sum.x / Double(count))
        nodes[node].centerY = Float(sum.y / Double(count))
        nodes[node].next = Int32(nodes.count)
        return sum
    }
}
