import SSFMicroKernels
import SSFParallel

#if arch(x86_64)
    import SSFMicroKernelsAVX2
    import SSFMicroKernelsAVX512
#endif

/// Whole vectors between single precision and bfloat16, on the whole team: as fast as memory delivers.
extension BFloat16 {
    /// `y = x`, each rounded as ``init(_:)`` does; both of the same count.
    public static func round(_ x: Span<Float>, into y: inout MutableSpan<BFloat16>) {
        precondition(x.count == y.count, "x has \(x.count) elements, y has \(y.count)")
        round(count: x.count, x: x.start, y: y.start)
    }

    /// `y = x`, which is exact; both of the same count.
    public static func widen(_ x: Span<BFloat16>, into y: inout MutableSpan<Float>) {
        precondition(x.count == y.count, "x has \(x.count) elements, y has \(y.count)")
        widen(count: x.count, x: x.start, y: y.start)
    }

    /// `y = x` over pointers, rounded.
    package static func round(
        count: Int, x: UnsafePointer<Float>, y: UnsafeMutablePointer<BFloat16>, table: KernelTable = .current
    ) {
        struct Job {
            let chunks: RowChunks
            let x: UnsafePointer<Float>
            let y: UnsafeMutablePointer<UInt16>
            let kernel: BFloat16Table.Round
        }
        let job = Job(
            chunks: RowChunks(rows: count, width: 1), x: x, y: y.bits, kernel: table.bfloat16.round)
        Parallel.run(chunks: job.chunks.count, context: job) { context, chunk, _ in
            let job = context.assumingMemoryBound(to: Job.self).pointee
            let first = job.chunks.first(chunk)
            job.kernel(job.chunks.size(chunk), job.x + first, job.y + first)
        }
    }

    /// `y = x` over pointers.
    package static func widen(
        count: Int, x: UnsafePointer<BFloat16>, y: UnsafeMutablePointer<Float>, table: KernelTable = .current
    ) {
        struct Job {
            let chunks: RowChunks
            let x: UnsafePointer<UInt16>
            let y: UnsafeMutablePointer<Float>
            let kernel: BFloat16Table.Widen
        }
        let job = Job(
            chunks: RowChunks(rows: count, width: 1), x: x.bits, y: y, kernel: table.bfloat16.widen)
        Parallel.run(chunks: job.chunks.count, context: job) { context, chunk, _ in
            let job = context.assumingMemoryBound(to: Job.self).pointee
            let first = job.chunks.first(chunk)
            job.kernel(job.chunks.size(chunk), job.x + first, job.y + first)
        }
    }
}

// The micro-kernels know bfloat16 as its bits.

extension UnsafePointer<BFloat16> {
    var bits: UnsafePointer<UInt16> { UnsafeRawPointer(self).assumingMemoryBound(to: UInt16.self) }
}

extension UnsafeMutablePointer<BFloat16> {
    var bits: UnsafeMutablePointer<UInt16> { UnsafeMutableRawPointer(self).assumingMemoryBound(to: UInt16.self) }
}

/// The conversions of one instruction set.
struct BFloat16Table: Sendable {
    typealias Round = @Sendable (Int, UnsafePointer<Float>, UnsafeMutablePointer<UInt16>) -> Void
    typealias Widen = @Sendable (Int, UnsafePointer<UInt16>, UnsafeMutablePointer<Float>) -> Void

    let round: Round
    let widen: Widen

    init(_ set: InstructionSet) {
        switch set {
        #if arch(x86_64)
            case .avx512, .avx512bf16:
                round = SSFMicroKernelsAVX512.roundToHalves
                widen = SSFMicroKernelsAVX512.widenHalves
            case .avx2:
                round = SSFMicroKernelsAVX2.roundToHalves
                widen = SSFMicroKernelsAVX2.widenHalves
        #endif
        default:
            round = SSFMicroKernels.roundToHalves
            widen = SSFMicroKernels.widenHalves
        }
    }
}
