import CIntrinsics

/// What a matrix product does to A while it packs it, x being what is in memory.
///
/// A row is read once, and what is made of it goes from registers into the packed layout. A product that is cut along
/// the columns for want of rows does it once per cut.
package enum GEMMPrologue {
    /// A = x.
    case identity
    /// A[i, p] = (x[i, p] - mean[i]) reciprocalDeviation[i] weight[p] + bias[p], as `LayerNorm.forward`.
    case layerNorm(Norm)
    /// A[i, p] = gelu(scale[p] x[i, p] + shift[p]), as `GELU.forward`; scale and shift are [k], absent: 1 and 0.
    case gelu(scale: UnsafePointer<Float>?, shift: UnsafePointer<Float>?)
    /// A[i, p] = scale[p] g[i, p] with g[i, p] = rowScale[i] x[i, p].
    case gradient(Gradient)

    /// A layer normalisation over the k elements of each row, which must be contiguous and single precision.
    package struct Norm {
        /// [k], absent: 1.
        package var weight: UnsafePointer<Float>?
        /// [k], absent: 0.
        package var bias: UnsafePointer<Float>?
        package var epsilon: Float
        /// [m]: receive the statistics that the backward pass needs; absent where nobody does.
        package var mean: UnsafeMutablePointer<Float>?
        package var reciprocalDeviation: UnsafeMutablePointer<Float>?

        package init(
            weight: UnsafePointer<Float>? = nil, bias: UnsafePointer<Float>? = nil, epsilon: Float,
            mean: UnsafeMutablePointer<Float>? = nil, reciprocalDeviation: UnsafeMutablePointer<Float>? = nil
        ) {
            self.weight = weight
            self.bias = bias
            self.epsilon = epsilon
            self.mean = mean
            self.reciprocalDeviation = reciprocalDeviation
        }
    }

    /// The way back through y[i, p] = rowScale[i] (scale[p] h[i, p] + shift[p]), x being the gradient of y: A is that of
    /// h. Both factors may be absent, which stands for 1.
    ///
    /// A may be the transposed matrix (contiguous rows of x are columns of A), as the gradient of a weight has it: scale
    /// then belongs to the rows of A and rowScale to its columns, and there are no sums.
    package struct Gradient {
        /// One for each row of x.
        package var rowScale: UnsafePointer<Float>?
        /// One for each column of x.
        package var scale: UnsafePointer<Float>?
        /// [m, k]: needed for `dScale` alone.
        package var h: MatrixPointer?
        /// [m, k]: where it is there, the sum in `dScale` is that of x (h - subtrahend). It serves where y, and a
        /// residual that was added to it, are kept anyway and stand for a h that is not: their difference is
        /// rowScale (scale h + shift).
        package var subtrahend: MatrixPointer?
        /// Elements from one row of `h`, and of `subtrahend`, to the next.
        package var hRowStride: Int
        /// [k]: += sum_i g h. The sums have the same bits for every thread count.
        package var dScale: UnsafeMutablePointer<Float>?
        /// [k]: += sum_i g.
        package var dShift: UnsafeMutablePointer<Float>?

        package init(
            rowScale: UnsafePointer<Float>? = nil, scale: UnsafePointer<Float>? = nil, h: MatrixPointer? = nil,
            subtrahend: MatrixPointer? = nil, hRowStride: Int = 0, dScale: UnsafeMutablePointer<Float>? = nil,
            dShift: UnsafeMutablePointer<Float>? = nil
        ) {
            self.rowScale = rowScale
            self.scale = scale
            self.h = h
            self.subtrahend = subtrahend
            self.hRowStride = hRowStride
            self.dScale = dScale
            self.dShift = dShift
        }
    }

    /// Whether packing yields more than packed A.
    var hasOutputs: Bool {
        switch self {
        case .identity, .gelu: false
        case .layerNorm(let norm): norm.mean != nil || norm.reciprocalDeviation != nil
        case .gradient: formsSums
        }
    }

    var formsSums: Bool {
        if case .gradient(let gradient) = self { gradient.dScale != nil || gradient.dShift != nil } else { false }
    }

    /// What the micro-kernels read.
    func operands(a: MatrixPointer, rowStride: Int, columnStride: Int, rounds: Bool) -> ssf_gemm_prologue {
        var operands = ssf_gemm_prologue(
            kind: 0, a: a.base, aIsHalf: a.isHalf, rounds: rounds, rowStride: rowStride, columnStride: columnStride,
            scale: nil, shift: nil, rowScale: nil, h: nil, hIsHalf: false, subtrahend: nil, subtrahendIsHalf: false,
            hRowStride: 0)
        switch self {
        case .identity: break
        case .layerNorm(let norm):
            operands.kind = 1
            operands.scale = norm.weight
            operands.shift = norm.bias
        case .gelu(let scale, let shift):
            operands.kind = 2
            operands.scale = scale
            operands.shift = shift
        case .gradient(let gradient):
            operands.kind = 3
            operands.scale = gradient.scale
            operands.rowScale = gradient.rowScale
            operands.h = gradient.h?.base
            operands.hIsHalf = gradient.h?.isHalf ?? false
            operands.subtrahend = gradient.subtrahend?.base
            operands.subtrahendIsHalf = gradient.subtrahend?.isHalf ?? false
            operands.hRowStride = gradient.hRowStride
        }
        return operands
    }
}
