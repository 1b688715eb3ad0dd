import SSFKernels
import SSFTensors

/// A matrix multiplication with a weight, and what fusion folds before and behind it.
///
///     y[m, :] = residual[m, :] + mask[sample of m] * (S * (a[m, :] W^T) + T),   a = x, norm(x) or gelu(x)
///
/// Recorded plainly it is `x W^T + bias`. Fusion takes in the norm or GELU before it, appends scales and shifts to the
/// chain that makes S and T, and takes in a drop-path mask and a residual sum: the values between never exist in memory.
///
/// - Shapes: x [..., K]; W [N, K]; y [..., N].
/// - Keeps: x where a norm, a GELU or W is to have a gradient, and what `LinearProduct` says for S.
/// - Source: `timm.layers` linear; chain of gradients by `AffineChain`.
public struct LinearOperation: Operation {
    public var wiring: Wiring
    public let outputChannels: Int
    var prologue = LinearPrologue.none
    var chain = AffineChain()
    /// Whether the chain is left to whoever reads the output (`Value.deferredChannels`).
    var defersChain = false
    /// What x and W are multiplied in.
    var precision = Precision.float32
    /// Indices into the inputs.
    var mask: Int?
    var residual: Int?

    /// Records `x W^T + bias`.
    init(site: String, input: ValueID, weight: ParameterID, bias: ParameterID?, outputChannels: Int) {
        self.outputChannels = outputChannels
        wiring = Wiring(site: site, inputs: [input], parameters: [weight] + (bias.map { [$0] } ?? []))
        if bias != nil { chain.append(scale: nil, shift: 1) }
    }

    public func outputShape(_ inputs: [Shape]) -> Shape {
        Shape(inputs[0].dimensions.dropLast() + [outputChannels])
    }

    public func forwardFLOPs(shapes: [Shape], output: Shape) -> Int {
        2 * output.count * shapes[0][-1] + prologue.forwardFLOPs(count: shapes[0].count)
    }

    public func passesGradient(toInput index: Int) -> Bool { index == residual }
    public func accumulatesGradient(ofInput index: Int) -> Bool { true }

    // MARK: Memory

    /// The kept buffers, by name.
    enum Kept: Int {
        /// S and T [2N], where no reader applies them.
        case composed
        /// The product before S [M, N].
        case product
        /// The mask of each row [M].
        case rowMask
        /// dS and dT, then scratch of the chain.
        case chainGradient
        /// S and T of the norm [2K], then mean and reciprocal deviation of the rows [2M].
        case norm
        /// dS and dT of the norm, then scratch of its chain.
        case normGradient
    }

    /// The buffers of backward, by name.
    enum Scratch: Int {
        /// dy times the mask of its row [M, N].
        case masked
        /// What was multiplied by W [M, K].
        case input
        /// The product before S once more [M, N].
        case product
        /// dx [M, K] where nobody asks for it.
        case inputGradient
    }

    public func retention(shapes: [Shape], output: Shape, need: GradientNeed) -> Retention {
        let sizes = LinearSizes(shapes: shapes, output: output)
        let source = product(need)
        var keepInputs = shapes.map { _ in false }
        keepInputs[0] = need.parameters[0] || prologue.readsInput(need) || source == .difference
        if let mask { keepInputs[mask] = need.any }
        if let residual { keepInputs[residual] = source == .difference }
        let norm = prologue.norm
        let normGradient = norm.map { $0.chain.needsGradient(need) } ?? false
        return Retention(
            inputs: keepInputs, output: source == .output || source == .difference,
            buffers: [
                chain.isEmpty || defersChain ? 0 : 2 * sizes.n,
                source == .kept ? sizes.m * sizes.n : 0,
                mask == nil ? 0 : sizes.m,
                chain.needsGradient(need) ? 2 * sizes.n + chain.scratchCount(channels: sizes.n) : 0,
                norm == nil ? 0 : 2 * (sizes.k + sizes.m),
                normGradient ? 2 * sizes.k + norm!.chain.scratchCount(channels: sizes.k) : 0,
            ],
            backwardScratch: backwardScratch(sizes, need))
    }

    // MARK: Passes

    public func readsParameter(_ index: Int) -> Bool { index > 0 }
    public func writesGradient(ofParameter index: Int) -> Bool { index == 0 }

    public func bind(_ context: OperationContext) {
        let sizes = LinearSizes(context)
        let weight = context.store.operandB(
            context.parameterIDs[0], k: sizes.k, n: sizes.n, rowStride: 1, columnStride: sizes.k, precision: precision)
        context.weight = weight
        guard needsProductGradient(context.need) else { return }
        if case .packed(let matrix) = weight, sizes.transposesInBackward {
            context.transposedWeight = .transposed(matrix)
        } else {
            context.transposedWeight = context.store.operandB(
                context.parameterIDs[0], k: sizes.n, n: sizes.k, rowStride: sizes.k, columnStride: 1,
                precision: precision)
        }
    }

    public func forward(_ context: OperationContext) {
        let sizes = LinearSizes(context)
        guard sizes.m > 0 else { return }
        prepare(context, sizes)
        var epilogue = GEMMEpilogue()
        if !defersChain {
            let composed = context.buffers[Kept.composed.rawValue]
            if chain.hasScale { epilogue.scale = UnsafePointer(composed) }
            if chain.hasShift { epilogue.shift = UnsafePointer(composed + sizes.n) }
        }
        if product(context.need) == .kept {
            epilogue.kept = .init(context.buffers[Kept.product.rawValue])
            epilogue.keptRowStride = sizes.n
        }
        if mask != nil { epilogue.rowScale = UnsafePointer(context.buffers[Kept.rowMask.rawValue]) }
        if let residual {
            epilogue.residual = .init(context.inputs[residual])
            epilogue.residualRowStride = sizes.n
        }
        multiply(context, sizes, into: context.storedOutput.mutableMatrix, epilogue)
    }

    /// Everything that backward reads but the output, which stays.
    public func restore(_ context: OperationContext) {
        if repeatsForwardToRestore(need: context.need) { return forward(context) }
        prepare(context, LinearSizes(context))
    }

    public func repeatsForwardToRestore(need: GradientNeed) -> Bool {
        product(need) == .kept || prologue.norm != nil
    }

    /// `a W^T` with an epilogue.
    func multiply(
        _ context: OperationContext, _ sizes: LinearSizes, into c: MutableMatrixPointer,
        _ epilogue: GEMMEpilogue
    ) {
        GEMM.multiply(
            m: sizes.m, n: sizes.n, k: sizes.k, a: context.storedInputs[0].matrix, aRowStride: sizes.k,
            aColumnStride: 1, b: context.weight!, c: c, cRowStride: sizes.n, prologue: kernelPrologue(context, sizes),
            epilogue: epilogue, workspace: context.workspace)
    }

    /// The vectors that forward and backward read: S and T, those of the norm, and the mask of each row.
    private func prepare(_ context: OperationContext, _ sizes: LinearSizes) {
        if !chain.isEmpty {
            let composed = composed(context, sizes)
            chain.compose(
                channels: sizes.n, parameters: context.parameters, scale: composed, shift: composed + sizes.n)
        }
        if let norm = prologue.norm {
            let composed = context.buffers[Kept.norm.rawValue]
            norm.chain.compose(
                channels: sizes.k, parameters: context.parameters, scale: composed, shift: composed + sizes.k)
        }
        if let mask {
            let rows = context.buffers[Kept.rowMask.rawValue]
            let rowsPerSample = sizes.m / context.inputShapes[mask].count
            for row in 0..<sizes.m { rows[row] = context.inputs[mask][row / rowsPerSample] }
        }
    }

    /// S and T: beside the output, or behind it for its readers.
    func composed(_ context: OperationContext, _ sizes: LinearSizes) -> UnsafeMutablePointer<Float> {
        defersChain ? context.storedOutput.affine : context.buffers[Kept.composed.rawValue]
    }
}

/// Rows of the product, its columns, and what it sums over.
struct LinearSizes {
    let m, n, k: Int

    /// Whether the product for dx lays a frozen weight out anew from the layout of forward, so that it is in memory
    /// once. It costs as much as some 50 rows of the product, 2 % of 3,000 rows; of a small weight there is little to
    /// save.
    var transposesInBackward: Bool { m >= 1536 && n * k >= 1 << 18 }

    init(shapes: [Shape], output: Shape) {
        n = output[-1]
        m = output.count / max(n, 1)
        k = shapes[0][-1]
    }

    init(_ context: OperationContext) {
        self.init(shapes: context.inputShapes, output: context.outputShape)
    }
}

extension Program {
    /// Records `x W^T + bias` with the parameters `<site>.weight` [N, K] and `<site>.bias` [N].
    ///
    /// - Parameter weightShape: what the checkpoint calls the shape of W where it is not [N, K]: a convolution whose
    ///   stride is its size has [N, channels, p, p].
    public mutating func linear(
        _ input: ValueID, site: String, outputChannels: Int, bias: Bool = true, weightShape: Shape? = nil,
        initializer: Initializer = .truncatedNormal(deviation: 0.02)
    ) -> ValueID {
        let matrix: Shape = [outputChannels, shape(of: input)[-1]]
        let weight = parameter("\(site).weight", shape: weightShape ?? matrix, initializer: initializer)
        precondition(parameters[weight.index].shape.count == matrix.count, "\(site).weight is no \(matrix)")
        let biasParameter = bias ? parameter("\(site).bias", shape: [outputChannels]) : nil
        return append(
            LinearOperation(
                site: site, input: input, weight: weight, bias: biasParameter, outputChannels: outputChannels))
    }
}
