import CIntrinsics

// Exponential and logarithm of one vector. The polynomials are minimax fits (Lawson's iteratively reweighted least
// squares, coefficients rounded one after the other), made for these kernels; the largest errors stand at each function
// and are measured over the range by the tests.

/// The parts of an exponential: `2^exponent * (1 + fraction)`, |fraction| <= 0.42.
struct ExponentialParts {
    let fraction: Lanes
    let exponent: Lanes

    /// The parts of exp(x + rest).
    ///
    /// - Parameters:
    ///   - x: within -125 ... 100; a NaN stays one.
    ///   - rest: what x lacks in precision, if anything.
    @inline(always)
    init(_ x: Lanes, rest: Lanes? = nil) {
        // Adding 1.5 * 2^23 rounds to a whole number and leaves it in the low bits.
        let magic = Lanes(repeating: 12_582_912)
        let n = multiplyAdd(x, Lanes(repeating: 1.442_695_04), magic) - magic
        // ln 2 in two parts: the first has 15 significant bits, so that its product with n is exact.
        var r = multiplyAdd(n, Lanes(repeating: -0.693_145_751_953_125), x)
        r = multiplyAdd(n, Lanes(repeating: -1.428_606_8e-6), r)
        if let rest { r += rest }
        // exp(r) - 1 = r + r^2 q(r); the error of the fit is 3.1e-9 of exp(r).
        var q = Lanes(repeating: 0.001_381_453_8)
        q = multiplyAdd(q, r, Lanes(repeating: 0.008_368_745_4))
        q = multiplyAdd(q, r, Lanes(repeating: 0.041_668_389))
        q = multiplyAdd(q, r, Lanes(repeating: 0.166_665_21))
        q = multiplyAdd(q, r, Lanes(repeating: 0.499_999_94))
        fraction = multiplyAdd(q, r * r, r)
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
