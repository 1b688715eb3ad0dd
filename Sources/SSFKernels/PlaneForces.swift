import SSFMicroKernels
import SSFParallel

#if arch(x86_64)
    import SSFMicroKernelsAVX2
    import SSFMicroKernelsAVX512
#endif

/// Forces between points of the plane under q(d) = 1 / (1 + d²), the kernel of Student's t-distribution: what a step of
/// t-SNE (van der Maaten and Hinton 2008) consists of. These run on the calling thread, over one chunk of a region.
package enum PlaneForces {
    /// Targets of ``repel(targets:x:y:sources:sourceX:sourceY:mass:forceX:forceY:weight:table:)`` come in multiples of it,
    /// for every instruction set.
    package static let targetGroup = 16

    /// Edges come in blocks of so many, for every instruction set.
    package static let edgeBlock = SSFMicroKernels.attractionBlock

    /// The repulsion of sources on targets: for every target t
    ///
    ///     weight[t] = sum_s m_s q,   force[t] = sum_s m_s q² (t - s)         q = 1 / (1 + |t - s|²)
    ///
    /// - Accuracy: single precision, summed over 32 sources each and over these; a source at a target's place counts m_s in
    ///   the weight and nothing in the force.
    /// - Parameters:
    ///   - targets: a multiple of `targetGroup`; x, y, forceX, forceY and weight are [targets].
    ///   - mass: how many points each source stands for; sourceX, sourceY and mass are [sources].
    package static func repel(
        targets: Int, x: UnsafePointer<Float>, y: UnsafePointer<Float>, sources: Int, sourceX: UnsafePointer<Float>,
        sourceY: UnsafePointer<Float>, mass: UnsafePointer<Float>, forceX: UnsafeMutablePointer<Float>,
        forceY: UnsafeMutablePointer<Float>, weight: UnsafeMutablePointer<Float>, table: KernelTable = .current
    ) {
        precondition(targets >= 0 && targets % targetGroup == 0 && sources >= 0, "\(targets) targets")
        table.planeForces.repel(targets, x, y, sources, sourceX, sourceY, mass, forceX, forceY, weight)
    }

    /// The attraction along the edges of some points: force[i] = sum_j p_ij q (y_i - y_j).
    ///
    /// - Accuracy: single precision.
    /// - Parameters:
    ///   - firstRow: number of the first of `rows` points.
    ///   - blocks: [rows + 1], where each row begins in `indices` and `values`, in blocks of `edgeBlock` edges. What a row
    ///     does not fill has the value 0 and the index of some point.
    ///   - points: [points, 2].
    ///   - force: [rows, 2].
    package static func attract(
        rows: Int, firstRow: Int, blocks: UnsafePointer<Int32>, indices: UnsafePointer<Int32>,
        values: UnsafePointer<Float>, points: UnsafePointer<Float>, force: UnsafeMutablePointer<Float>,
        table: KernelTable = .current
    ) {
        precondition(rows >= 0 && firstRow >= 0, "\(rows) rows from \(firstRow)")
        table.planeForces.attract(rows, firstRow, blocks, indices, values, points, force)
    }
}

/// Forces in the plane of one instruction set.
struct PlaneForcesTable: Sendable {
    typealias Repel =
        @Sendable (
            Int, UnsafePointer<Float>, UnsafePointer<Float>, Int, UnsafePointer<Float>, UnsafePointer<Float>,
            UnsafePointer<Float>, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>
        ) -> Void
    typealias Attract =
        @Sendable (
            Int, Int, UnsafePointer<Int32>, UnsafePointer<Int32>, UnsafePointer<Float>, UnsafePointer<Float>,
            UnsafeMutablePointer<Float>
        ) -> Void

    let repel: Repel
    let attract: Attract

    init(_ set: InstructionSet) {
        switch set {
        #if arch(x86_64)
            case .avx512:
                repel = SSFMicroKernelsAVX512.planeRepulsion
                attract = SSFMicroKernelsAVX512.planeAttraction
            case .avx2:
                repel = SSFMicroKernelsAVX2.planeRepulsion
                attract = SSFMicroKernelsAVX2.planeAttraction
        #endif
        default:
            repel = SSFMicroKernels.planeRepulsion
            attract = SSFMicroKernels.planeAttraction
        }
    }
}
