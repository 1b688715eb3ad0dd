import CIntrinsics

// Fourier transforms of as many sequences as a vector has lanes, side by side: element j of all of them is one vector of
// real and one of imaginary parts. No lane ever meets another, so a transform is additions and products of whole vectors.
//
// The passes are Stockham's (Cochran et al. 1967): each of them writes where the next one reads in order, and no bits are
// reversed at the end.

/// One pass of a transform of `radix * m * stride` elements: for each p < m a butterfly of `radix` vectors, its outputs
/// turned by the powers of exp(-2 pi i p / (radix m)).
///
/// - Parameters:
///   - twiddles: for each p the cosine and the sine of (radix - 1) such angles, the sine negative.
@inline(always)
func fourierPass2(
    m: Int, stride: Int, twiddles: UnsafePointer<Float>, re: UnsafePointer<Float>, im: UnsafePointer<Float>,
    outRe: UnsafeMutablePointer<Float>, outIm: UnsafeMutablePointer<Float>
) {
    let step = stride * laneCount
    for p in 0..<m {
        let (c, s) = (Lanes(repeating: twiddles[2 * p]), Lanes(repeating: twiddles[2 * p + 1]))
        let from = p * step
        let to = 2 * p * step
        var q = 0
        while q < step {
            let (ar, ai) = (load(re + from + q), load(im + from + q))
            let (br, bi) = (load(re + from + m * step + q), load(im + from + m * step + q))
            store(added(ar, br), outRe + to + q)
            store(added(ai, bi), outIm + to + q)
            let (dr, di) = (subtracted(ar, br), subtracted(ai, bi))
            store(multiplySubtract(di, s, from: dr * c), outRe + to + step + q)
            store(multiplyAdd(di, c, dr * s), outIm + to + step + q)
            q += laneCount
        }
    }
}

@inline(always)
func fourierPass3(
    m: Int, stride: Int, twiddles: UnsafePointer<Float>, re: UnsafePointer<Float>, im: UnsafePointer<Float>,
    outRe: UnsafeMutablePointer<Float>, outIm: UnsafeMutablePointer<Float>
) {
    let step = stride * laneCount
    let half = Lanes(repeating: 0.5)
    let root = Lanes(repeating: 0.866_025_4)
    for p in 0..<m {
        let t = twiddles + 4 * p
        let (c1, s1) = (Lanes(repeating: t[0]), Lanes(repeating: t[1]))
        let (c2, s2) = (Lanes(repeating: t[2]), Lanes(repeating: t[3]))
        let from = p * step
        let to = 3 * p * step
        var q = 0
        while q < step {
            let (ar, ai) = (load(re + from + q), load(im + from + q))
            let (br, bi) = (load(re + from + m * step + q), load(im + from + m * step + q))
            let (cr, ci) = (load(re + from + 2 * m * step + q), load(im + from + 2 * m * step + q))
            let (tr, ti) = (added(br, cr), added(bi, ci))
            store(added(ar, tr), outRe + to + q)
            store(added(ai, ti), outIm + to + q)
            let (mr, mi) = (multiplySubtract(tr, half, from: ar), multiplySubtract(ti, half, from: ai))
            // i times the difference, turned by the sign of the transform.
            let (ur, ui) = (subtracted(bi, ci) * root, subtracted(cr, br) * root)
            let (vr, vi) = (added(mr, ur), added(mi, ui))
            let (wr, wi) = (subtracted(mr, ur), subtracted(mi, ui))
            store(multiplySubtract(vi, s1, from: vr * c1), outRe + to + step + q)
            store(multiplyAdd(vi, c1, vr * s1), outIm + to + step + q)
            store(multiplySubtract(wi, s2, from: wr * c2), outRe + to + 2 * step + q)
            store(multiplyAdd(wi, c2, wr * s2), outIm + to + 2 * step + q)
            q += laneCount
        }
    }
}

@inline(always)
func fourierPass4(
    m: Int, stride: Int, twiddles: UnsafePointer<Float>, re: UnsafePointer<Float>, im: UnsafePointer<Float>,
    outRe: UnsafeMutablePointer<Float>, outIm: UnsafeMutablePointer<Float>
) {
    let step = stride * laneCount
    for p in 0..<m {
        let t = twiddles + 6 * p
        let (c1, s1) = (Lanes(repeating: t[0]), Lanes(repeating: t[1]))
        let (c2, s2) = (Lanes(repeating: t[2]), Lanes(repeating: t[3]))
        let (c3, s3) = (Lanes(repeating: t[4]), Lanes(repeating: t[5]))
        let from = p * step
        let to = 4 * p * step
        var q = 0
        while q < step {
            let (ar, ai) = (load(re + from + q), load(im + from + q))
            let (br, bi) = (load(re + from + m * step + q), load(im + from + m * step + q))
            let (cr, ci) = (load(re + from + 2 * m * step + q), load(im + from + 2 * m * step + q))
            let (dr, di) = (load(re + from + 3 * m * step + q), load(im + from + 3 * m * step + q))
            let (acr, aci) = (added(ar, cr), added(ai, ci))
            let (bdr, bdi) = (added(br, dr), added(bi, di))
            let (er, ei) = (subtracted(ar, cr), subtracted(ai, ci))
            // -i (b - d).
            let (fr, fi) = (subtracted(bi, di), subtracted(dr, br))
            store(added(acr, bdr), outRe + to + q)
            store(added(aci, bdi), outIm + to + q)
            let (ur, ui) = (added(er, fr), added(ei, fi))
            store(multiplySubtract(ui, s1, from: ur * c1), outRe + to + step + q)
            store(multiplyAdd(ui, c1, ur * s1), outIm + to + step + q)
            let (vr, vi) = (subtracted(acr, bdr), subtracted(aci, bdi))
            store(multiplySubtract(vi, s2, from: vr * c2), outRe + to + 2 * step + q)
            store(multiplyAdd(vi, c2, vr * s2), outIm + to + 2 * step + q)
            let (wr, wi) = (subtracted(er, fr), subtracted(ei, fi))
            store(multiplySubtract(wi, s3, from: wr * c3), outRe + to + 3 * step + q)
            store(multiplyAdd(wi, c3, wr * s3), outIm + to + 3 * step + q)
            q += laneCount
        }
    }
}

/// The discrete Fourier transform of ``laneCount`` sequences side by side; with real and imaginary parts exchanged on the
/// way in and out it is the inverse, without the factor.
///
/// - Parameters:
///   - radices: 2, 3 or 4 for each pass; their product is `length`.
///   - twiddles: those of each pass, one pass behind the other.
///   - re, im: [length, lanes]; overwritten.
///   - otherRe, otherIm: as much room again.
/// - Returns: whether the result is in the second pair.
@inline(never)
func fourierTransform(
    length: Int, passes: Int, radices: UnsafePointer<Int32>, twiddles: UnsafePointer<Float>,
    re: UnsafeMutablePointer<Float>, im: UnsafeMutablePointer<Float>, otherRe: UnsafeMutablePointer<Float>,
    otherIm: UnsafeMutablePointer<Float>
) -> Bool {
    var rest = length
    var stride = 1
    var twiddles = twiddles
    var isOther = false
    for pass in 0..<passes {
        let radix = Int(truncatingIfNeeded: radices[pass])
        let m = rest / radix
        let (fromRe, fromIm) = isOther ? (otherRe, otherIm) : (re, im)
        let (toRe, toIm) = isOther ? (re, im) : (otherRe, otherIm)
        switch radix {
        case 4:
            fourierPass4(
                m: m, stride: stride, twiddles: twiddles, re: fromRe, im: fromIm, outRe: toRe, outIm: toIm)
        case 3:
            fourierPass3(
                m: m, stride: stride, twiddles: twiddles, re: fromRe, im: fromIm, outRe: toRe, outIm: toIm)
        default:
            fourierPass2(
                m: m, stride: stride, twiddles: twiddles, re: fromRe, im: fromIm, outRe: toRe, outIm: toIm)
        }
        twiddles += 2 * (radix - 1) * m
        stride *= radix
        rest = m
        isOther.toggle()
    }
    return isOther
}
