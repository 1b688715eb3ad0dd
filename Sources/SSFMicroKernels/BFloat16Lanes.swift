import CIntrinsics

// Vectors of bfloat16: rounded from floats, widened to floats, and in pairs, which are vectors whose lanes hold two
// bfloat16 each, the first in the lower half. A pair must only be moved, never calculated with as a float.

/// The nearest bfloat16, ties to even, as a float. What is too large becomes infinite, a NaN stays one, quiet.
@inline(always)
func roundedToHalf(_ x: Lanes) -> Lanes {
    #if SSF_AVX512
        ssf_clear_lower_halves16(ssf_round_halves16(x))
    #elseif SSF_AVX2
        ssf_clear_lower_halves8(ssf_round_halves8(x))
    #else
        ssf_clear_lower_halves4(ssf_round_halves4(x))
    #endif
}

@inline(always)
func roundedToHalf(_ x: Float) -> UInt16 {
    let bits = x.bitPattern
    if x != x { return UInt16(truncatingIfNeeded: bits &>> 16) | 0x40 }
    return UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ (bits &>> 16 & 1)) &>> 16)
}

@inline(always)
func widened(_ x: UInt16) -> Float {
    Float(bitPattern: UInt32(truncatingIfNeeded: x) &<< 16)
}

// MARK: - Memory

/// As many bfloat16 as a vector has lanes.
@inline(always)
func load(_ address: UnsafePointer<UInt16>) -> Lanes {
    #if SSF_AVX512
        ssf_load_halves16(address)
    #elseif SSF_AVX2
        ssf_load_halves8(address)
    #else
        ssf_load_halves4(address)
    #endif
}

/// The first `count` lanes from memory, the others zero; touches nothing behind them.
@inline(always)
func load(_ address: UnsafePointer<UInt16>, first count: Int) -> Lanes {
    var x = Lanes()
    for i in 0..<laneCount where i < count { x[i] = widened(address[i]) }
    return x
}

/// Stores the lanes, rounded.
@inline(always)
func store(_ x: Lanes, _ address: UnsafeMutablePointer<UInt16>) {
    #if SSF_AVX512
        ssf_store_halves16(address, ssf_round_halves16(x))
    #elseif SSF_AVX2
        ssf_store_halves8(address, ssf_round_halves8(x))
    #else
        ssf_store_halves4(address, ssf_round_halves4(x))
    #endif
}

/// Stores the first `count` lanes, rounded; touches nothing behind them.
@inline(always)
func store(_ x: Lanes, _ address: UnsafeMutablePointer<UInt16>, first count: Int) {
    for i in 0..<laneCount where i < count { address[i] = roundedToHalf(x[i]) }
}

// MARK: - Pairs

/// Pairs of the lanes of two vectors, rounded.
@inline(always)
func roundedPairs(_ first: Lanes, _ second: Lanes) -> Lanes {
    #if SSF_AVX512
        ssf_make_pairs16(ssf_round_halves16(first), ssf_round_halves16(second))
    #elseif SSF_AVX2
        ssf_make_pairs8(ssf_round_halves8(first), ssf_round_halves8(second))
    #else
        ssf_make_pairs4(ssf_round_halves4(first), ssf_round_halves4(second))
    #endif
}

/// Pairs of what is at two addresses.
@inline(always)
func pairs(_ first: UnsafePointer<UInt16>, _ second: UnsafePointer<UInt16>) -> Lanes {
    #if SSF_AVX512
        ssf_merge_pairs16(first, second)
    #elseif SSF_AVX2
        ssf_merge_pairs8(first, second)
    #else
        ssf_merge_pairs4(first, second)
    #endif
}

/// The first of each pair as a float.
@inline(always)
func firstOfPairs(_ x: Lanes) -> Lanes {
    #if SSF_AVX512
        ssf_first_of_pairs16(x)
    #elseif SSF_AVX2
        ssf_first_of_pairs8(x)
    #else
        ssf_first_of_pairs4(x)
    #endif
}

/// The second of each pair as a float.
@inline(always)
func secondOfPairs(_ x: Lanes) -> Lanes {
    #if SSF_AVX512
        ssf_clear_lower_halves16(x)
    #elseif SSF_AVX2
        ssf_clear_lower_halves8(x)
    #else
        ssf_clear_lower_halves4(x)
    #endif
}
