import SSFKernels
import SSFTensors

/// Where backward finds the product before S, which the gradient of S is the sum of dy times.
enum LinearProduct: Equatable {
    /// It is not asked for.
    case unneeded
    /// It is the output: the chain is left to its readers.
    case output
    /// `(y - residual - T) / S`, from two values of the residual stream that are kept anyway.
    case difference
    /// Forward keeps it.
    case kept
}

extension LinearOperation {
    /// Below this the difference of two values of the residual stream says too little about the product; backward then
    /// multiplies once more.
    private static let leastScale: Float = 1 / 64

    func product(_ need: GradientNeed) -> LinearProduct {
        if !chain.needsScaleGradient(need) { return .unneeded }
        if defersChain { return .output }
        return residual != nil && !chain.hasFrozenScale(need) && needsProductGradient(need) ? .difference : .kept
    }

    /// Whether the product with W for dx is made: for x, or for a norm before it.
    func needsProductGradient(_ need: GradientNeed) -> Bool {
        need.inputs[0] || prologue.norm.map { $0.chain.needsGradient(need) } ?? false
    }

    func backwardScratch(_ sizes: LinearSizes, _ need: GradientNeed) -> [Int] {
        let trainsWeight = need.parameters[0]
        return [
            mask != nil && (trainsWeight || !needsProductGradient(need)) ? sizes.m * sizes.n : 0,
            trainsWeight && !prologue.isNone ? sizes.m * sizes.k : 0,
            product(need) == .difference || product(need) == .output && !needsProductGradient(need)
                ? sizes.m * sizes.n : 0,
            needsProductGradient(need) && !need.inputs[0] ? sizes.m * sizes.k : 0,
        ]
    }

    public func backward(_ context: OperationContext) {
        let sizes = LinearSizes(context)
        guard sizes.m > 0, let outputGradient = context.outputGradient else { return }
        let need = context.need

        let wantsChain = chain.needsGradient(need)
        let dS = wantsChain ? context.buffers[Kept.chainGradient.rawValue] : nil
        if let dS { dS.update(repeating: 0, count: 2 * sizes.n) }
        if needsProductGradient(need) {
            formInputGradient(context, sizes, outputGradient, dS)
        } else if let dS {
            formSums(context, sizes, outputGradient, dS)
        }
        if let dS {
            chain.backward(
                channels: sizes.n, parameters: context.parameters, gradients: context.parameterGradients,
                scaleGradient: dS, shiftGradient: dS + sizes.n, scratch: dS + 2 * sizes.n)
        }
        if let weightGradient = context.parameterGradients[0] {
            formWeightGradient(context, sizes, outputGradient, into: weightGradient)
        }
        // Last, and never before dx: the executor counts on the order of the inputs.
        if let residual, let gradient = context.inputGradients[residual], gradient != outputGradient {
            if context.accumulates[residual] {
                Elementwise.addInPlace(count: sizes.m * sizes.n, x: outputGradient, into: gradient)
            } else {
                gradient.update(from: outputGradient, count: sizes.m * sizes.n)
            }
        }
    }

    // MARK: - dx

    /// dx = (mask S dy) W through the prologue, and while dy is packed the sums that make dS and dT.
    private func formInputGradient(
        _ context: OperationContext, _ sizes: LinearSizes, _ dy: UnsafeMutablePointer<Float>,
        _ dS: UnsafeMutablePointer<Float>?
    ) {
        var gradient = GEMMPrologue.Gradient()
        if mask != nil { gradient.rowScale = UnsafePointer(context.buffers[Kept.rowMask.rawValue]) }
        if chain.hasScale { gradient.scale = UnsafePointer(composed(context, sizes)) }
        var source = product(context.need)
        if source == .difference, !isRecoverable(context, sizes) { source = .kept }
        if let dS {
            gradient.dShift = dS + sizes.n
            switch source {
            case .unneeded: break
            case .output: gradient.h = context.storedOutput.matrix
            case .kept: gradient.h = .init(keptProduct(context, sizes))
            case .difference:
                gradient.h = .init(context.output)
                gradient.subtrahend = .init(context.inputs[residual!])
            }
            if source != .unneeded {
                gradient.hRowStride = sizes.n
                gradient.dScale = dS
            }
        }

        var epilogue = GEMMEpilogue()
        var normGradient: UnsafeMutablePointer<Float>?
        switch prologue {
        case .none: break
        case .gelu(let isDeferred):
            let scale = isDeferred ? UnsafePointer(context.storedInputs[0].affine) : nil
            epilogue.activation = .geluGradient(
                .init(
                    h: context.storedInputs[0].matrix, rowStride: sizes.k, scale: scale,
                    shift: scale.map { $0 + sizes.k }))
        case .norm(let norm):
            let composed = context.buffers[Kept.norm.rawValue]
            let mean = composed + 2 * sizes.k
            if norm.chain.needsGradient(context.need) {
                normGradient = context.buffers[Kept.normGradient.rawValue]
                normGradient!.update(repeating: 0, count: 2 * sizes.k)
            }
            epilogue.normGradient = .init(
                x: .init(context.inputs[0]), xRowStride: sizes.k, mean: UnsafePointer(mean),
                reciprocalDeviation: UnsafePointer(mean + sizes.m), weight: UnsafePointer(composed),
                dWeight: normGradient, dBias: normGradient.map { $0 + sizes.k })
        }
        let dx = context.inputGradients[0] ?? context.backwardScratch[Scratch.inputGradient.rawValue]
        GEMM.multiply(
            m: sizes.m, n: sizes.k, k: sizes.n, a: .init(dy), aRowStride: sizes.n, aColumnStride: 1,
            b: context.transposedWeight!, c: .init(dx),
            cRowStride: sizes.k, accumulate: context.accumulates[0], prologue: .gradient(gradient),
            epilogue: epilogue, workspace: context.workspace)

        if source == .difference, let dS {
            // What was summed is dy (y - residual) = dy mask (S product + T).
            let scale = composed(context, sizes)
            for j in 0..<sizes.n { dS[j] = (dS[j] - scale[sizes.n + j] * dS[sizes.n + j]) / scale[j] }
        }
        if let norm = prologue.norm, let normGradient {
            norm.chain.backward(
                channels: sizes.k, parameters: context.parameters, gradients: context.parameterGradients,
                scaleGradient: normGradient, shiftGradient: normGradient + sizes.k,
                scratch: normGradient + 2 * sizes.k)
        }
    }

    private func isRecoverable(_ context: OperationContext, _ sizes: LinearSizes) -> Bool {
        let scale = composed(context, sizes)
        return (0..<sizes.n).allSatisfy { abs(scale[$0]) >= Self.leastScale }
    }

    /// The product as forward kept it, or multiplied once more.
    private func keptProduct(_ context: OperationContext, _ sizes: LinearSizes) -> UnsafePointer<Float> {
        if product(context.need) == .kept { return UnsafePointer(context.buffers[Kept.product.rawValue]) }
        let again = context.backwardScratch[Scratch.product.rawValue]
        multiply(context, sizes, into: .init(again), GEMMEpilogue())
        return UnsafePointer(again)
    }

    // MARK: - Without dx

    /// dS and dT where the gradient ends here.
    private func formSums(
        _ context: OperationContext, _ sizes: LinearSizes, _ dy: UnsafeMutablePointer<Float>,
        _ dS: UnsafeMutablePointer<Float>
    ) {
        let dy = masked(context, sizes, dy)
        let product: UnsafePointer<Float>? =
            switch product(context.need) {
            case .unneeded: nil
            case .output:
                UnsafePointer(
                    context.storedOutput.floats(
                        sizes.m * sizes.n, scratch: context.backwardScratch[Scratch.product.rawValue]))
            case .kept, .difference: keptProduct(context, sizes)
            }
        ScaleShift.backward(
            rows: sizes.m, channels: sizes.n, dy: dy, x: product, scale: nil, dx: nil, accumulate: false,
            dScale: product == nil ? nil : dS, dShift: dS + sizes.n, workspace: context.workspace)
    }

    /// dW = S (mask dy)^T a.
    private func formWeightGradient(
        _ context: OperationContext, _ sizes: LinearSizes, _ dy: UnsafeMutablePointer<Float>,
        into weightGradient: UnsafeMutablePointer<Float>
    ) {
        let dy = masked(context, sizes, dy)
        var epilogue = GEMMEpilogue()
        if chain.hasScale { epilogue.rowScale = UnsafePointer(composed(context, sizes)) }
        GEMM.multiply(
            m: sizes.n, n: sizes.k, k: sizes.m, a: dy, aRowStride: 1, aColumnStride: sizes.n,
            b: multiplied(context, sizes), bRowStride: sizes.k, bColumnStride: 1, c: weightGradient,
            cRowStride: sizes.k, accumulate: context.accumulatesParameters[0], epilogue: epilogue,
            workspace: context.workspace)
    }

    /// What W was multiplied by: x, or what the prologue makes of it.
    private func multiplied(_ context: OperationContext, _ sizes: LinearSizes) -> UnsafePointer<Float> {
        let x = context.inputs[0]
        switch prologue {
        case .none:
            return UnsafePointer(x)
        case .norm(let norm):
            let a = context.backwardScratch[Scratch.input.rawValue]
            let composed = context.buffers[Kept.norm.rawValue]
            let mean = composed + 2 * sizes.k
            LayerNorm.forward(
                rows: sizes.m, channels: sizes.k, x: x, weight: composed, bias: composed + sizes.k,
                epsilon: norm.epsilon, y: a, mean: mean, reciprocalDeviation: mean + sizes.m)
            return UnsafePointer(a)
        case .gelu(let isDeferred):
            let a = context.backwardScratch[Scratch.input.rawValue]
            let stored = context.storedInputs[0].floats(sizes.m * sizes.k, scratch: a)
            if isDeferred {
                let scale = context.storedInputs[0].affine
                ScaleShift.forward(
                    rows: sizes.m, channels: sizes.k, x: stored, scale: scale, shift: scale + sizes.k, y: a)
                GELU.forward(count: sizes.m * sizes.k, x: a, y: a)
            } else {
                GELU.forward(count: sizes.m * sizes.k, x: stored, y: a)
            }
            return UnsafePointer(a)
        }
    }

    private func masked(
        _ context: OperationContext, _ sizes: LinearSizes, _ dy: UnsafeMutablePointer<Float>
    ) -> UnsafeMutablePointer<Float> {
        guard mask != nil else { return dy }
        let masked = context.backwardScratch[Scratch.masked.rawValue]
        Elementwise.scaleRows(
            rows: sizes.m, channels: sizes.n, x: dy, rowScale: context.buffers[Kept.rowMask.rawValue], y: masked,
            accumulate: false)
        return masked
    }
}
