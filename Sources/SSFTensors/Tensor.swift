import SSFKernels

/// A contiguous, row-major array of numbers in shared storage.
///
/// A tensor is a view: copying it copies no numbers, and every copy sees what is written through another.
public struct Tensor: @unchecked Sendable {
    public let storage: Storage
    /// Bytes from the start of the storage to the first element; need not be a multiple of the element's size in a
    /// mapped file.
    public let byteOffset: Int
    public let shape: Shape
    public let dtype: DType

    /// A view of `shape.count` elements that begin `byteOffset` bytes into the storage.
    ///
    /// - Precondition: the storage holds them all.
    public init(storage: Storage, byteOffset: Int = 0, shape: Shape, dtype: DType) {
        precondition(
            byteOffset >= 0 && byteOffset + shape.count * dtype.size <= storage.byteCount,
            "a tensor \(shape) of \(dtype.rawValue) at byte \(byteOffset) passes the end of \(storage.byteCount) bytes")
        self.storage = storage
        self.byteOffset = byteOffset
        self.shape = shape
        self.dtype = dtype
    }

    /// A tensor of zeros in memory of its own.
    public init(zeros shape: Shape, dtype: DType = .f32) {
        self.init(storage: Storage(byteCount: shape.count * dtype.size), shape: shape, dtype: dtype)
    }

    /// An f32 tensor in memory of its own.
    ///
    /// - Precondition: there are `shape.count` values.
    public init(_ values: [Float], shape: Shape) {
        precondition(values.count == shape.count, "\(values.count) values do not fill \(shape)")
        self.init(zeros: shape)
        _ = floats.update(fromContentsOf: values)
    }

    public var count: Int { shape.count }
    public var byteCount: Int { count * dtype.size }
    public var rawPointer: UnsafeMutableRawPointer { storage.base + byteOffset }
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: rawPointer, count: byteCount) }

    /// The elements of an f32 tensor.
    ///
    /// The pointer is good for as long as someone holds the storage: not behind a temporary, whose storage may be gone
    /// before the pointer is read. `values` copies safely.
    ///
    /// - Precondition: the tensor is f32 and its first element is aligned, which a tensor that was converted or
    ///   allocated here always is.
    public var floats: UnsafeMutableBufferPointer<Float> {
        precondition(dtype == .f32, "the tensor holds \(dtype.rawValue), not F32")
        precondition(UInt(bitPattern: rawPointer) % 4 == 0, "the tensor is not aligned")
        return UnsafeMutableBufferPointer(start: rawPointer.assumingMemoryBound(to: Float.self), count: count)
    }

    /// The values as an array of `Float`, whatever floating-point type the tensor has.
    public var values: [Float] {
        let converted = converted(to: .f32)
        return withExtendedLifetime(converted) { Array(converted.floats) }
    }

    /// The same elements under another shape.
    ///
    /// - Precondition: the counts agree.
    public func reshaped(_ shape: Shape) -> Tensor {
        precondition(shape.count == count, "\(self.shape) cannot be seen as \(shape)")
        return Tensor(storage: storage, byteOffset: byteOffset, shape: shape, dtype: dtype)
    }

    /// Rows `range` of the first axis, as a view.
    public func rows(_ range: Range<Int>) -> Tensor {
        precondition(shape.rank > 0 && range.lowerBound >= 0 && range.upperBound <= shape[0])
        let rowBytes = shape[0] == 0 ? 0 : byteCount / shape[0]
        return Tensor(
            storage: storage, byteOffset: byteOffset + range.lowerBound * rowBytes,
            shape: Shape([range.count] + shape.dimensions.dropFirst()), dtype: dtype)
    }

    /// A copy in memory of its own.
    public func copied() -> Tensor {
        let copy = Tensor(zeros: shape, dtype: dtype)
        copy.rawPointer.copyMemory(from: rawPointer, byteCount: byteCount)
        return copy
    }

    /// The tensor as f32, f16 or bf16, rounded to nearest even; itself if it has that type and is aligned.
    ///
    /// - Precondition: both types are floating-point.
    public func converted(to target: DType) -> Tensor {
        if target == dtype && UInt(bitPattern: rawPointer) % UInt(max(dtype.size, 1)) == 0 { return self }
        let result = Tensor(zeros: shape, dtype: target)
        if target == dtype {
            result.rawPointer.copyMemory(from: rawPointer, byteCount: byteCount)
            return result
        }
        let source = rawPointer
        let destination = result.rawPointer
        if UInt(bitPattern: source) % UInt(dtype.size) == 0 {
            switch (dtype, target) {
            case (.f32, .bf16):
                BFloat16.round(
                    count: count, x: source.assumingMemoryBound(to: Float.self),
                    y: destination.assumingMemoryBound(to: BFloat16.self))
                return result
            case (.bf16, .f32):
                BFloat16.widen(
                    count: count, x: source.assumingMemoryBound(to: BFloat16.self),
                    y: destination.assumingMemoryBound(to: Float.self))
                return result
            default: break
            }
        }
        for i in 0..<count {
            let value: Float
            switch dtype {
            case .f64: value = Float(source.loadUnaligned(fromByteOffset: 8 * i, as: Double.self))
            case .f32: value = source.loadUnaligned(fromByteOffset: 4 * i, as: Float.self)
            #if arch(x86_64) && os(macOS)
                case .f16: preconditionFailure("F16 is not available on this platform")
            #else
                case .f16: value = Float(source.loadUnaligned(fromByteOffset: 2 * i, as: Float16.self))
            #endif
            case .bf16: value = Float(source.loadUnaligned(fromByteOffset: 2 * i, as: BFloat16.self))
            default: preconditionFailure("\(dtype.rawValue) is not a floating-point type")
            }
            switch target {
            case .f64: destination.storeBytes(of: Double(value), toByteOffset: 8 * i, as: Double.self)
            case .f32: destination.storeBytes(of: value, toByteOffset: 4 * i, as: Float.self)
            #if arch(x86_64) && os(macOS)
                case .f16: preconditionFailure("F16 is not available on this platform")
            #else
                case .f16: destination.storeBytes(of: Float16(value), toByteOffset: 2 * i, as: Float16.self)
            #endif
            case .bf16: destination.storeBytes(of: BFloat16(value), toByteOffset: 2 * i, as: BFloat16.self)
            default: preconditionFailure("\(target.rawValue) is not a floating-point type")
            }
        }
        return result
    }
}
