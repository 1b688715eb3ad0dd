/// What a matrix product does to a finished tile while it is still in registers.
///
///     h       = acc[i, j] + bias[j]
///     C[i, j] = (accumulate ? C[i, j] : 0) + residual[i, j] + rowScale[i] * (scale[j] * h + shift[j])
///
/// Everything that is absent costs nothing.
package struct GEMMEpilogue {
    /// [n], absent: 0.
    package var bias: UnsafePointer<Float>?
    /// [n], absent: 1.
    package var scale: UnsafePointer<Float>?
    /// [n], absent: 0.
    package var shift: UnsafePointer<Float>?
    /// [m, n]: receives h.
    package var kept: UnsafeMutablePointer<Float>?
    /// Elements from one row of `kept` to the next.
    package var keptRowStride: Int
    /// [m], absent: 1.
    package var rowScale: UnsafePointer<Float>?
    /// [m, n], absent: 0. May be the same memory as C.
    package var residual: UnsafePointer<Float>?
    /// Elements from one row of `residual` to the next.
    package var residualRowStride: Int

    package init(
        bias: UnsafePointer<Float>? = nil, scale: UnsafePointer<Float>? = nil, shift: UnsafePointer<Float>? = nil,
        kept: UnsafeMutablePointer<Float>? = nil, keptRowStride: Int = 0, rowScale: UnsafePointer<Float>? = nil,
        residual: UnsafePointer<Float>? = nil, residualRowStride: Int = 0
    ) {
        self.bias = bias
        self.scale = scale
        self.shift = shift
        self.kept = kept
        self.keptRowStride = keptRowStride
        self.rowScale = rowScale
        self.residual = residual
        self.residualRowStride = residualRowStride
    }
}
