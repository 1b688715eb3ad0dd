// What the machine can do at best: loops that do nothing but multiply-add, or nothing but move memory. Results of other
// kernels are stated as a part of what these reach in the same run.

/// Independent chains of multiply-adds in `multiplyAddLoop`: more than two units of latency 4 need.
package let peakChains = 12

/// `rounds` rounds of `peakChains` multiply-adds on whole vectors in registers.
///
/// - Parameter memory: 14 vectors: what the chains start from and end in, then the two factors.
/// - Returns: floating-point operations done.
package func multiplyAddLoop(rounds: Int, memory: UnsafeMutablePointer<Float>) -> Int {
    let lanes = laneCount
    let x = load(memory + 12 * lanes)
    let y = load(memory + 13 * lanes)
    var a = load(memory)
    var b = load(memory + lanes)
    var c = load(memory + 2 * lanes)
    var d = load(memory + 3 * lanes)
    var e = load(memory + 4 * lanes)
    var f = load(memory + 5 * lanes)
    var g = load(memory + 6 * lanes)
    var h = load(memory + 7 * lanes)
    var i = load(memory + 8 * lanes)
    var j = load(memory + 9 * lanes)
    var k = load(memory + 10 * lanes)
    var l = load(memory + 11 * lanes)
    for _ in 0..<rounds {
        a = multiplyAdd(a, x, y)
        b = multiplyAdd(b, x, y)
        c = multiplyAdd(c, x, y)
        d = multiplyAdd(d, x, y)
        e = multiplyAdd(e, x, y)
        f = multiplyAdd(f, x, y)
        g = multiplyAdd(g, x, y)
        h = multiplyAdd(h, x, y)
        i = multiplyAdd(i, x, y)
        j = multiplyAdd(j, x, y)
        k = multiplyAdd(k, x, y)
        l = multiplyAdd(l, x, y)
    }
    store(a, memory)
    store(b, memory + lanes)
    store(c, memory + 2 * lanes)
    store(d, memory + 3 * lanes)
    store(e, memory + 4 * lanes)
    store(f, memory + 5 * lanes)
    store(g, memory + 6 * lanes)
    store(h, memory + 7 * lanes)
    store(i, memory + 8 * lanes)
    store(j, memory + 9 * lanes)
    store(k, memory + 10 * lanes)
    store(l, memory + 11 * lanes)
    return 2 * rounds * peakChains * lanes
}

/// a = b + scale * c, in whole vectors; `count` is a multiple of 16.
package func triadLoop(
    count: Int, scale: Float, b: UnsafePointer<Float>, c: UnsafePointer<Float>, a: UnsafeMutablePointer<Float>
) {
    let factor = Lanes(repeating: scale)
    for i in stride(from: 0, to: count, by: laneCount) {
        store(multiplyAdd(load(c + i), factor, load(b + i)), a + i)
    }
}

/// The sum of `count` numbers, in eight chains so that nothing waits for an addition: reading alone. `count` is a
/// multiple of 128.
package func readLoop(count: Int, b: UnsafePointer<Float>) -> Float {
    let zero = Lanes(repeating: 0)
    var (s0, s1, s2, s3) = (zero, zero, zero, zero)
    var (s4, s5, s6, s7) = (zero, zero, zero, zero)
    for i in stride(from: 0, to: count, by: 8 * laneCount) {
        s0 += load(b + i)
        s1 += load(b + i + laneCount)
        s2 += load(b + i + 2 * laneCount)
        s3 += load(b + i + 3 * laneCount)
        s4 += load(b + i + 4 * laneCount)
        s5 += load(b + i + 5 * laneCount)
        s6 += load(b + i + 6 * laneCount)
        s7 += load(b + i + 7 * laneCount)
    }
    return sum(((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7)))
}

/// a = (a + c) / 2 and b = (b + c) / 2 in place: two numbers written for three that are read, and none that is read only
/// to be overwritten. `count` is a multiple of 16.
package func updateLoop(
    count: Int, c: UnsafePointer<Float>, a: UnsafeMutablePointer<Float>, b: UnsafeMutablePointer<Float>
) {
    let half = Lanes(repeating: 0.5)
    for i in stride(from: 0, to: count, by: laneCount) {
        let x = load(c + i) * half
        store(multiplyAdd(load(a + i), half, x), a + i)
        store(multiplyAdd(load(b + i), half, x), b + i)
    }
}
