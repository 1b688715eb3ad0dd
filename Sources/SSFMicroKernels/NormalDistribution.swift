import CIntrinsics

// The normal distribution and the error function for one vector. With Phi the distribution function and a >= 0,
//
//     1 - Phi(a) = exp(-a^2 / 2) mills(a),    mills(a) = erfcx(a / sqrt(2)) / 2,
//
// where the second factor falls slowly, from 1/2 to 0.027, so that it needs no care. What the functions return is 2^64
// times the tail, which is never denormal: the caller multiplies by 2^-64 where it adds, and rounds once.

/// 2^-64, which takes the scale out of a tail.
@inline(always)
var tailUnit: Lanes {
    Lanes(repeating: 0x1p-64)
}

/// |x|, cut where every tail is zero in single precision, so that an infinity meets no zero; a NaN stays.
@inline(always)
func boundedMagnitude(_ x: Lanes) -> Lanes {
    minimum(magnitude(x), Lanes(repeating: 14.75))
}

/// `x * 2^n` for the n that stands in the low bits of `shifted`; neither x nor the result may be denormal, and where x is 0
/// so is n. NaN may become any number: the caller sees to it.
@inline(always)
func addingExponent(_ shifted: Lanes, to x: Lanes) -> Lanes {
    let exponent = unsafeBitCast(shifted, to: LaneInts.self) &<< 23
    return unsafeBitCast(unsafeBitCast(x, to: LaneInts.self) &+ exponent, to: Lanes.self)
}

/// exp(-a^2 / 2) for 0 <= a <= 15, as `(1 + fraction) * 2^n`, |fraction| <= 0.42.
struct Gaussian {
    let fraction: Lanes
    /// n in its low bits.
    let shifted: Lanes

    /// The rounding error of a^2 would grow to 50 ulp of the result, hence a^2 is taken in two parts. All steps are on
    /// twice the negative argument, so that nothing need be halved.
    @inline(always)
    init(_ a: Lanes) {
        #if SSF_AVX512 || SSF_AVX2 || arch(arm64)
            let square = a * a
            let minusRest = multiplySubtract(a, a, from: square)
        #else
            // Without a fused operation: the square of the upper 12 bits is exact.
            let upper = unsafeBitCast(
                unsafeBitCast(a, to: LaneBits.self) & LaneBits(repeating: 0xffff_f000), to: Lanes.self)
            let square = upper * upper
            let minusRest = (upper - a) * (a + upper)
        #endif
        // Adding 1.5 * 2^23 rounds to a whole number and leaves it in the low bits.
        let magic = Lanes(repeating: 12_582_912)
        shifted = multiplyAdd(square, Lanes(repeating: -0.721_347_52), magic)
        let n = shifted - magic
        // 2 ln 2 in two parts: the first has 15 significant bits, so that its product with n is exact.
        var r = multiplyAdd(n, Lanes(repeating: 1.386_291_503_906_25), square)
        r = multiplyAdd(n, Lanes(repeating: 2.857_213_5e-6), r) - minusRest
        // exp(-r / 2) - 1 = r (r q(r) - 1/2); the error of the fit is 3.1e-9.
        var q = Lanes(repeating: 0.001_381_453_8 / 64)
        q = multiplyAdd(q, r, Lanes(repeating: -0.008_368_745_4 / 32))
        q = multiplyAdd(q, r, Lanes(repeating: 0.041_668_389 / 16))
        q = multiplyAdd(q, r, Lanes(repeating: -0.166_665_21 / 8))
        q = multiplyAdd(q, r, Lanes(repeating: 0.499_999_94 / 4))
        fraction = multiplyAdd(q, r, Lanes(repeating: -0.5)) * r
    }

    /// The product with `factor`, under the conditions of ``addingExponent(_:to:)``.
    @inline(always)
    func times(_ factor: Lanes) -> Lanes {
        addingExponent(shifted, to: multiplyAdd(factor, fraction, factor))
    }
}

// MARK: - Tails

/// `2^64 a (1 - Phi(a))` for 0 <= a <= 14.75, within 2.4 ulp with fused multiply-add.
@inline(always)
func scaledTailTimesArgument(_ a: Lanes) -> Lanes {
    #if SSF_AVX512 || SSF_AVX2
        let piece = normalPieces(a)
        let u = a - lookUp(TailTable.center, piece)
        #if SSF_AVX512
            var p = lookUp(TailTable.c5, piece)
        #else
            var p = lookUp(TailTable.c7, piece)
            p = multiplyAdd(p, u, lookUp(TailTable.c6, piece))
            p = multiplyAdd(p, u, lookUp(TailTable.c5, piece))
        #endif
        p = multiplyAdd(p, u, lookUp(TailTable.c4, piece))
        p = multiplyAdd(p, u, lookUp(TailTable.c3, piece))
        p = multiplyAdd(p, u, lookUp(TailTable.c2, piece))
        p = multiplyAdd(p, u, lookUp(TailTable.c1, piece))
        p = multiplyAdd(p, u, lookUp(TailTable.c0, piece))
        return Gaussian(a).times(p)
    #else
        return Gaussian(a).times(scaledMills(a) * a)
    #endif
}

/// `2^64 (1 - Phi(a) - a phi(a))` for 0 <= a <= 14.75, phi the density: within 3.1 ulp with tables, also near the zero at
/// 0.75179, else within 6e-8.
@inline(always)
func scaledSlope(_ a: Lanes) -> Lanes {
    #if SSF_AVX512 || SSF_AVX2
        let piece = normalPieces(a)
        let u = a - lookUp(SlopeTable.center, piece)
        #if SSF_AVX512
            var p = lookUp(SlopeTable.c5, piece)
        #else
            var p = lookUp(SlopeTable.c7, piece)
            p = multiplyAdd(p, u, lookUp(SlopeTable.c6, piece))
            p = multiplyAdd(p, u, lookUp(SlopeTable.c5, piece))
        #endif
        p = multiplyAdd(p, u, lookUp(SlopeTable.c4, piece))
        p = multiplyAdd(p, u, lookUp(SlopeTable.c3, piece))
        p = multiplyAdd(p, u, lookUp(SlopeTable.c2, piece))
        p = multiplyAdd(p, u, lookUp(SlopeTable.c1, piece))
        p = multiplyAdd(p, u, lookUp(SlopeTable.c0, piece))
        return Gaussian(a).times(p)
    #else
        // The density is the Gaussian times 1 / sqrt(2 pi).
        return Gaussian(a).times(multiplySubtract(a, Lanes(repeating: 0.398_942_28 * 0x1p64), from: scaledMills(a)))
    #endif
}

#if !SSF_AVX512 && !SSF_AVX2
    /// `2^64 mills(a)`: with t = 1 / (a + 2.25) it is t times a polynomial of degree 10 (relative error of the fit
    /// 1.6e-8).
    @inline(always)
    func scaledMills(_ a: Lanes) -> Lanes {
        let t = Lanes(repeating: 1) / (a + Lanes(repeating: 2.25))
        let v = multiplyAdd(t, Lanes(repeating: 2.25), Lanes(repeating: -0.566_765_6))
        // Even and odd powers apart: half the length of the chain of dependent operations.
        let w = v * v
        var even = Lanes(repeating: -0.111_422_852)
        even = multiplyAdd(even, w, Lanes(repeating: 0.113_202_006))
        even = multiplyAdd(even, w, Lanes(repeating: -0.020_225_396))
        even = multiplyAdd(even, w, Lanes(repeating: -0.106_867_507))
        even = multiplyAdd(even, w, Lanes(repeating: 0.271_952_36))
        even = multiplyAdd(even, w, Lanes(repeating: 0.744_387_09))
        var odd = Lanes(repeating: 0.044_121_508)
        odd = multiplyAdd(odd, w, Lanes(repeating: -0.128_880_71))
        odd = multiplyAdd(odd, w, Lanes(repeating: 0.186_563_03))
        odd = multiplyAdd(odd, w, Lanes(repeating: -0.259_595_185))
        odd = multiplyAdd(odd, w, Lanes(repeating: 0.812_402_19))
        return multiplyAdd(odd, v, even) * (t * Lanes(repeating: 0x1p64))
    }
#endif

// MARK: - Error function

/// erf(x), error at most 2.3 ulp (3 without fused multiply-add) over all of single precision.
///
/// With tables: |x| is rounded to a multiple of the width of a piece, which is at once the piece and its centre. Without:
/// below 0.9 in magnitude x + x p(x^2), error of the fit 0.005 ulp; above, 1 - 2 (1 - Phi(sqrt(2) |x|)).
@inline(always)
func errorFunction(_ x: Lanes) -> Lanes {
    #if SSF_AVX512 || SSF_AVX2
        // At the bound, as behind it, the nearest number is 1.
        let magic = Lanes(repeating: 12_582_912)
        #if SSF_AVX512
            let a = minimum(magnitude(x), Lanes(repeating: 4.115))
            let shifted = multiplyAdd(a, Lanes(repeating: 64.0 / 17), magic)
            let u = multiplySubtract(shifted - magic, Lanes(repeating: 17.0 / 64), from: a)
        #else
            let a = minimum(magnitude(x), Lanes(repeating: 3.98))
            let shifted = multiplyAdd(a, Lanes(repeating: 32.0 / 17), magic)
            let u = multiplySubtract(shifted - magic, Lanes(repeating: 17.0 / 32), from: a)
        #endif
        let piece = unsafeBitCast(shifted, to: LaneInts.self)
        #if SSF_AVX512
            var p = lookUp(ErrorFunctionTable.c5, piece)
        #else
            var p = lookUp(ErrorFunctionTable.c7, piece)
            p = multiplyAdd(p, u, lookUp(ErrorFunctionTable.c6, piece))
            p = multiplyAdd(p, u, lookUp(ErrorFunctionTable.c5, piece))
        #endif
        p = multiplyAdd(p, u, lookUp(ErrorFunctionTable.c4, piece))
        p = multiplyAdd(p, u, lookUp(ErrorFunctionTable.c3, piece))
        p = multiplyAdd(p, u, lookUp(ErrorFunctionTable.c2, piece))
        p = multiplyAdd(p, u, lookUp(ErrorFunctionTable.c1, piece))
        p = multiplyAdd(p, u, lookUp(ErrorFunctionTable.c0, piece))
        // The sign of x, also of a zero.
        let sign = unsafeBitCast(x, to: LaneBits.self) & LaneBits(repeating: 0x8000_0000)
        return unsafeBitCast(unsafeBitCast(p, to: LaneBits.self) | sign, to: Lanes.self)
    #else
        let square = x * x
        var p = Lanes(repeating: 8.513_063_9e-5)
        p = multiplyAdd(p, square, Lanes(repeating: -0.000_817_562_92))
        p = multiplyAdd(p, square, Lanes(repeating: 0.005_203_858))
        p = multiplyAdd(p, square, Lanes(repeating: -0.026_860_507))
        p = multiplyAdd(p, square, Lanes(repeating: 0.112_837_15))
        p = multiplyAdd(p, square, Lanes(repeating: -0.376_126_35))
        p = multiplyAdd(p, square, Lanes(repeating: 0.128_379_166))
        let small = multiplyAdd(p, x, x)

        let a = boundedMagnitude(x * Lanes(repeating: 1.414_213_56))
        let tail = Gaussian(a).times(scaledMills(a))
        let large = multiplySubtract(tail, Lanes(repeating: 0x1p-63), from: Lanes(repeating: 1))
        let signed = select(negative: x, -large, large)
        // For a NaN the comparison is false: the small form keeps it, the tail may have lost it.
        return select(negative: Lanes(repeating: 0.9) - magnitude(x), signed, small)
    #endif
}
