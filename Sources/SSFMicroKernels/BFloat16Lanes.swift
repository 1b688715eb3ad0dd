import CIntrinsics

// Vectors of bfloat16: rounded from floats, widened to floats, and in pairs, which are vectors whose lanes hold two
// bfloat16 each, the first in the lower half. Pairs are moved and multiplied as pairs, never as floats.

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

// A matrix in memory is of floats or, where `isHalf`, of bfloat16.

@inline(always)
func load(_ address: UnsafeRawPointer, isHalf: Bool) -> Lanes {
    isHalf ? load(address.assumingMemoryBound(to: UInt16.self)) : load(address.assumingMemoryBound(to: Float.self))
}

/// Element `i` and those behind it; `part` as for floats.
@inline(always)
func load(_ base: UnsafeRawPointer, _ i: Int, isHalf: Bool, part: Int) -> Lanes {
    if isHalf {
        let address = base.assumingMemoryBound(to: UInt16.self) + i
        return part == 0 ? load(address) : load(address, first: part)
    }
    return load(base.assumingMemoryBound(to: Float.self) + i, part: part)
}

@inline(always)
func store(_ x: Lanes, _ base: UnsafeMutableRawPointer, _ i: Int, isHalf: Bool, part: Int) {
    if isHalf {
        let address = base.assumingMemoryBound(to: UInt16.self) + i
        if part == 0 { store(x, address) } else { store(x, address, first: part) }
    } else {
        store(x, base.assumingMemoryBound(to: Float.self) + i, part: part)
    }
}

@inline(always)
func element(_ base: UnsafeRawPointer, _ i: Int, isHalf: Bool) -> Float {
    isHalf
        ? widened(base.assumingMemoryBound(to: UInt16.self)[i]) : base.assumingMemoryBound(to: Float.self)[i]
}

/// Bytes of an element.
@inline(always)
func bytes(isHalf: Bool) -> Int { isHalf ? 2 : 4 }

// MARK: - Pairs

#if SSF_AVX512BF16
    /// Pairs of the lanes of two vectors, rounded; denormal numbers become zero.
    @inline(always)
    func roundedPairs(_ first: Lanes, _ second: Lanes) -> Lanes {
        ssf_round_to_pairs16(first, second)
    }

    @inline(always)
    func pair(_ first: Float, _ second: Float) -> Float {
        let bits = UInt32(truncatingIfNeeded: roundedToHalf(second)) &<< 16
        return Float(bitPattern: bits | UInt32(truncatingIfNeeded: roundedToHalf(first)))
    }

    /// Pairs of neighbours, `low` before `high`, rounded; denormal numbers become zero.
    @inline(always)
    func roundedNeighbours(_ low: Lanes, _ high: Lanes) -> Lanes {
        ssf_round_neighbours16(low, high)
    }
#endif
