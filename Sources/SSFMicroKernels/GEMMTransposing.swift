import CIntrinsics

/// Lays a panel of packed B out once more, as a part of a panel of packed Bᵀ: what `gemmPackB` makes of Bᵀ, without B.
///
/// The columns of the panel become `k` steps of the result, and its steps from `first` on the `columns` columns.
///
/// - Parameters:
///   - panel: floats [steps, panelColumns], where `isHalf` bfloat16 of that layout, and where bfloat16 is multiplied
///     pairs of two steps [steps / 2, panelColumns].
///   - ahead: the panel that is laid out next; the memory is asked for the same steps of it.
///   - first: a multiple of two where steps stand in pairs.
///   - packedColumns: `columns` rounded up to whole vectors; the columns beyond become zero.
///   - packed: where step 0 goes; a pair's second half beyond the last step becomes zero, as it is in the panel.
package func gemmTransposePanel(
    k: Int, columns: Int, packedColumns: Int, panel: UnsafeRawPointer, panelColumns: Int, ahead: UnsafeRawPointer,
    first: Int, isHalf: Bool, packed: UnsafeMutableRawPointer
) {
    let target = GEMMPackedPanel(packed: packed, isHalf: isHalf, columns: packedColumns)
    for j in stride(from: 0, to: packedColumns, by: laneCount) {
        for p in stride(from: 0, to: k, by: laneCount) {
            var square = zeroBlock()
            for q in 0..<laneCount where j + q < columns {
                let place = panelPlace(panelColumns, step: first + j + q, p, isHalf: isHalf)
                ssf_prefetch_later(ahead + place)
                square[q] = panelRow(panel, panelColumns, step: first + j + q, p, isHalf: isHalf)
            }
            square = transposed(square)
            // Columns beyond the panel's last are zero in it.
            for r in stride(from: 0, to: laneCount, by: gemmPackedSteps) where p + r < k {
                target.put(square[r], gemmPackedSteps == 2 ? square[r + 1] : Lanes(), p + r, j)
            }
        }
    }
}

/// Where that vector begins, in bytes.
@inline(always)
func panelPlace(_ columns: Int, step: Int, _ p: Int, isHalf: Bool) -> Int {
    (step / gemmPackedSteps * columns + p) * (gemmPackedSteps == 2 ? 4 : bytes(isHalf: isHalf))
}

/// A vector of a step of a panel, from column p on.
@inline(always)
func panelRow(_ panel: UnsafeRawPointer, _ columns: Int, step: Int, _ p: Int, isHalf: Bool) -> Lanes {
    #if SSF_AVX512BF16
        let pairs = load(panel.assumingMemoryBound(to: Float.self) + (step / 2 * columns + p))
        let bits = unsafeBitCast(pairs, to: LaneBits.self)
        return unsafeBitCast(step % 2 == 0 ? bits &<< 16 : bits & LaneBits(repeating: 0xffff_0000), to: Lanes.self)
    #else
        return load(panel, step * columns + p, isHalf: isHalf, part: 0)
    #endif
}
