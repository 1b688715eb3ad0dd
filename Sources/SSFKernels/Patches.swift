import SSFMicroKernels
import SSFParallel

#if arch(x86_64)
    import SSFMicroKernelsAVX2
    import SSFMicroKernelsAVX512
#endif

/// Images as rows of patches, so that a convolution whose stride is its kernel size becomes a matrix product.
public enum Patches {
    /// Copies images [B, C, H, W] to rows [B * (H / patchHeight) * (W / patchWidth), C * patchHeight * patchWidth].
    ///
    /// Patches go row by row from the top left; the elements of one are in the order (channel, y, x), as in a
    /// convolution weight [O, C, patchHeight, patchWidth] seen as [O, C * patchHeight * patchWidth].
    ///
    /// - Precondition: the patch divides the image.
    public static func unfold(
        batch: Int, channels: Int, height: Int, width: Int, patchHeight: Int, patchWidth: Int, images: Span<Float>,
        rows: inout MutableSpan<Float>
    ) {
        precondition(images.count == batch * channels * height * width, "images are [batch, channels, height, width]")
        precondition(rows.count == images.count, "rows hold every pixel once")
        unfold(
            batch: batch, channels: channels, height: height, width: width, patchHeight: patchHeight,
            patchWidth: patchWidth, images: images.start, rows: rows.start)
    }
}

extension Patches {
    private struct Job {
        let channels, height, width, patchHeight, patchWidth: Int
        let images: UnsafePointer<Float>
        let rows: UnsafeMutablePointer<Float>
        let kernel: PatchesTable.Unfold
    }

    /// The same over pointers. One row of patches per chunk.
    package static func unfold(
        batch: Int, channels: Int, height: Int, width: Int, patchHeight: Int, patchWidth: Int,
        images: UnsafePointer<Float>, rows: UnsafeMutablePointer<Float>, table: KernelTable = .current
    ) {
        precondition(batch >= 0 && channels >= 0 && patchHeight > 0 && patchWidth > 0)
        precondition(
            height % patchHeight == 0 && width % patchWidth == 0,
            "patches of \(patchHeight) x \(patchWidth) do not divide images of \(height) x \(width)")
        let job = Job(
            channels: channels, height: height, width: width, patchHeight: patchHeight, patchWidth: patchWidth,
            images: images, rows: rows, kernel: table.patches.unfold)
        Parallel.run(chunks: batch * (height / patchHeight), context: job) { context, chunk, _ in
            let job = context.assumingMemoryBound(to: Job.self).pointee
            let patchRows = job.height / job.patchHeight
            let image = chunk / patchRows * job.channels * job.height * job.width
            job.kernel(
                job.channels, job.height * job.width, job.width, job.patchHeight, job.patchWidth,
                job.images + image + chunk % patchRows * job.patchHeight * job.width,
                job.rows + chunk * job.channels * job.patchHeight * job.width)
        }
    }
}

/// Patches of one instruction set.
struct PatchesTable: Sendable {
    typealias Unfold = @Sendable (Int, Int, Int, Int, Int, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void

    let unfold: Unfold

    init(_ set: InstructionSet) {
        switch set {
        #if arch(x86_64)
            case .avx512: unfold = SSFMicroKernelsAVX512.unfoldPatches
            case .avx2: unfold = SSFMicroKernelsAVX2.unfoldPatches
        #endif
        default: unfold = SSFMicroKernels.unfoldPatches
        }
    }
}
