import SSFKernels

/// A linear layer as a matrix product: y [m, n] = x [m, k] Wᵀ for the weight W [n, k], or one of its gradients.
///
///     gemm m=3152 n=3072 k=768 [pass=forward|input|weight] [pack=once|call] [epilogue=none|bias|scale-shift|gelu]
///         [dtype=f32|bf16]
///
/// `pass=input` is dx [m, k] = dy [m, n] W, `pass=weight` is dW [n, k] = dyᵀ x; m, n and k stay those of the layer.
/// `pack=once`: the weight is packed before the call, as frozen weights are. x and dy are packed in every call; dW has
/// nothing to pack before. Epilogues go with a packed weight and `pass=forward`;
/// `gelu` is behind bias, scale and shift.
/// With `dtype=bf16` x, W and y are bfloat16, multiplied as such and summed in single precision.
struct MatrixProductCase: KernelCase {
    static let operation = "gemm"

    enum Product: String, CaseIterable {
        case forward, input, weight
    }

    enum Packing: String, CaseIterable {
        case once, call
    }

    enum Epilogue: String, CaseIterable {
        case none, bias, gelu
        case scaleShift = "scale-shift"
    }

    let m, n, k: Int
    let product: Product
    let packing: Packing
    let epilogue: Epilogue
    let precision: Precision

    init(_ parameters: inout Parameters) throws {
        m = try parameters.count("m")
        n = try parameters.count("n")
        k = try parameters.count("k")
        product = try parameters.choice("pass", .forward)
        packing = try parameters.choice("pack", product == .weight ? .call : .once)
        epilogue = try parameters.choice("epilogue", .none)
        precision = try parameters.choice("dtype", .float32)
        if product == .weight && packing == .once { throw CaseError("pass=weight has nothing that is packed once") }
        if epilogue != .none && (product != .forward || packing != .once) {
            throw CaseError("epilogue goes with pass=forward pack=once")
        }
    }

    var work: Work { .operations(2 * Double(m) * Double(n) * Double(k), precision) }

    func prepare() -> () -> Void {
        switch precision {
        case .float32: prepare(Float.self)
        case .bfloat16: prepare(BFloat16.self)
        }
    }

    private func prepare<Element: MatrixElement>(_ type: Element.Type) -> () -> Void {
        switch product {
        case .forward:
            product(
                type, rows: m, columns: n, depth: k, a: (m * k, k, 1), b: (n * k, 1, k), epilogue: epilogue)
        case .input:
            product(type, rows: m, columns: k, depth: n, a: (m * n, n, 1), b: (n * k, k, 1), epilogue: .none)
        case .weight:
            product(type, rows: n, columns: k, depth: m, a: (m * n, 1, n), b: (m * k, k, 1), epilogue: .none)
        }
    }

    /// C [rows, columns] = A B; an operand is its count of elements, the stride of its rows and that of its columns.
    private func product<Element: MatrixElement>(
        _ type: Element.Type, rows: Int, columns: Int, depth: Int, a: (count: Int, row: Int, column: Int),
        b: (count: Int, row: Int, column: Int), epilogue: Epilogue
    ) -> () -> Void {
        let arena = Arena()
        let workspace = Workspace()
        let left = arena.random(type, a.count)
        let right = arena.random(type, b.count)
        let result = arena.zeros(type, rows * columns)
        if packing == .call {
            return {
                withExtendedLifetime(arena) {
                    var c = result.mutableSpan
                    GEMM.multiply(
                        m: rows, n: columns, k: depth, a: left.span, aRowStride: a.row, aColumnStride: a.column,
                        b: right.span, bRowStride: b.row, bColumnStride: b.column, into: &c,
                        precision: Element.precision, workspace: workspace)
                }
            }
        }
        let packed = GEMM.pack(
            k: depth, n: columns, b: right.span, rowStride: b.row, columnStride: b.column,
            precision: Element.precision)
        let bias = arena.random(columns)
        let scale = arena.random(columns)
        let shift = arena.random(columns)
        return {
            withExtendedLifetime(arena) {
                var c = result.mutableSpan
                switch epilogue {
                case .none:
                    GEMM.multiply(
                        m: rows, a: left.span, aRowStride: a.row, aColumnStride: a.column, packed: packed, into: &c,
                        workspace: workspace)
                case .bias:
                    GEMM.multiply(
                        m: rows, a: left.span, packed: packed, bias: bias.span, into: &c, workspace: workspace)
                case .scaleShift:
                    GEMM.multiply(
                        m: rows, a: left.span, packed: packed, bias: bias.span, scale: scale.span, shift: shift.span,
                        into: &c, workspace: workspace)
                case .gelu:
                    GEMM.multiply(
                        m: rows, a: left.span, packed: packed, bias: bias.span, scale: scale.span, shift: shift.span,
                        activation: .gelu, into: &c, workspace: workspace)
                }
            }
        }
    }
}
