/// Numbers in somebody's memory, readable for as long as the view lives: it holds the memory.
///
/// Unlike a bare pointer it may outlive the object that handed it out. The owner may change the numbers.
public struct FloatView: RandomAccessCollection, @unchecked Sendable {
    private let storage: Storage
    private let base: UnsafePointer<Float>
    public let endIndex: Int

    /// A view of `count` floats at `base`, which lies in `storage`.
    public init(storage: Storage, base: UnsafePointer<Float>, count: Int) {
        self.storage = storage
        self.base = base
        endIndex = count
    }

    public var startIndex: Int { 0 }

    public subscript(index: Int) -> Float {
        precondition(index >= 0 && index < endIndex, "\(index) is no index of \(endIndex) numbers")
        return base[index]
    }

    public func withContiguousStorageIfAvailable<R>(_ body: (UnsafeBufferPointer<Float>) throws -> R) rethrows -> R? {
        try withExtendedLifetime(storage) { try body(UnsafeBufferPointer(start: base, count: endIndex)) }
    }
}
