/// A bfloat16: the upper half of a `Float`, so the same range with 8 bits of significand.
///
/// A type for storage. It has no arithmetic: widen, calculate, round.
@frozen
public struct BFloat16: BitwiseCopyable, Sendable {
    public var bitPattern: UInt16

    @inlinable
    public init(bitPattern: UInt16) {
        self.bitPattern = bitPattern
    }

    /// The bfloat16 nearest to `value`, ties to even, denormal numbers included. What is beyond the greatest finite number
    /// becomes infinite; a NaN stays one, with its sign and the upper part of its payload, and becomes quiet.
    @inlinable
    public init(_ value: Float) {
        let bits = value.bitPattern
        if value.isNaN {
            bitPattern = UInt16(truncatingIfNeeded: bits >> 16) | 0x40
        } else {
            bitPattern = UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16)
        }
    }
}

extension Float {
    /// The exact value of a bfloat16.
    @inlinable
    public init(_ value: BFloat16) {
        self.init(bitPattern: UInt32(value.bitPattern) << 16)
    }
}
