import CIntrinsics

// A square of numbers, as many vectors as a vector has lanes, and its transposition in registers.

#if SSF_AVX512
    typealias LaneBlock = InlineArray<16, Lanes>
#elseif SSF_AVX2
    typealias LaneBlock = InlineArray<8, Lanes>
#else
    typealias LaneBlock = InlineArray<4, Lanes>
#endif

/// All zero. A literal: `InlineArray(repeating:)` is now and then left as a call.
@inline(__always)
func zeroBlock() -> LaneBlock {
    let o = Lanes()
    #if SSF_AVX512
        return [o, o, o, o, o, o, o, o, o, o, o, o, o, o, o, o]
    #elseif SSF_AVX2
        return [o, o, o, o, o, o, o, o]
    #else
        return [o, o, o, o]
    #endif
}

@inline(__always)
func interleaveLow(_ a: Lanes, _ b: Lanes) -> Lanes {
    #if SSF_AVX512
        ssf_interleave_low16(a, b)
    #elseif SSF_AVX2
        ssf_interleave_low8(a, b)
    #else
        ssf_interleave_low4(a, b)
    #endif
}

@inline(__always)
func interleaveHigh(_ a: Lanes, _ b: Lanes) -> Lanes {
    #if SSF_AVX512
        ssf_interleave_high16(a, b)
    #elseif SSF_AVX2
        ssf_interleave_high8(a, b)
    #else
        ssf_interleave_high4(a, b)
    #endif
}

/// Interleaves the first half of the rows with the second: after log2(lanes) rounds row and lane have changed places.
@inline(__always)
func interleaved(_ rows: LaneBlock) -> LaneBlock {
    var result = rows
    for i in 0..<laneCount / 2 {
        result[2 * i] = interleaveLow(rows[i], rows[i + laneCount / 2])
        result[2 * i + 1] = interleaveHigh(rows[i], rows[i + laneCount / 2])
    }
    return result
}

/// Element (i, j) becomes element (j, i).
@inline(__always)
func transposed(_ rows: LaneBlock) -> LaneBlock {
    var rows = interleaved(interleaved(rows))
    #if SSF_AVX2 || SSF_AVX512
        rows = interleaved(rows)
    #endif
    #if SSF_AVX512
        rows = interleaved(rows)
    #endif
    return rows
}
