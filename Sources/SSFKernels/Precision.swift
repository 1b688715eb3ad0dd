/// The type that the operands of a matrix product are multiplied in. Sums are single precision for both.
public enum Precision: String, CaseIterable, Sendable {
    /// Single precision: 24 bits of significand.
    case float32 = "f32"
    /// bfloat16: the upper half of single precision, 8 bits of significand and the same range.
    case bfloat16 = "bf16"
}

/// The types that a matrix may have in memory, whatever precision it is multiplied in.
public protocol MatrixElement: BitwiseCopyable, Sendable {
    static var precision: Precision { get }
}

extension Float: MatrixElement {
    public static var precision: Precision { .float32 }
}

extension BFloat16: MatrixElement {
    public static var precision: Precision { .bfloat16 }
}

extension Precision {
    /// Bytes of an element in memory.
    public var size: Int { self == .float32 ? 4 : 2 }
}

/// Where a matrix begins, and what its elements are.
package struct MatrixPointer {
    let base: UnsafeRawPointer
    let isHalf: Bool

    package init<Element: MatrixElement>(_ pointer: UnsafePointer<Element>) {
        base = UnsafeRawPointer(pointer)
        isHalf = Element.precision == .bfloat16
    }

    package init<Element: MatrixElement>(_ pointer: UnsafeMutablePointer<Element>) {
        self.init(UnsafePointer(pointer))
    }

    private init(base: UnsafeRawPointer, isHalf: Bool) {
        self.base = base
        self.isHalf = isHalf
    }

    /// The matrix that begins `count` elements further on.
    package func advanced(by count: Int) -> MatrixPointer {
        MatrixPointer(base: base + count * (isHalf ? 2 : 4), isHalf: isHalf)
    }
}

/// The same for a matrix that is written.
package struct MutableMatrixPointer {
    let base: UnsafeMutableRawPointer
    let isHalf: Bool

    package init<Element: MatrixElement>(_ pointer: UnsafeMutablePointer<Element>) {
        base = UnsafeMutableRawPointer(pointer)
        isHalf = Element.precision == .bfloat16
    }
}
