/// The sizes of a tensor's axes, row-major: the last axis is contiguous.
public struct Shape: Sendable, Hashable, ExpressibleByArrayLiteral, CustomStringConvertible {
    public let dimensions: [Int]

    /// - Precondition: no dimension is negative.
    public init(_ dimensions: [Int]) {
        precondition(dimensions.allSatisfy { $0 >= 0 }, "a shape has no negative dimension: \(dimensions)")
        self.dimensions = dimensions
    }

    public init(arrayLiteral elements: Int...) {
        self.init(elements)
    }

    /// How many axes there are; 0 for a scalar.
    public var rank: Int { dimensions.count }

    /// How many elements there are; 1 for a scalar.
    public var count: Int { dimensions.reduce(1, *) }

    /// The size of an axis; a negative index counts from the end.
    public subscript(axis: Int) -> Int {
        dimensions[axis < 0 ? dimensions.count + axis : axis]
    }

    /// As people of the field write it: `[16, 197, 768]`.
    public var description: String {
        "[" + dimensions.map(String.init).joined(separator: ", ") + "]"
    }
}
