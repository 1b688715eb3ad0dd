import SSFKernels
import SSFParallel

/// A kernel at a shape: what it computes, what that costs at least, and how to run it.
public struct KernelCase: Sendable {
    /// What a kernel belongs to, in the order of the report.
    public enum Family: String, Codable, Sendable, CaseIterable {
        case gemm, layernorm, softmax, gelu, attention, optimizer

        /// As it stands in a legend.
        public var title: String {
            switch self {
            case .gemm: "matrix product"
            case .layernorm: "LayerNorm with scale and shift"
            case .softmax: "softmax"
            case .gelu: "GELU"
            case .attention: "attention"
            case .optimizer: "optimiser"
            }
        }
    }

    /// What `--filter` matches: `gemm.fc1`, `layernorm.backward`.
    public let name: String
    public let family: Family
    /// Beside its point in the figure.
    public let label: String
    /// `3152x3072x768` is M x N x K of a product; else the operands' sizes.
    public let shape: String
    public let precision: Precision
    /// Floating-point operations of one call: a multiply-add is two, an exponential counts as ten.
    public let flops: Int
    /// The least that one call moves: every operand read once, every result written once.
    public let bytes: Int
    /// Whether successive calls take different copies of the data, so that none of it is in a cache: for kernels that
    /// do little with each number, and whose data comes from memory in a training step.
    public let isStreaming: Bool
    /// Takes memory and returns the call.
    let prepare: @Sendable (KernelMemory) -> () -> Void

    /// Operations per byte of compulsory traffic.
    public var intensity: Double { Double(flops) / Double(bytes) }
}

/// The operands of a kernel that is measured, and its scratch memory; freed with the object.
final class KernelMemory {
    let workspace = Workspace()
    private var blocks: [UnsafeMutableRawPointer] = []
    private struct Job {
        var floats: UnsafeMutablePointer<Float>
        var count: Int
        var perChunk: Int
        var seed: UInt64
    }

    /// Numbers between -1 and 1, in no order: zeros would flatter nobody, denormals slow everybody. They are written by
    /// the threads that will read them, so that their memory is near these.
    func floats(_ count: Int) -> UnsafeMutablePointer<Float> {
        let block = UnsafeMutableRawPointer.allocate(
            byteCount: max(count, 16) * MemoryLayout<Float>.stride, alignment: 64)
        blocks.append(block)
        let floats = block.bindMemory(to: Float.self, capacity: max(count, 16))
        let perChunk = 32_768
        let job = Job(floats: floats, count: count, perChunk: perChunk, seed: UInt64(blocks.count))
        Parallel.run(chunks: (count + perChunk - 1) / perChunk, context: job) { context, chunk, _ in
            let job = context.assumingMemoryBound(to: Job.self).pointee
            var state = (job.seed << 32 + UInt64(chunk)) &* 0x9E37_79B9_7F4A_7C15
            for i in chunk * job.perChunk..<min((chunk + 1) * job.perChunk, job.count) {
                // Knuth's generator of 64 bits; its high bits make the fraction.
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                job.floats[i] = Float(Int32(truncatingIfNeeded: state >> 32)) * 0x1p-31
            }
        }
        return floats
    }

    deinit {
        for block in blocks { block.deallocate() }
    }
}
