/// The type that the operands of a matrix product are multiplied in. Sums are single precision for both.
public enum Precision: String, CaseIterable, Sendable {
    /// Single precision: 24 bits of significand.
    case float32 = "f32"
    /// bfloat16: the upper half of single precision, 8 bits of significand and the same range.
    case bfloat16 = "bf16"
}
