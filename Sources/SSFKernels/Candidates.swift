import SSFMicroKernels

#if arch(x86_64)
    import SSFMicroKernelsAVX2
    import SSFMicroKernelsAVX512
#endif

/// The two inner loops of a search for nearest neighbours beside the matrix product, on the calling thread.
package enum Candidates {
    /// Appends the values below a threshold, and their places counted from `firstIndex`, in order.
    ///
    /// - Parameters:
    ///   - kept, keptIndices: room for `count` more.
    /// - Returns: how many were appended. A NaN never is.
    package static func appendBelow(
        count: Int, values: UnsafePointer<Float>, threshold: Float, firstIndex: Int,
        kept: UnsafeMutablePointer<Float>, keptIndices: UnsafeMutablePointer<Int32>, table: KernelTable = .current
    ) -> Int {
        precondition(count >= 0 && firstIndex >= 0 && firstIndex + count <= Int(Int32.max), "places fit 31 bits")
        return table.candidates.appendBelow(count, values, threshold, Int32(firstIndex), kept, keptIndices)
    }

    /// |x - y|² of two vectors.
    ///
    /// - Accuracy: double precision: differences are exact, `count` rounded squares are summed in 16 lanes.
    package static func squaredDistance(
        count: Int, x: UnsafePointer<Float>, y: UnsafePointer<Float>, table: KernelTable = .current
    ) -> Double {
        precondition(count >= 0)
        return table.candidates.squaredDistance(count, x, y)
    }
}

/// The loops of one instruction set.
struct CandidatesTable: Sendable {
    typealias AppendBelow =
        @Sendable (
            Int, UnsafePointer<Float>, Float, Int32, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Int32>
        ) -> Int
    typealias SquaredDistance = @Sendable (Int, UnsafePointer<Float>, UnsafePointer<Float>) -> Double

    let appendBelow: AppendBelow
    let squaredDistance: SquaredDistance

    init(_ set: InstructionSet) {
        switch set {
        #if arch(x86_64)
            case .avx512:
                appendBelow = SSFMicroKernelsAVX512.appendBelow
                squaredDistance = SSFMicroKernelsAVX512.squaredDistance
            case .avx2:
                appendBelow = SSFMicroKernelsAVX2.appendBelow
                squaredDistance = SSFMicroKernelsAVX2.squaredDistance
        #endif
        default:
            appendBelow = SSFMicroKernels.appendBelow
            squaredDistance = SSFMicroKernels.squaredDistance
        }
    }
}
