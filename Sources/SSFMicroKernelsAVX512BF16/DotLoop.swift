import CIntrinsics

/// Independent chains in `dotLoop`: more than two units of latency 6 need.
package let dotChains = 16

/// `rounds` rounds of `dotChains` products of pairs of bfloat16, summed in single precision, on whole vectors in
/// registers: the most that the processor can do in that precision.
///
/// - Parameter memory: 18 vectors: the sums that the chains start from and end in, then the two factors, read as
///   pairs of bfloat16.
/// - Returns: floating-point operations done.
package func dotLoop(rounds: Int, memory: UnsafeMutablePointer<Float>) -> Int {
    let x = load(memory + dotChains * laneCount)
    let y = load(memory + (dotChains + 1) * laneCount)
    let o = Lanes()
    var sums: InlineArray<16, Lanes> = [o, o, o, o, o, o, o, o, o, o, o, o, o, o, o, o]
    for i in 0..<dotChains { sums[i] = load(memory + i * laneCount) }
    for _ in 0..<rounds {
        for i in 0..<dotChains { sums[i] = ssf_dot_pairs16(sums[i], x, y) }
    }
    for i in 0..<dotChains { store(sums[i], memory + i * laneCount) }
    return 4 * rounds * dotChains * laneCount
}
