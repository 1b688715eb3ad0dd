import CIntrinsics

// Forces between points of the plane under the kernel of Student's t-distribution with one degree of freedom, q(d) =
// 1 / (1 + d^2): what a step of t-SNE consists of.

/// The repulsion of `sources` on each of `targets` points, for every target t:
///
///     weight[t] = sum_s m_s q,   force[t] = sum_s m_s q^2 (t - s)        q = 1 / (1 + |t - s|^2)
///
/// The sums are single precision, over 32 sources each, and over these.
///
/// - Parameters:
///   - targets: a multiple of ``laneCount``.
///   - mass: [sources], how many points each source stands for.
public func planeRepulsion(
    targets: Int, x: UnsafePointer<Float>, y: UnsafePointer<Float>, sources: Int, sourceX: UnsafePointer<Float>,
    sourceY: UnsafePointer<Float>, mass: UnsafePointer<Float>, forceX: UnsafeMutablePointer<Float>,
    forceY: UnsafeMutablePointer<Float>, weight: UnsafeMutablePointer<Float>
) {
    let one = Lanes(repeating: 1)
    var t = 0
    while t < targets {
        let (tx, ty) = (load(x + t), load(y + t))
        var (fx, fy, z) = (Lanes.zero, Lanes.zero, Lanes.zero)
        var first = 0
        while first < sources {
            // Sums of few terms first: many numbers near 1 would all be rounded the same way.
            let end = sources &- first < 32 ? sources : first &+ 32
            var (gx, gy, gz) = (Lanes.zero, Lanes.zero, Lanes.zero)
            for s in first..<end {
                let dx = subtracted(tx, Lanes(repeating: sourceX[s]))
                let dy = subtracted(ty, Lanes(repeating: sourceY[s]))
                let q = one / multiplyAdd(dy, dy, multiplyAdd(dx, dx, one))
                let mq = q * Lanes(repeating: mass[s])
                let mqq = mq * q
                gz = added(gz, mq)
                gx = multiplyAdd(mqq, dx, gx)
                gy = multiplyAdd(mqq, dy, gy)
            }
            fx = added(fx, gx)
            fy = added(fy, gy)
            z = added(z, gz)
            first = end
        }
        store(fx, forceX + t)
        store(fy, forceY + t)
        store(z, weight + t)
        t += laneCount
    }
}

/// Edges in a block of ``planeAttraction(rows:firstRow:blocks:indices:values:points:force:)``, whatever the vectors.
package let attractionBlock = 16

@inline(always)
func evenLanes(_ a: Lanes, _ b: Lanes) -> Lanes {
    #if SSF_AVX512
        ssf_even_lanes16(a, b)
    #elseif SSF_AVX2
        ssf_even_lanes8(a, b)
    #else
        ssf_even_lanes4(a, b)
    #endif
}

@inline(always)
func oddLanes(_ a: Lanes, _ b: Lanes) -> Lanes {
    #if SSF_AVX512
        ssf_odd_lanes16(a, b)
    #elseif SSF_AVX2
        ssf_odd_lanes8(a, b)
    #else
        ssf_odd_lanes4(a, b)
    #endif
}

@inline(always)
func loadPairs(_ pairs: UnsafePointer<Float>, _ index: UnsafePointer<Int32>) -> Lanes {
    #if SSF_AVX512
        ssf_load_pairs16(pairs, index)
    #elseif SSF_AVX2
        ssf_load_pairs8(pairs, index)
    #else
        ssf_load_pairs4(pairs, index)
    #endif
}

/// The attraction along the edges of `rows` points: force[i] = sum_j p_ij q (i - j).
///
/// - Parameters:
///   - firstRow: number of the first of these points.
///   - blocks: [rows + 1], where each row begins in `indices` and `values`, in blocks of ``attractionBlock`` edges; what
///     a row does not fill has value 0 and the index of any point.
///   - points: x and y of every point, in turn.
///   - force: x and y for these rows, in turn.
public func planeAttraction(
    rows: Int, firstRow: Int, blocks: UnsafePointer<Int32>, indices: UnsafePointer<Int32>,
    values: UnsafePointer<Float>, points: UnsafePointer<Float>, force: UnsafeMutablePointer<Float>
) {
    let one = Lanes(repeating: 1)
    for row in 0..<rows {
        let i = firstRow + row
        let (xi, yi) = (Lanes(repeating: points[2 * i]), Lanes(repeating: points[2 * i + 1]))
        var (fx, fy) = (Lanes.zero, Lanes.zero)
        var e = Int(truncatingIfNeeded: blocks[row]) &* attractionBlock
        let end = Int(truncatingIfNeeded: blocks[row + 1]) &* attractionBlock
        while e < end {
            let a = loadPairs(points, indices + e)
            let b = loadPairs(points, indices + e + laneCount / 2)
            let dx = subtracted(xi, evenLanes(a, b))
            let dy = subtracted(yi, oddLanes(a, b))
            let pq = load(values + e) / multiplyAdd(dy, dy, multiplyAdd(dx, dx, one))
            fx = multiplyAdd(pq, dx, fx)
            fy = multiplyAdd(pq, dy, fy)
            e += laneCount
        }
        force[2 * row] = sum(fx)
        force[2 * row + 1] = sum(fy)
    }
}
