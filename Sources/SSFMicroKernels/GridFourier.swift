import CIntrinsics

// The convolution of a real square grid by Fourier transforms, in three parts: along the columns into the spectrum, along
// its rows there and back with the product in between, and along the columns back. Only half of a real grid's spectrum is
// formed. The spectrum lies in groups of `laneCount` frequencies: [group][column][real, imaginary][lane].

extension ssf_grid_plan {
    /// Groups of frequencies that half a spectrum has.
    @inline(always)
    var groups: Int { (length / 2 + laneCount) / laneCount }

    @inline(always)
    func transform(
        _ re: UnsafeMutablePointer<Float>, _ im: UnsafeMutablePointer<Float>, _ otherRe: UnsafeMutablePointer<Float>,
        _ otherIm: UnsafeMutablePointer<Float>
    ) -> Bool {
        fourierTransform(
            length: length, passes: passes, radices: radices, twiddles: twiddles, re: re, im: im, otherRe: otherRe,
            otherIm: otherIm)
    }
}

@inline(always)
func zero(_ address: UnsafeMutablePointer<Float>, from first: Int, to end: Int) {
    var i = first
    while i < end {
        store(Lanes.zero, address + i)
        i += laneCount
    }
}

/// Columns `tile * 2 * laneCount ...` of the grid into the spectrum: the first half of them as real parts, the second
/// half as imaginary parts of one transform, told apart by the symmetry of a real sequence's spectrum.
///
/// - Parameters:
///   - grid: [size rows, gridStride], zeros in columns from `size` on.
///   - scratch: [4, length, laneCount].
public func gridForward(
    plan: UnsafePointer<ssf_grid_plan>, tile: Int, grid: UnsafePointer<Float>, gridStride: Int,
    spectrum: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
) {
    let length = plan.pointee.length
    let size = plan.pointee.size
    let columns = plan.pointee.columns
    let plane = length * laneCount
    let (re, im) = (scratch, scratch + plane)
    let (otherRe, otherIm) = (scratch + 2 * plane, scratch + 3 * plane)
    let first = tile * 2 * laneCount
    for row in 0..<size {
        let from = grid + row * gridStride + first
        store(load(from), re + row * laneCount)
        store(load(from + laneCount), im + row * laneCount)
    }
    zero(re, from: size * laneCount, to: plane)
    zero(im, from: size * laneCount, to: plane)
    let isOther = plan.pointee.transform(re, im, otherRe, otherIm)
    let (zRe, zIm) = isOther ? (otherRe, otherIm) : (re, im)
    let half = Lanes(repeating: 0.5)
    for group in 0..<plan.pointee.groups {
        let target = spectrum + (group * columns + first) * 2 * laneCount
        // a = (z[k] + conj z[-k]) / 2, b = (z[k] - conj z[-k]) / 2i; frequencies beyond half the length stay zero.
        for second in 0..<2 {
            var (blockRe, blockIm) = (zeroBlock(), zeroBlock())
            for lane in 0..<laneCount where group * laneCount + lane <= length / 2 {
                let k = (group * laneCount + lane) * laneCount
                let mirrored = k == 0 ? 0 : plane - k
                let (pr, pi) = (load(zRe + k), load(zIm + k))
                let (nr, ni) = (load(zRe + mirrored), load(zIm + mirrored))
                if second == 0 {
                    blockRe[lane] = added(pr, nr) * half
                    blockIm[lane] = subtracted(pi, ni) * half
                } else {
                    blockRe[lane] = added(pi, ni) * half
                    blockIm[lane] = subtracted(nr, pr) * half
                }
            }
            blockRe = transposed(blockRe)
            blockIm = transposed(blockIm)
            for column in 0..<laneCount {
                let to = target + (second * laneCount + column) * 2 * laneCount
                store(blockRe[column], to)
                store(blockIm[column], to + laneCount)
            }
        }
    }
}

/// A group of frequencies of the spectrum: along its rows into the other direction's frequencies, times the spectrum of
/// a real symmetric kernel, and back.
///
/// - Parameters:
///   - kernel: [groups][length][laneCount], real.
public func gridConvolve(
    plan: UnsafePointer<ssf_grid_plan>, group: Int, kernel: UnsafePointer<Float>,
    spectrum: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
) {
    let plane = plan.pointee.length * laneCount
    let size = plan.pointee.size
    let rows = spectrum + group * plan.pointee.columns * 2 * laneCount
    let (re, im) = (scratch, scratch + plane)
    let (otherRe, otherIm) = (scratch + 2 * plane, scratch + 3 * plane)
    for column in 0..<size {
        store(load(rows + column * 2 * laneCount), re + column * laneCount)
        store(load(rows + column * 2 * laneCount + laneCount), im + column * laneCount)
    }
    zero(re, from: size * laneCount, to: plane)
    zero(im, from: size * laneCount, to: plane)
    var isOther = plan.pointee.transform(re, im, otherRe, otherIm)
    var (fromRe, fromIm) = isOther ? (otherRe, otherIm) : (re, im)
    let (restRe, restIm) = isOther ? (re, im) : (otherRe, otherIm)
    let factors = kernel + group * plane
    var i = 0
    while i < plane {
        let factor = load(factors + i)
        store(load(fromRe + i) * factor, fromRe + i)
        store(load(fromIm + i) * factor, fromIm + i)
        i += laneCount
    }
    // With the parts exchanged it is the inverse.
    isOther = plan.pointee.transform(fromIm, fromRe, restIm, restRe)
    if isOther { (fromRe, fromIm) = (restRe, restIm) }
    for column in 0..<size {
        store(load(fromRe + column * laneCount), rows + column * 2 * laneCount)
        store(load(fromIm + column * laneCount), rows + column * 2 * laneCount + laneCount)
    }
}

/// A group of frequencies of the spectrum of a kernel that is real and symmetric in both directions: along its rows, and
/// the real parts times `rowFactors[k] * columnFactors[column]`, as `gridConvolve` wants them.
///
/// - Parameters:
///   - rowFactors: [groups * laneCount], columnFactors: [length].
public func gridKernel(
    plan: UnsafePointer<ssf_grid_plan>, group: Int, spectrum: UnsafePointer<Float>,
    rowFactors: UnsafePointer<Float>, columnFactors: UnsafePointer<Float>, kernel: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>
) {
    let length = plan.pointee.length
    let plane = length * laneCount
    let rows = spectrum + group * plan.pointee.columns * 2 * laneCount
    let (re, im) = (scratch, scratch + plane)
    let (otherRe, otherIm) = (scratch + 2 * plane, scratch + 3 * plane)
    for column in 0..<length {
        store(load(rows + column * 2 * laneCount), re + column * laneCount)
        store(load(rows + column * 2 * laneCount + laneCount), im + column * laneCount)
    }
    let isOther = plan.pointee.transform(re, im, otherRe, otherIm)
    let fromRe = isOther ? otherRe : re
    let factor = load(rowFactors + group * laneCount)
    let target = kernel + group * plane
    for column in 0..<length {
        store(
            load(fromRe + column * laneCount) * factor * Lanes(repeating: columnFactors[column]),
            target + column * laneCount)
    }
}

/// Columns `tile * 2 * laneCount ...` back from the spectrum: the inverse of `gridForward`, without the factor.
///
/// - Parameters:
///   - grid: [size rows, gridStride]; receives whole vectors.
public func gridBackward(
    plan: UnsafePointer<ssf_grid_plan>, tile: Int, spectrum: UnsafePointer<Float>,
    grid: UnsafeMutablePointer<Float>, gridStride: Int, scratch: UnsafeMutablePointer<Float>
) {
    let length = plan.pointee.length
    let size = plan.pointee.size
    let columns = plan.pointee.columns
    let plane = length * laneCount
    let (re, im) = (scratch, scratch + plane)
    let (otherRe, otherIm) = (scratch + 2 * plane, scratch + 3 * plane)
    let first = tile * 2 * laneCount
    for group in 0..<plan.pointee.groups {
        let source = spectrum + (group * columns + first) * 2 * laneCount
        var (aRe, aIm, bRe, bIm) = (zeroBlock(), zeroBlock(), zeroBlock(), zeroBlock())
        for column in 0..<laneCount {
            let a = source + column * 2 * laneCount
            let b = a + laneCount * 2 * laneCount
            aRe[column] = load(a)
            aIm[column] = load(a + laneCount)
            bRe[column] = load(b)
            bIm[column] = load(b + laneCount)
        }
        aRe = transposed(aRe)
        aIm = transposed(aIm)
        bRe = transposed(bRe)
        bIm = transposed(bIm)
        // z[k] = a + i b and z[-k] = conj a + i conj b.
        for lane in 0..<laneCount where group * laneCount + lane <= length / 2 {
            let k = (group * laneCount + lane) * laneCount
            store(subtracted(aRe[lane], bIm[lane]), re + k)
            store(added(aIm[lane], bRe[lane]), im + k)
            if k != 0 && 2 * k != plane {
                store(added(aRe[lane], bIm[lane]), re + plane - k)
                store(subtracted(bRe[lane], aIm[lane]), im + plane - k)
            }
        }
    }
    let isOther = plan.pointee.transform(im, re, otherIm, otherRe)
    let (fromRe, fromIm) = isOther ? (otherRe, otherIm) : (re, im)
    for row in 0..<size {
        let to = grid + row * gridStride + first
        store(load(fromRe + row * laneCount), to)
        store(load(fromIm + row * laneCount), to + laneCount)
    }
}
