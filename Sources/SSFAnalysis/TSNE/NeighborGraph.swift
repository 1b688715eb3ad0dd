/// The nearest neighbours of every row of a matrix, nearest first.
public struct NeighborGraph: Sendable {
    /// Rows.
    public let count: Int
    /// Neighbours of each.
    public let k: Int
    /// [count, k]: numbers of rows, never the row's own.
    public let indices: [Int32]
    /// [count, k]: squared Euclidean distances, ascending; equal ones in the order of their numbers.
    public let squaredDistances: [Double]

    /// - Precondition: both arrays are [count, k].
    public init(count: Int, k: Int, indices: [Int32], squaredDistances: [Double]) {
        precondition(indices.count == count * k && squaredDistances.count == count * k, "\(count) x \(k) neighbours")
        (self.count, self.k, self.indices, self.squaredDistances) = (count, k, indices, squaredDistances)
    }

    /// The neighbours of a row.
    public func neighbors(of row: Int) -> ArraySlice<Int32> { indices[row * k..<(row + 1) * k] }
}
