/// The matrix product for callers that hold spans.
///
///     var c = [Float](repeating: 0, count: m * n)
///     var out = c.mutableSpan
///     GEMM.multiply(m: m, n: n, k: k, a: a.span, b: b.span, into: &out, workspace: Workspace())
///
/// Strides count elements. Where a stride is left out the matrix is row-major without gaps. A transposed operand is a
/// matter of strides: for Aᵀ of a row-major [k, m] matrix pass `aRowStride: 1, aColumnStride: m`. A product by a matrix
/// that is used more than once is faster with a `PackedMatrix`.
///
/// A, B and C may be of `Float` or of `BFloat16`, each by itself; `precision` says what A and B are multiplied in.
///
/// The shapes are checked: a span that is too short for its shape and strides is a programmer's mistake and stops the
/// program. Operands must not overlap C.
extension GEMM {
    /// C [m, n] = A [m, k] B [k, n], or C += A B.
    ///
    /// - Parameters:
    ///   - a: element (i, p) at `i * aRowStride + p * aColumnStride`.
    ///   - b: element (p, j) at `p * bRowStride + j * bColumnStride`.
    ///   - c: element (i, j) at `i * cRowStride + j`; what lies between the rows stays as it is.
    ///   - accumulate: adds to C instead of overwriting it.
    ///   - precision: what A and B are multiplied in, whatever they are stored in.
    ///   - workspace: scratch, kept by the caller from call to call; one per thread that calls.
    /// - Accuracy, threading: see `GEMM`.
    /// - Complexity: 2 m n k operations.
    public static func multiply<A: MatrixElement, B: MatrixElement, C: MatrixElement>(
        m: Int, n: Int, k: Int, a: Span<A>, aRowStride: Int? = nil, aColumnStride: Int = 1, b: Span<B>,
        bRowStride: Int? = nil, bColumnStride: Int = 1, into c: inout MutableSpan<C>, cRowStride: Int? = nil,
        accumulate: Bool = false, precision: Precision = .float32, workspace: Workspace
    ) {
        let aRowStride = aRowStride ?? k
        let bRowStride = bRowStride ?? n
        let cRowStride = cRowStride ?? n
        check("A", a.count, rows: m, columns: k, aRowStride, aColumnStride)
        check("B", b.count, rows: k, columns: n, bRowStride, bColumnStride)
        checkTarget(c.count, m: m, n: n, rowStride: cRowStride)
        multiply(
            m: m, n: n, k: k, a: a.start, aRowStride: aRowStride, aColumnStride: aColumnStride, b: b.start,
            bRowStride: bRowStride, bColumnStride: bColumnStride, c: c.start, cRowStride: cRowStride,
            accumulate: accumulate, precision: precision, workspace: workspace)
    }

    /// Packs B [k, n] for any number of products; element (p, j) at `p * rowStride + j * columnStride`. For the weight
    /// [n, k] of a linear layer y = x Wᵀ pass `rowStride: 1, columnStride: k`.
    ///
    /// - Parameter precision: what the product is computed in: it rounds B here, and A when it is packed.
    public static func pack<Element: MatrixElement>(
        k: Int, n: Int, b: Span<Element>, rowStride: Int? = nil, columnStride: Int = 1, precision: Precision = .float32
    ) -> PackedMatrix {
        let rowStride = rowStride ?? n
        check("B", b.count, rows: k, columns: n, rowStride, columnStride)
        return pack(
            k: k, n: n, b: b.start, rowStride: rowStride, columnStride: columnStride, precision: precision)
    }

    /// What is applied to every element of a product behind bias, scale and shift.
    public enum Activation: Sendable {
        case identity
        /// The exact GELU, with the accuracy of `GELU.forward`.
        case gelu
    }

    /// C = residual + activation(scale (A' B + bias) + shift), each applied while the tile is at hand, or C += that; A' is
    /// inputActivation(A), applied while A is packed.
    ///
    /// - Parameters:
    ///   - inputActivation: needs a row-major A (`aColumnStride` 1).
    ///   - bias, scale, shift: [n]; absent for 0, 1, 0.
    ///   - residual: [m, n]; absent for 0.
    ///   - packed: B [k, n], by `pack`.
    ///   - a, c, accumulate, workspace: as without packing.
    public static func multiply<A: MatrixElement, C: MatrixElement>(
        m: Int, a: Span<A>, aRowStride: Int? = nil, aColumnStride: Int = 1,
        inputActivation: Activation = .identity, packed: PackedMatrix, bias: Span<Float>? = nil,
        scale: Span<Float>? = nil, shift: Span<Float>? = nil, activation: Activation = .identity,
        residual: Span<Float>? = nil, residualRowStride: Int? = nil, into c: inout MutableSpan<C>,
        cRowStride: Int? = nil, accumulate: Bool = false, workspace: Workspace
    ) {
        let (n, k) = (packed.n, packed.k)
        let aRowStride = aRowStride ?? k
        let cRowStride = cRowStride ?? n
        let residualRowStride = residualRowStride ?? n
        check("A", a.count, rows: m, columns: k, aRowStride, aColumnStride)
        checkTarget(c.count, m: m, n: n, rowStride: cRowStride)
        checkVector("bias", bias, n)
        checkVector("scale", scale, n)
        checkVector("shift", shift, n)
        if let residual { check("residual", residual.count, rows: m, columns: n, residualRowStride, 1) }
        var epilogue = GEMMEpilogue(
            bias: bias?.start, scale: scale?.start, shift: shift?.start,
            activation: activation == .gelu ? .gelu : .identity, residualRowStride: residualRowStride)
        if let residual { epilogue.residual = MatrixPointer(residual.start) }
        multiply(
            m: m, n: n, k: k, a: a.start, aRowStride: aRowStride, aColumnStride: aColumnStride, packed: packed,
            c: c.start, cRowStride: cRowStride, accumulate: accumulate,
            prologue: inputActivation == .gelu ? .gelu(scale: nil, shift: nil) : .identity, epilogue: epilogue,
            workspace: workspace, table: packed.table)
    }

    /// C = activation(N B + bias), or C += that: N is the layer normalisation of the rows of A, computed while they are
    /// packed and never stored.
    ///
    /// - Parameters:
    ///   - a: [m, k], row-major.
    ///   - normWeight, normBias: [k]; absent for 1 and 0.
    ///   - epsilon: added to the variance, as in `LayerNorm.forward`, whose accuracy the normalisation has.
    ///   - bias: [n]; absent for 0.
    ///   - packed, c, accumulate, workspace: as without the normalisation.
    public static func multiplyNormalized(
        m: Int, a: Span<Float>, aRowStride: Int? = nil, normWeight: Span<Float>? = nil, normBias: Span<Float>? = nil,
        epsilon: Float, packed: PackedMatrix, bias: Span<Float>? = nil, activation: Activation = .identity,
        into c: inout MutableSpan<Float>, cRowStride: Int? = nil, accumulate: Bool = false, workspace: Workspace
    ) {
        let (n, k) = (packed.n, packed.k)
        let aRowStride = aRowStride ?? k
        let cRowStride = cRowStride ?? n
        precondition(k > 0, "a row of no elements has no mean")
        check("A", a.count, rows: m, columns: k, aRowStride, 1)
        checkTarget(c.count, m: m, n: n, rowStride: cRowStride)
        checkVector("normWeight", normWeight, k)
        checkVector("normBias", normBias, k)
        checkVector("bias", bias, n)
        multiply(
            m: m, n: n, k: k, a: a.start, aRowStride: aRowStride, aColumnStride: 1, packed: packed, c: c.start,
            cRowStride: cRowStride, accumulate: accumulate,
            prologue: .layerNorm(
                GEMMPrologue.Norm(weight: normWeight?.start, bias: normBias?.start, epsilon: epsilon)),
            epilogue: GEMMEpilogue(bias: bias?.start, activation: activation == .gelu ? .gelu : .identity),
            workspace: workspace, table: packed.table)
    }

    // MARK: - Checks

    private static func check(
        _ name: String, _ count: Int, rows: Int, columns: Int, _ rowStride: Int, _ columnStride: Int
    ) {
        precondition(rows >= 0 && columns >= 0, "\(name) has the shape [\(rows), \(columns)]")
        precondition(rowStride >= 0 && columnStride >= 0, "\(name) has strides (\(rowStride), \(columnStride))")
        if rows == 0 || columns == 0 { return }
        precondition(
            (rows - 1) * rowStride + (columns - 1) * columnStride < count,
            "\(name) [\(rows), \(columns)] with strides (\(rowStride), \(columnStride)) is longer than its span")
    }

    private static func checkTarget(_ count: Int, m: Int, n: Int, rowStride: Int) {
        check("C", count, rows: m, columns: n, rowStride, 1)
        precondition(m <= 1 || rowStride >= n, "the rows of C overlap: stride \(rowStride), \(n) columns")
    }

    private static func checkVector(_ name: String, _ vector: Span<Float>?, _ n: Int) {
        guard let vector else { return }
        precondition(vector.count >= n, "\(name) has \(vector.count) elements, not \(n)")
    }
}
