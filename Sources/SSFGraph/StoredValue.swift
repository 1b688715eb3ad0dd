import SSFKernels

/// A value where it lies in memory, in whatever it is stored as.
package struct StoredValue {
    private let base: UnsafeMutableRawPointer
    package let precision: Precision
    private let affineOffset: Int

    init(_ value: Value, at base: UnsafeMutablePointer<Float>) {
        self.base = UnsafeMutableRawPointer(base)
        precision = value.precision
        affineOffset = value.affineOffset
    }

    /// For kernels that read either precision.
    package var matrix: MatrixPointer {
        switch precision {
        case .float32: MatrixPointer(base.assumingMemoryBound(to: Float.self))
        case .bfloat16: MatrixPointer(base.assumingMemoryBound(to: BFloat16.self))
        }
    }

    /// For kernels that write either.
    package var mutableMatrix: MutableMatrixPointer {
        switch precision {
        case .float32: MutableMatrixPointer(base.assumingMemoryBound(to: Float.self))
        case .bfloat16: MutableMatrixPointer(base.assumingMemoryBound(to: BFloat16.self))
        }
    }

    /// S and T, where they stand behind the numbers for the readers to apply.
    package var affine: UnsafeMutablePointer<Float> {
        (base + affineOffset).assumingMemoryBound(to: Float.self)
    }

    /// The first `count` numbers in single precision: as they lie, or widened into `scratch`.
    package func floats(_ count: Int, scratch: @autoclosure () -> UnsafeMutablePointer<Float>)
        -> UnsafeMutablePointer<Float>
    {
        switch precision {
        case .float32: return base.assumingMemoryBound(to: Float.self)
        case .bfloat16:
            let widened = scratch()
            BFloat16.widen(count: count, x: base.assumingMemoryBound(to: BFloat16.self), y: widened)
            return widened
        }
    }
}
