#ifndef SSF_CINTRINSICS_BFLOAT16_H
#define SSF_CINTRINSICS_BFLOAT16_H

// Arithmetic on bfloat16, which Swift cannot spell. Two bfloat16 that stand together in memory travel as the bits of one
// float: the first in the lower half. A function stands here only where the flags of the importing module allow its
// instruction.

typedef float ssf_pairs16 __attribute__((ext_vector_type(16)));

#define SSF_INLINE static inline __attribute__((always_inline))

#if defined(__AVX512BF16__)
/// Lane by lane `sum + a.second * b.second + a.first * b.first` in single precision. Denormal operands, sums and results
/// count as zero, whatever the thread's control register says.
SSF_INLINE ssf_pairs16 ssf_dot_pairs16(ssf_pairs16 sum, ssf_pairs16 a, ssf_pairs16 b) {
    typedef float floats __attribute__((vector_size(64)));
    typedef __bf16 halves __attribute__((vector_size(64)));
    return (ssf_pairs16)__builtin_ia32_dpbf16ps_512((floats)sum, (halves)a, (halves)b);
}
#endif

#undef SSF_INLINE
#endif
