import CIntrinsics

/// What a matrix product does to a finished tile while it is still in registers or in the first-level cache.
///
///     h       = acc[i, j] + bias[j]
///     u       = activation(scale[j] * h + shift[j])
///     C[i, j] = (accumulate ? C[i, j] : 0) + residual[i, j] + rowScale[i] * u
///
/// Everything that is absent costs nothing. With `normGradient` what is called C here is the gradient g of a layer
/// normalisation's output, which is not stored: C receives the gradient of its input.
package struct GEMMEpilogue {
    /// [n], absent: 0.
    package var bias: UnsafePointer<Float>?
    /// [n], absent: 1.
    package var scale: UnsafePointer<Float>?
    /// [n], absent: 0.
    package var shift: UnsafePointer<Float>?
    /// [m, n]: receives h.
    package var kept: MutableMatrixPointer?
    /// Elements from one row of `kept` to the next.
    package var keptRowStride: Int
    package var activation: Activation
    /// [m], absent: 1.
    package var rowScale: UnsafePointer<Float>?
    /// [m, n], absent: 0. May be the same memory as C.
    package var residual: MatrixPointer?
    /// Elements from one row of `residual` to the next.
    package var residualRowStride: Int
    /// The backward pass of a layer normalisation, row by row, behind all the rest.
    package var normGradient: NormGradient?

    package enum Activation {
        case identity
        /// gelu(v), as `GELU.forward`.
        case gelu
        /// v gelu'(z), as `GELU.backward`: the product is the gradient of the output of a GELU whose input was z.
        case geluGradient(GELUInput)
    }

    /// The input of a GELU, z[i, j] = scale[j] * h[i, j] + shift[j].
    package struct GELUInput {
        /// [m, n].
        package var h: MatrixPointer
        /// Elements from one row of `h` to the next.
        package var rowStride: Int
        /// [n], absent: 1.
        package var scale: UnsafePointer<Float>?
        /// [n], absent: 0.
        package var shift: UnsafePointer<Float>?

        package init(
            h: MatrixPointer, rowStride: Int, scale: UnsafePointer<Float>? = nil,
            shift: UnsafePointer<Float>? = nil
        ) {
            self.h = h
            self.rowStride = rowStride
            self.scale = scale
            self.shift = shift
        }
    }

    /// A layer normalisation over the n columns, whose output had the gradient g that the product forms.
    ///
    ///     C[i, :] = (accumulate ? C[i, :] : 0) + gradient of row i of x;  dWeight += sum_i g normal;  dBias += sum_i g
    ///
    /// as `LayerNorm.backward` computes it. The product may have bias, scale, shift, rowScale and an activation, but
    /// neither `kept` nor `residual`. The sums have the same bits for every thread count.
    package struct NormGradient {
        /// [m, n].
        package var x: MatrixPointer
        /// Elements from one row of `x` to the next.
        package var xRowStride: Int
        /// [m], from the forward pass.
        package var mean: UnsafePointer<Float>
        /// [m], from the forward pass.
        package var reciprocalDeviation: UnsafePointer<Float>
        /// [n], absent: 1.
        package var weight: UnsafePointer<Float>?
        /// [n], added to; absent where nobody needs it.
        package var dWeight: UnsafeMutablePointer<Float>?
        /// [n], added to; absent where nobody needs it.
        package var dBias: UnsafeMutablePointer<Float>?

        package init(
            x: MatrixPointer, xRowStride: Int, mean: UnsafePointer<Float>,
            reciprocalDeviation: UnsafePointer<Float>, weight: UnsafePointer<Float>? = nil,
            dWeight: UnsafeMutablePointer<Float>? = nil, dBias: UnsafeMutablePointer<Float>? = nil
        ) {
            self.x = x
            self.xRowStride = xRowStride
            self.mean = mean
            self.reciprocalDeviation = reciprocalDeviation
            self.weight = weight
            self.dWeight = dWeight
            self.dBias = dBias
        }
    }

    package init(
        bias: UnsafePointer<Float>? = nil, scale: UnsafePointer<Float>? = nil, shift: UnsafePointer<Float>? = nil,
        kept: MutableMatrixPointer? = nil, keptRowStride: Int = 0, activation: Activation = .identity,
        rowScale: UnsafePointer<Float>? = nil, residual: MatrixPointer? = nil, residualRowStride: Int = 0,
        normGradient: NormGradient? = nil
    ) {
        self.bias = bias
        self.scale = scale
        self.shift = shift
        self.kept = kept
        self.keptRowStride = keptRowStride
        self.activation = activation
        self.rowScale = rowScale
        self.residual = residual
        self.residualRowStride = residualRowStride
        self.normGradient = normGradient
    }

    /// What the micro-kernels read.
    func operands(c: MutableMatrixPointer, cRowStride: Int, accumulate: Bool) -> ssf_gemm_epilogue {
        var operands = ssf_gemm_epilogue(
            c: c.base, cIsHalf: c.isHalf, cRowStride: cRowStride, cFirstRow: 0, accumulate: accumulate, activation: 0,
            bias: bias, scale: scale, shift: shift, kept: kept?.base, keptIsHalf: kept?.isHalf ?? false,
            keptRowStride: keptRowStride, geluInput: nil, geluInputIsHalf: false, geluInputRowStride: 0,
            geluScale: nil, geluShift: nil, rowScale: rowScale, residual: residual?.base,
            residualIsHalf: residual?.isHalf ?? false, residualRowStride: residualRowStride)
        switch activation {
        case .identity: break
        case .gelu: operands.activation = 1
        case .geluGradient(let input):
            operands.activation = 2
            operands.geluInput = input.h.base
            operands.geluInputIsHalf = input.h.isHalf
            operands.geluInputRowStride = input.rowStride
            operands.geluScale = input.scale
            operands.geluShift = input.shift
        }
        return operands
    }
}
