#ifndef SSF_CINTRINSICS_BFLOAT16_H
#define SSF_CINTRINSICS_BFLOAT16_H

// bfloat16 is the upper half of a float. Here are its rounding, its widening, and pairs of them: two that stand together
// in memory travel as the bits of one float, the first in the lower half. A function stands here only where the flags of
// the importing module allow its instruction.

#define SSF_INLINE static inline __attribute__((always_inline))

/// The functions for vectors of `N` lanes:
///
/// round_halves: the bits of the nearest float that has only an upper half, ties to even; what is too large becomes
/// infinite, a NaN stays one and becomes quiet. The lower half of the result is not cleared.
/// clear_lower_halves: what is left is the float of that value.
/// store_halves: the upper halves to memory; halves_at: from memory. At any address.
/// load_halves: the same as floats.
#define SSF_HALVES(N)                                                                                          \
    typedef float ssf_half_floats##N __attribute__((ext_vector_type(N)));                                      \
    typedef unsigned ssf_half_words##N __attribute__((ext_vector_type(N)));                                    \
    typedef unsigned short ssf_halves##N __attribute__((ext_vector_type(N)));                                  \
    SSF_INLINE ssf_half_floats##N ssf_round_halves##N(ssf_half_floats##N x) {                                  \
        const ssf_half_words##N bits = (ssf_half_words##N)x;                                                   \
        const ssf_half_words##N rounded = bits + 0x7fff + (bits >> 16 & 1);                                    \
        return (ssf_half_floats##N)(x != x ? bits | 0x400000 : rounded);                                       \
    }                                                                                                          \
    SSF_INLINE ssf_half_floats##N ssf_clear_lower_halves##N(ssf_half_floats##N x) {                            \
        return (ssf_half_floats##N)((ssf_half_words##N)x & 0xffff0000);                                        \
    }                                                                                                          \
    SSF_INLINE void ssf_store_halves##N(unsigned short *_Nonnull address, ssf_half_floats##N x) {              \
        const ssf_halves##N halves = __builtin_convertvector((ssf_half_words##N)x >> 16, ssf_halves##N);       \
        __builtin_memcpy(address, &halves, 2 * N);                                                             \
    }                                                                                                          \
    SSF_INLINE ssf_halves##N ssf_halves_at##N(const unsigned short *_Nonnull address) {                        \
        ssf_halves##N halves;                                                                                  \
        __builtin_memcpy(&halves, address, 2 * N);                                                             \
        return halves;                                                                                         \
    }

#define SSF_LOAD_HALVES(N)                                                                                     \
    SSF_INLINE ssf_half_floats##N ssf_load_halves##N(const unsigned short *_Nonnull address) {                 \
        return (ssf_half_floats##N)(__builtin_convertvector(ssf_halves_at##N(address), ssf_half_words##N) << 16); \
    }

SSF_HALVES(4)
#if defined(__x86_64__) && !defined(__AVX2__)
/// Between zeros, which is one operation where widening and shifting are two.
SSF_INLINE ssf_half_floats4 ssf_load_halves4(const unsigned short *_Nonnull address) {
    const ssf_halves4 zero = {0};
    return (ssf_half_floats4)__builtin_shufflevector(zero, ssf_halves_at4(address), 0, 4, 1, 5, 2, 6, 3, 7);
}
#else
SSF_LOAD_HALVES(4)
#endif
#if defined(__AVX2__)
SSF_HALVES(8)
SSF_LOAD_HALVES(8)
#endif
#if defined(__AVX512F__)
SSF_HALVES(16)
SSF_LOAD_HALVES(16)
#endif
#undef SSF_LOAD_HALVES
#undef SSF_HALVES

#if defined(__AVX512BF16__)
/// Lane by lane `sum + a.second * b.second + a.first * b.first` in single precision. Denormal operands, sums and results
/// count as zero, whatever the thread's control register says.
SSF_INLINE ssf_half_floats16 ssf_dot_pairs16(ssf_half_floats16 sum, ssf_half_floats16 a, ssf_half_floats16 b) {
    typedef float floats __attribute__((vector_size(64)));
    typedef __bf16 halves __attribute__((vector_size(64)));
    return (ssf_half_floats16)__builtin_ia32_dpbf16ps_512((floats)sum, (halves)a, (halves)b);
}

/// 32 floats in the order of memory, `low` before `high`, as 16 pairs of neighbours, rounded as by round_halves but that
/// denormal numbers become zero.
SSF_INLINE ssf_half_floats16 ssf_round_neighbours16(ssf_half_floats16 low, ssf_half_floats16 high) {
    typedef float floats __attribute__((vector_size(64)));
    return (ssf_half_floats16)__builtin_ia32_cvtne2ps2bf16_512((floats)high, (floats)low);
}

/// The same for pairs lane by lane.
SSF_INLINE ssf_half_floats16 ssf_round_to_pairs16(ssf_half_floats16 first, ssf_half_floats16 second) {
    typedef short shorts __attribute__((ext_vector_type(32)));
    const shorts x = (shorts)ssf_round_neighbours16(first, second);
    return (ssf_half_floats16)__builtin_shufflevector(
        x, x, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14,
        30, 15, 31);
}
#endif

#undef SSF_INLINE
#endif
