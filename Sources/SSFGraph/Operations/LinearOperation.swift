import SSFKernels
import SSFTensors

/// A matrix multiplication with a weight, and what fusion folds behind it.
///
///     y[m, :] = residual[m, :] + mask[sample of m] * (S * (x[m, :] W^T) + T)
///
/// Recorded plainly it is `x W^T + bias`. Fusion appends scales and shifts to the chain that makes S and T, and takes
/// in a drop-path mask and a residual sum: the values between never exist in memory.
///
/// - Shapes: x [..., K]; W [N, K]; y [..., N].
/// - Keeps: x where W is trained; the product before S where a scale behind it is trained.
/// - Source: `timm.layers` linear; chain of gradients by `AffineChain`.
public struct LinearOperation: Operation {
    public var wiring: Wiring
    public let outputChannels: Int
    var chain = AffineChain()
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
        2 * output.count * shapes[0][-1]
    }

    public func passesGradient(toInput index: Int) -> Bool { index == residual }
    public func accumulatesGradient(ofInput index: Int) -> Bool { true }

    /// Buffers: 0 composed S, T [2N]; 1 the product before S [M, N]; 2 per-row mask [M]; 3 dS, dT and the chain's scratch.
    public func retention(shapes: [Shape], output: Shape, need: GradientNeed) -> Retention {
        let rows = output.count / outputChannels
        var keepInputs = shapes.map { _ in false }
        keepInputs[0] = need.parameters[0]
        if let mask { keepInputs[mask] = need.any }
        return Retention(
            inputs: keepInputs,
            buffers: [
                chain.isEmpty ? 0 : 2 * outputChannels,
                chain.needsScaleGradient(need) ? rows * outputChannels : 0,
                mask == nil ? 0 : rows,
                chain.needsGradient(need) ? 2 * outputChannels + chain.scratchCount(channels: outputChannels) : 0,
                gradientCopyCount(rows: rows, need: need),
            ])
    }

    /// Whether backward needs a scaled copy of dy: where the mask or S stands between dy and the product, and either
    /// x or W is owed a gradient.
    private func gradientCopyCount(rows: Int, need: GradientNeed) -> Int {
        guard need.inputs[0] || need.parameters[0] || mask != nil && need.any else { return 0 }
        return mask != nil || chain.hasScale ? rows * outputChannels : 0
    }

    public func bind(_ context: OperationContext) {
        let k = context.inputShapes[0][-1]
        context.packedForward = context.store.packed(
            context.parameterIDs[0], k: k, n: outputChannels, rowStride: 1, columnStride: k)
        if context.need.inputs[0] {
            context.packedBackward = context.store.packed(
                context.parameterIDs[0], k: outputChannels, n: k, rowStride: k, columnStride: 1)
        }
    }

    public func forward(_ context: OperationContext) {
        let k = context.inputShapes[0][-1]
        let n = outputChannels
        let m = context.outputShape.count / n
        guard m > 0 else { return }
        let packed = context.packedForward!
        context.store.refresh(packed, context.parameterIDs[0], rowStride: 1, columnStride: k)

        var epilogue = GEMMEpilogue()
        if !chain.isEmpty {
            let scale = context.buffers[0]
            let shift = scale + n
            chain.compose(channels: n, parameters: context.parameters, scale: scale, shift: shift)
            if chain.hasScale { epilogue.scale = UnsafePointer(scale) }
            if chain.hasShift { epilogue.shift = UnsafePointer(shift) }
        }
        if chain.needsScaleGradient(context.need) {
            epilogue.kept = context.buffers[1]
            epilogue.keptRowStride = n
        }
        if let mask {
            let rowScale = context.buffers[2]
            let batch = context.inputShapes[mask].count
            let rowsPerSample = m / batch
            for sample in 0..<batch {
                let value = context.inputs[mask][sample]
                for row in 0..<rowsPerSample { rowScale[sample * rowsPerSample + row] = value }
            }
            epilogue.rowScale = UnsafePointer(rowScale)
        }
        if let residual {
            epilogue.residual = UnsafePointer(context.inputs[residual])
            epilogue.residualRowStride = n
        }
        GEMM.multiply(
            m: m, n: n, k: k, a: context.inputs[0], aRowStride: k, aColumnStride: 1, packed: packed.matrix,
            c: context.output, cRowStride: n, epilogue: epilogue, workspace: context.workspace)
    }

    public func backward(_ context: OperationContext) {
        let k = context.inputShapes[0][-1]
        let n = outputChannels
        let m = context.outputShape.count / n
        guard m > 0, let outputGradient = context.outputGradient else { return }

        // The gradient behind the chain: dy, times the mask of its row.
        var behind = outputGradient
        if mask != nil, gradientCopyCount(rows: m, need: context.need) > 0 {
            Elementwise.scaleRows(
                rows: m, channels: n, x: behind, rowScale: context.buffers[2], y: context.buffers[4], accumulate: false)
            behind = context.buffers[4]
        }

        // Through the chain: the sums for its members, and the gradient of the product.
        var product = behind
        let wantsProduct = context.need.inputs[0] || context.need.parameters[0]
        let wantsChain = chain.needsGradient(context.need)
        let rescales = wantsProduct && chain.hasScale
        if wantsChain || rescales {
            let dS = wantsChain ? context.buffers[3] : nil
            let dT = wantsChain ? context.buffers[3] + n : nil
            if let dS { dS.update(repeating: 0, count: 2 * n) }
            let wantsScale = chain.needsScaleGradient(context.need)
            ScaleShift.backward(
                rows: m, channels: n, dy: behind, x: wantsScale ? UnsafePointer(context.buffers[1]) : nil,
                scale: rescales ? UnsafePointer(context.buffers[0]) : nil, dx: rescales ? context.buffers[4] : nil,
                accumulate: false, dScale: wantsScale ? dS : nil, dShift: dT, workspace: context.workspace)
            if rescales { product = context.buffers[4] }
            if let dS, let dT {
                chain.backward(
                    channels: n, parameters: context.parameters, gradients: context.parameterGradients,
                    scaleGradient: dS, shiftGradient: dT, scratch: context.buffers[3] + 2 * n)
            }
        }

        if let weightGradient = context.parameterGradients[0] {
            GEMM.multiply(
                m: n, n: k, k: m, a: product, aRowStride: 1, aColumnStride: n, b: context.inputs[0], bRowStride: k,
                bColumnStride: 1, c: weightGradient, cRowStride: k, accumulate: true, workspace: context.workspace)
        }
        if let inputGradient = context.inputGradients[0] {
            let packed = context.packedBackward!
            context.store.refresh(packed, context.parameterIDs[0], rowStride: k, columnStride: 1)
            GEMM.multiply(
                m: m, n: k, k: n, a: product, aRowStride: n, aColumnStride: 1, packed: packed.matrix, c: inputGradient,
                cRowStride: k, accumulate: context.accumulates[0], workspace: context.workspace)
        }
        // Last, and never before dx: the executor counts on the order of the inputs.
        if let residual, let gradient = context.inputGradients[residual], gradient != outputGradient {
            if context.accumulates[residual] {
                Elementwise.addInPlace(count: m * n, x: outputGradient, into: gradient)
            } else {
                gradient.update(from: outputGradient, count: m * n)
            }
        }
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
