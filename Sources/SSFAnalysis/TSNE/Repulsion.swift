/// How the repulsive half of the gradient is computed.
///
///     force_i = sum_j q_ij² (y_i - y_j),   Z = sum_{i != j} q_ij,     q_ij = 1 / (1 + |y_i - y_j|²)
///
/// Single precision in, forces and sums as each method states. The same bits for every thread count.
public protocol Repulsion: AnyObject {
    /// - Parameters:
    ///   - count: points.
    ///   - points: [count, 2], finite.
    ///   - forces: [count, 2], overwritten.
    /// - Returns: Z.
    func evaluate(count: Int, points: UnsafePointer<Float>, forces: UnsafeMutablePointer<Float>) -> Double
}

/// The square that holds some points.
struct Bounds {
    var left, bottom: Float
    var right, top: Float

    init(count: Int, points: UnsafePointer<Float>) {
        var low = SIMD2<Float>(repeating: .infinity)
        var high = SIMD2<Float>(repeating: -.infinity)
        for i in 0..<count {
            let point = SIMD2(points[2 * i], points[2 * i + 1])
            low = low.replacing(with: point, where: point .< low)
            high = high.replacing(with: point, where: point .> high)
        }
        (left, bottom, right, top) = (low.x, low.y, high.x, high.y)
    }

    /// The longer side.
    var side: Float { max(right - left, top - bottom) }
}
