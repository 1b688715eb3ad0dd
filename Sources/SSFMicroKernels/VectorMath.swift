import CIntrinsics

// Exponential, error function and the distribution function of the normal distribution, for one vector. The polynomials
// are minimax fits (Lawson's iteratively reweighted least squares, coefficients rounded one after the other), made for
// these kernels; the largest errors stand at each function and are measured over the range by the tests.

/// The parts of an exponential: `2^exponent * (1 + fraction)`, |fraction| <= 0.42.
struct ExponentialParts {
    let fraction: Lanes
    let exponent: Lanes

    /// The parts of exp(x).
    ///
    /// - Parameter x: within -125 ... 100; a NaN stays one.
    @inline(always)
    init(_ x: Lanes) {
        // Adding 1.5 * 2^23 rounds to a whole number and leaves it in the low bits.
        let magic = Lanes(repeating: 12_582_912)
        let n = multiplyAdd(x, Lanes(repeating: 1.442_695_04), magic) - magic
        // ln 2 in two parts: the first has 15 significant bits, so that its product with n is exact.
        var r = multiplyAdd(n, Lanes(repeating: -0.693_145_751_953_125), x)
        r = multiplyAdd(n, Lanes(repeating: -1.428_606_8e-6), r)
        // exp(r) - 1 = r + r^2 q(r); the error of the fit is 3.1e-9 of exp(r).
        var q = Lanes(repeating: 0.001_381_453_8)
        q = multiplyAdd(q, r, Lanes(repeating: 0.008_368_745_4))
        q = multiplyAdd(q, r, Lanes(repeating: 0.041_668_389))
        q = multiplyAdd(q, r, Lanes(repeating: 0.166_665_21))
        q = multiplyAdd(q, r, Lanes(repeating: 0.499_999_94))
        fraction = multiplyAdd(q, r * r, r)
        exponent = n
    }

    /// The parts of exp(-(square - minusRest) / 2), for `square` within 0 ... 250 and a small rest: the same steps on twice
    /// the negative argument, so that nothing need be halved.
    @inline(always)
    init(square: Lanes, minusRest: Lanes) {
        let magic = Lanes(repeating: 12_582_912)
        let n = multiplyAdd(square, Lanes(repeating: -0.721_347_52), magic) - magic
        var r = multiplyAdd(n, Lanes(repeating: 1.386_291_503_906_25), square)
        r = multiplyAdd(n, Lanes(repeating: 2.857_213_5e-6), r) - minusRest
        var q = Lanes(repeating: 0.001_381_453_8 / 64)
        q = multiplyAdd(q, r, Lanes(repeating: -0.008_368_745_4 / 32))
        q = multiplyAdd(q, r, Lanes(repeating: 0.041_668_389 / 16))
        q = multiplyAdd(q, r, Lanes(repeating: -0.166_665_21 / 8))
        q = multiplyAdd(q, r, Lanes(repeating: 0.499_999_94 / 4))
        fraction = multiplyAdd(q, r, Lanes(repeating: -0.5)) * r
        exponent = n
    }

    /// The exponential times `factor`, rounded once more where the result is denormal.
    @inline(always)
    func times(_ factor: Lanes) -> Lanes {
        scaled(multiplyAdd(factor, fraction, factor), byPowerOfTwo: exponent)
    }
}

/// `x * 2^n` for whole n within -252 ... 252.
@inline(always)
func scaled(_ x: Lanes, byPowerOfTwo n: Lanes) -> Lanes {
    #if SSF_AVX512
        return ssf_scale_by_power_of_two16(x, n)
    #else
        // In two steps, because 2^n alone can be out of range where the product is not.
        let magic = Lanes(repeating: 12_582_912)
        let whole = unsafeBitCast(n + magic, to: LaneInts.self) &- unsafeBitCast(magic, to: LaneInts.self)
        let half = whole &>> 1
        let rest = whole &- half
        let bias = LaneInts(repeating: 127)
        return x * unsafeBitCast((half &+ bias) &<< 23, to: Lanes.self)
            * unsafeBitCast((rest &+ bias) &<< 23, to: Lanes.self)
    #endif
}

/// exp(x), error at most 1 ulp with fused multiply-add and 2 ulp without, over all of single precision: 0 below the
/// denormal numbers, infinity above the range, NaN for NaN.
@inline(always)
func exponential(_ x: Lanes) -> Lanes {
    let low = Lanes(repeating: -104)
    let high = Lanes(repeating: 89)
    return ExponentialParts(minimum(maximum(x, low), high)).times(Lanes(repeating: 1))
}

/// exp(x) for x <= 0 (or NaN): one comparison less than ``exponential(_:)``.
@inline(always)
func exponentialOfNegative(_ x: Lanes) -> Lanes {
    let low = Lanes(repeating: -104)
    return ExponentialParts(maximum(x, low)).times(Lanes(repeating: 1))
}

/// The upper tail of the normal distribution: `1 - Phi(a) = exp(-a^2 / 2) * mills(a)`, for 0 <= a <= 15.
///
/// The factor `mills(a) = erfcx(a / sqrt(2)) / 2` is smooth and falls slowly, from 1/2 to 0.027; with t = 1 / (a + 2.25)
/// it is t times a polynomial of degree 10 (relative error of the fit 1.6e-8). Only the exponential needs care: the
/// rounding error of a^2 would grow to 50 ulp of the result, so that a^2 is taken in two parts.
struct NormalTail {
    let gaussian: ExponentialParts
    let mills: Lanes

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
        gaussian = ExponentialParts(square: square, minusRest: minusRest)

        let t = reciprocal(a + Lanes(repeating: 2.25))
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
        let p = multiplyAdd(odd, v, even)
        mills = p * t
    }

    /// `1 - Phi(a)`.
    @inline(always)
    var probability: Lanes { gaussian.times(mills) }
}

/// The bound of the argument behind which 1 - Phi is 0 in single precision.
@inline(always)
func normalBound() -> Lanes { Lanes(repeating: 15) }

/// erf(x), error at most 2 ulp with fused multiply-add and 3 ulp without, over all of single precision.
///
/// Below 0.9 in magnitude x + x p(x^2), error of the fit 0.005 ulp; above, 1 - 2 (1 - Phi(sqrt(2) |x|)).
@inline(always)
func errorFunction(_ x: Lanes) -> Lanes {
    let square = x * x
    var p = Lanes(repeating: 8.513_063_9e-5)
    p = multiplyAdd(p, square, Lanes(repeating: -0.000_817_562_92))
    p = multiplyAdd(p, square, Lanes(repeating: 0.005_203_858))
    p = multiplyAdd(p, square, Lanes(repeating: -0.026_860_507))
    p = multiplyAdd(p, square, Lanes(repeating: 0.112_837_15))
    p = multiplyAdd(p, square, Lanes(repeating: -0.376_126_35))
    p = multiplyAdd(p, square, Lanes(repeating: 0.128_379_166))
    let small = multiplyAdd(p, x, x)

    let a = minimum(magnitude(x) * Lanes(repeating: 1.414_213_56), normalBound())
    let large = multiplyAdd(NormalTail(a).probability, Lanes(repeating: -2), Lanes(repeating: 1))
    let signed = select(negative: x, -large, large)
    return select(negative: magnitude(x) - Lanes(repeating: 0.9), small, signed)
}

/// log(x) of positive normal numbers, within 1e-7 of the exact value or 2 ulp, whichever is more.
///
/// x = 2^n m with m within sqrt(1/2) ... sqrt(2), and log(m) = 2 artanh(s) for s = (m - 1) / (m + 1), |s| <= 0.172; four
/// terms of its series leave 1e-8.
@inline(always)
func logarithm(_ x: Lanes) -> Lanes {
    let bits = unsafeBitCast(x, to: LaneInts.self)
    // Moves the border between two exponents from 1 to sqrt(1/2).
    let offset = LaneInts(repeating: 0x3f80_0000 - 0x3f35_04f3)
    let shifted = bits &+ offset
    let exponentBits = shifted & LaneInts(repeating: 0x7f80_0000)
    let m = unsafeBitCast(bits &- exponentBits &+ LaneInts(repeating: 0x3f80_0000), to: Lanes.self)
    // An exponent in the upper bits as a float: 2^23 + n has n in its lowest bits.
    let magic = LaneInts(repeating: 0x4b00_0000)
    let n = unsafeBitCast((exponentBits &>> 23) | magic, to: Lanes.self) - Lanes(repeating: 8_388_608 + 127)
    let s = (m - Lanes(repeating: 1)) / (m + Lanes(repeating: 1))
    let z = s * s
    var p = Lanes(repeating: 2.0 / 9)
    p = multiplyAdd(p, z, Lanes(repeating: 2.0 / 7))
    p = multiplyAdd(p, z, Lanes(repeating: 2.0 / 5))
    p = multiplyAdd(p, z, Lanes(repeating: 2.0 / 3))
    p = multiplyAdd(p * z, s, s + s)
    return multiplyAdd(n, Lanes(repeating: 0.693_147_18), p)
}

/// log(x) of one positive normal number, correctly rounded in nearly all cases: the series of the inverse hyperbolic
/// tangent in double precision.
@inline(always)
func logarithm(_ x: Float) -> Float {
    if !(x > 0) { return x == 0 ? -.infinity : .nan }
    if x == .infinity { return x }
    let bits = Double(x).bitPattern
    var exponent = Int(truncatingIfNeeded: bits >> 52) &- 1023
    var mantissa = Double(bitPattern: bits & 0x000f_ffff_ffff_ffff | 0x3ff0_0000_0000_0000)
    if mantissa > 1.414_213_562_373_095 {
        mantissa *= 0.5
        exponent &+= 1
    }
    let s = (mantissa - 1) / (mantissa + 1)
    let z = s * s
    var p = 1.0 / 13
    p = p * z + 1.0 / 11
    p = p * z + 1.0 / 9
    p = p * z + 1.0 / 7
    p = p * z + 1.0 / 5
    p = p * z + 1.0 / 3
    p = p * z + 1
    return Float(Double(exponent) * 0.693_147_180_559_945_31 + 2 * s * p)
}
