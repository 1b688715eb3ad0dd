import CIntrinsics

// The vector of the instruction set that this module is compiled for, and the few operations on it that the kernels are
// written in. Everything here is inlined into its callers: a vector must never cross a call.

#if SSF_AVX512
    typealias Lanes = SIMD16<Float>
    typealias LaneBits = SIMD16<UInt32>
    typealias LaneInts = SIMD16<Int32>
#elseif SSF_AVX2
    typealias Lanes = SIMD8<Float>
    typealias LaneBits = SIMD8<UInt32>
    typealias LaneInts = SIMD8<Int32>
#else
    typealias Lanes = SIMD4<Float>
    typealias LaneBits = SIMD4<UInt32>
    typealias LaneInts = SIMD4<Int32>
#endif

/// Floats in one vector.
var laneCount: Int {
    @inline(always) get {
        #if SSF_AVX512
            16
        #elseif SSF_AVX2
            8
        #else
            4
        #endif
    }
}

/// `count` rounded up to whole vectors.
@inline(always)
func roundedUpToLanes(_ count: Int) -> Int {
    (count + laneCount - 1) & ~(laneCount - 1)
}

// MARK: - Memory

@inline(always)
func load(_ address: UnsafePointer<Float>) -> Lanes {
    UnsafeRawPointer(address).loadUnaligned(as: Lanes.self)
}

@inline(always)
func store(_ x: Lanes, _ address: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(address).storeBytes(of: x, as: Lanes.self)
}

/// The first `count` lanes from memory (at least one, fewer than all), the others zero; touches nothing behind them.
@inline(always)
func load(_ address: UnsafePointer<Float>, first count: Int) -> Lanes {
    #if SSF_AVX512
        ssf_load_first16(address, Int32(truncatingIfNeeded: count))
    #elseif SSF_AVX2
        ssf_load_first8(address, Int32(truncatingIfNeeded: count))
    #else
        Lanes(address[0], count > 1 ? address[1] : 0, count > 2 ? address[2] : 0, 0)
    #endif
}

/// Stores the first `count` lanes (at least one, fewer than all); touches nothing behind them.
@inline(always)
func store(_ x: Lanes, _ address: UnsafeMutablePointer<Float>, first count: Int) {
    #if SSF_AVX512
        ssf_store_first16(address, Int32(truncatingIfNeeded: count), x)
    #elseif SSF_AVX2
        ssf_store_first8(address, Int32(truncatingIfNeeded: count), x)
    #else
        address[0] = x[0]
        if count > 1 { address[1] = x[1] }
        if count > 2 { address[2] = x[2] }
    #endif
}

/// Stores a whole vector past the caches, for an address that is a multiple of its size; ``finishStreaming()`` comes last.
@inline(always)
func stream(_ x: Lanes, _ address: UnsafeMutablePointer<Float>) {
    #if SSF_AVX512
        ssf_stream16(address, x)
    #elseif SSF_AVX2
        ssf_stream8(address, x)
    #else
        ssf_stream4(address, x)
    #endif
}

/// Makes what was streamed visible to the other threads.
@inline(always)
func finishStreaming() {
    ssf_finish_streaming()
}

// A kernel writes the body of its loop once, over `part` lanes: 0 stands for a whole vector, and as the constant 0 it
// leaves no trace in the loop; the last call has the number of lanes that remain.

@inline(always)
func load(_ address: UnsafePointer<Float>, part: Int) -> Lanes {
    part == 0 ? load(address) : load(address, first: part)
}

@inline(always)
func load(_ address: UnsafeMutablePointer<Float>, part: Int) -> Lanes {
    load(UnsafePointer(address), part: part)
}

@inline(always)
func store(_ x: Lanes, _ address: UnsafeMutablePointer<Float>, part: Int) {
    if part == 0 { store(x, address) } else { store(x, address, first: part) }
}

/// The same with whole vectors past the caches where `streaming`, a condition that stays the same in a loop.
@inline(always)
func store(_ x: Lanes, _ address: UnsafeMutablePointer<Float>, part: Int, streaming: Bool) {
    if part != 0 { store(x, address, first: part) } else if streaming { stream(x, address) } else { store(x, address) }
}

// MARK: - Arithmetic

/// `a * b + c`: one rounding where the instruction set has a fused operation, two where it has not (there
/// `addingProduct` would be a library call per lane).
@inline(always)
func multiplyAdd(_ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes {
    #if SSF_AVX512
        ssf_multiply_add16(a, b, c)
    #elseif SSF_AVX2
        ssf_multiply_add8(a, b, c)
    #else
        ssf_multiply_add4(a, b, c)
    #endif
}

/// `c - a * b`, rounded as ``multiplyAdd(_:_:_:)``.
@inline(always)
func multiplySubtract(_ a: Lanes, _ b: Lanes, from c: Lanes) -> Lanes {
    #if SSF_AVX512
        ssf_multiply_subtract16(a, b, c)
    #elseif SSF_AVX2
        ssf_multiply_subtract8(a, b, c)
    #else
        ssf_multiply_subtract4(a, b, c)
    #endif
}

/// `a + b`, for places where the operator, which goes lane by lane, is not put together again by the optimiser: where the
/// same numbers are stored as well, it has been seen to take the vectors apart.
@inline(always)
func added(_ a: Lanes, _ b: Lanes) -> Lanes {
    #if SSF_AVX512
        ssf_add16(a, b)
    #elseif SSF_AVX2
        ssf_add8(a, b)
    #else
        ssf_add4(a, b)
    #endif
}

/// `a - b`, likewise.
@inline(always)
func subtracted(_ a: Lanes, _ b: Lanes) -> Lanes {
    #if SSF_AVX512
        ssf_subtract16(a, b)
    #elseif SSF_AVX2
        ssf_subtract8(a, b)
    #else
        ssf_subtract4(a, b)
    #endif
}

/// The greater of two numbers; a NaN in `b` is passed over.
@inline(always)
func maximum(_ a: Lanes, _ b: Lanes) -> Lanes {
    #if SSF_AVX512
        ssf_maximum16(a, b)
    #elseif SSF_AVX2
        ssf_maximum8(a, b)
    #else
        ssf_maximum4(a, b)
    #endif
}

/// The smaller of two numbers; a NaN in `b` is passed over.
@inline(always)
func minimum(_ a: Lanes, _ b: Lanes) -> Lanes {
    #if SSF_AVX512
        ssf_minimum16(a, b)
    #elseif SSF_AVX2
        ssf_minimum8(a, b)
    #else
        ssf_minimum4(a, b)
    #endif
}

/// Lane by lane: `a` where x < 0, else `b`.
@inline(always)
func select(negative x: Lanes, _ a: Lanes, _ b: Lanes) -> Lanes {
    #if SSF_AVX512
        ssf_select_negative16(x, a, b)
    #elseif SSF_AVX2
        ssf_select_negative8(x, a, b)
    #else
        ssf_select_negative4(x, a, b)
    #endif
}

/// The first `count` lanes of `x`, the others from `other`.
@inline(always)
func keep(first count: Int, of x: Lanes, else other: Lanes) -> Lanes {
    #if SSF_AVX512
        ssf_keep_first16(x, Int32(truncatingIfNeeded: count), other)
    #elseif SSF_AVX2
        ssf_keep_first8(x, Int32(truncatingIfNeeded: count), other)
    #else
        ssf_keep_first4(x, Int32(truncatingIfNeeded: count), other)
    #endif
}

@inline(always)
func magnitude(_ x: Lanes) -> Lanes {
    #if SSF_AVX512
        ssf_magnitude16(x)
    #elseif SSF_AVX2
        ssf_magnitude8(x)
    #else
        ssf_magnitude4(x)
    #endif
}

@inline(always)
func squareRoot(_ x: Lanes) -> Lanes {
    #if SSF_AVX512
        ssf_square_root16(x)
    #elseif SSF_AVX2
        ssf_square_root8(x)
    #else
        ssf_square_root4(x)
    #endif
}

@inline(always)
func squareRoot(_ x: Float) -> Float {
    ssf_square_root(x)
}

// MARK: - Reductions

/// The sum of the lanes, halves first.
@inline(always)
func sum(_ x: Lanes) -> Float {
    #if SSF_AVX512
        let eight = ssf_low_half16(x) + ssf_high_half16(x)
        let four = ssf_low_half8(eight) + ssf_high_half8(eight)
    #elseif SSF_AVX2
        let four = ssf_low_half8(x) + ssf_high_half8(x)
    #else
        let four = x
    #endif
    return (four[0] + four[2]) + (four[1] + four[3])
}

/// The sum of all lanes of two vectors in double precision, halves first.
@inline(always)
func doubleSum(_ x: Lanes, _ y: Lanes) -> Double {
    #if SSF_AVX512
        ssf_sum16(x, y)
    #elseif SSF_AVX2
        ssf_sum8(x, y)
    #else
        ssf_sum4(x, y)
    #endif
}

/// The greatest of the lanes.
@inline(always)
func maximum(_ x: Lanes) -> Float {
    #if SSF_AVX512
        let eight = ssf_maximum8(ssf_low_half16(x), ssf_high_half16(x))
        let four = ssf_maximum4(ssf_low_half8(eight), ssf_high_half8(eight))
    #elseif SSF_AVX2
        let four = ssf_maximum4(ssf_low_half8(x), ssf_high_half8(x))
    #else
        let four = x
    #endif
    let even = four[2] > four[0] ? four[2] : four[0]
    let odd = four[3] > four[1] ? four[3] : four[1]
    return odd > even ? odd : even
}
