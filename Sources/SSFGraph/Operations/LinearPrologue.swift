import SSFKernels

/// What fusion folds before a matrix multiplication: it is computed row by row while the operand is packed.
enum LinearPrologue: Sendable {
    case none
    case norm(Norm)
    /// GELU of x; where x is deferred, of S x + T.
    case gelu(isDeferred: Bool)

    /// A layer norm with its affine and what stands behind it; indices into the linear's parameters.
    struct Norm: Sendable {
        let epsilon: Float
        let chain: AffineChain
    }

    var norm: Norm? {
        if case .norm(let norm) = self { norm } else { nil }
    }

    var isNone: Bool {
        if case .none = self { true } else { false }
    }

    /// Whether backward reads x.
    func readsInput(_ need: GradientNeed) -> Bool {
        switch self {
        case .none: false
        case .norm(let norm): need.inputs[0] || norm.chain.needsGradient(need)
        case .gelu: need.inputs[0]
        }
    }

    func forwardFLOPs(count: Int) -> Int {
        switch self {
        case .none: 0
        case .norm: 8 * count
        case .gelu: 20 * count
        }
    }
}

extension LinearOperation {
    /// The prologue as the kernel takes it.
    func kernelPrologue(_ context: OperationContext, _ sizes: LinearSizes) -> GEMMPrologue {
        switch prologue {
        case .none:
            return .identity
        case .norm(let norm):
            let scale = context.buffers[Kept.norm.rawValue]
            let mean = scale + 2 * sizes.k
            return .layerNorm(
                .init(
                    weight: UnsafePointer(scale), bias: UnsafePointer(scale + sizes.k), epsilon: norm.epsilon,
                    mean: mean, reciprocalDeviation: mean + sizes.m))
        case .gelu(let isDeferred):
            let scale = isDeferred ? UnsafePointer(context.storedInputs[0].affine) : nil
            return .gelu(scale: scale, shift: scale.map { $0 + sizes.k })
        }
    }
}
