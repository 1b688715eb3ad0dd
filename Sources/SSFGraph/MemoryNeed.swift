import SSFKernels
import SSFTensors

/// The memory that running a program will take beside its parameters, known before any of it is allocated. In bytes.
public struct MemoryNeed: Sendable, Equatable {
    /// Inputs, activations, gradients and private buffers: an executor's `plannedByteCount`.
    public var buffers: Int
    /// Weights in the layout of the matrix product; executors that share a `ParameterStore` share them.
    public var packedWeights: Int
    /// What the kernels borrow while they run; shared alike.
    public var scratch: Int

    /// - Parameters: as of an executor.
    public init(
        of program: Program, mode: ExecutionMode, recomputesBlocks: Bool = false, precision: Precision = .float32,
        handsOverGradients: Bool = false
    ) {
        buffers = Executor.plannedByteCount(
            of: program, mode: mode, recomputesBlocks: recomputesBlocks, precision: precision,
            handsOverGradients: handsOverGradients)
        packedWeights = 0
        scratch = 0
        let program = program.fused(precision: precision)
        let needs = Differentiation(program, trains: mode == .training).needs
        for (operation, need) in zip(program.operations, needs) {
            let wiring = operation.wiring
            if let linear = operation as? LinearOperation {
                let sizes = LinearSizes(
                    shapes: wiring.inputs.map(program.shape(of:)), output: program.shape(of: wiring.output))
                let (m, n, k) = (sizes.m, sizes.n, sizes.k)
                // Trained weights stay in single precision, and are laid out by each product.
                let isTrained = program.parameters[wiring.parameters[0].index].isTrainable
                let type = isTrained ? .float32 : precision
                if !isTrained { packedWeights += GEMM.packedByteCount(k: k, n: n, precision: type) }
                scratch = max(
                    scratch, GEMM.workspaceByteCount(m: m, n: n, k: k, packsB: isTrained, precision: type))
                if linear.needsProductGradient(need) {
                    let packsB = isTrained || sizes.transposesInBackward
                    if !packsB { packedWeights += GEMM.packedByteCount(k: n, n: k, precision: type) }
                    scratch = max(
                        scratch, GEMM.workspaceByteCount(m: m, n: k, k: n, packsB: packsB, precision: type))
                }
                if need.parameters[0] {
                    // dW = dyᵀ x, with x for B.
                    scratch = max(scratch, GEMM.workspaceByteCount(m: n, n: k, k: m, packsB: true))
                }
            } else if let attention = operation as? AttentionOperation {
                let output = program.shape(of: wiring.output)
                scratch = max(
                    scratch,
                    Attention.workspaceByteCount(
                        tokens: output[1], headWidth: output[2] / attention.heads, backward: need.any,
                        precision: attention.precision))
            }
        }
    }
}
