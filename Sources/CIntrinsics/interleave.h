#ifndef SSF_CINTRINSICS_INTERLEAVE_H
#define SSF_CINTRINSICS_INTERLEAVE_H

// Interleaving the lanes of two vectors: a0 b0 a1 b1 ... Swift has no spelling that becomes one instruction. The low
// form takes the first halves of both, the high form the second halves.

typedef float ssf_interleaved4 __attribute__((ext_vector_type(4)));
typedef float ssf_interleaved8 __attribute__((ext_vector_type(8)));
typedef float ssf_interleaved16 __attribute__((ext_vector_type(16)));

static inline __attribute__((always_inline)) ssf_interleaved4 ssf_interleave_low4(
    ssf_interleaved4 a, ssf_interleaved4 b) {
    return __builtin_shufflevector(a, b, 0, 4, 1, 5);
}

static inline __attribute__((always_inline)) ssf_interleaved4 ssf_interleave_high4(
    ssf_interleaved4 a, ssf_interleaved4 b) {
    return __builtin_shufflevector(a, b, 2, 6, 3, 7);
}

#if defined(__AVX2__)
static inline __attribute__((always_inline)) ssf_interleaved8 ssf_interleave_low8(
    ssf_interleaved8 a, ssf_interleaved8 b) {
    return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}

static inline __attribute__((always_inline)) ssf_interleaved8 ssf_interleave_high8(
    ssf_interleaved8 a, ssf_interleaved8 b) {
    return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}
#endif

#if defined(__AVX512F__)
static inline __attribute__((always_inline)) ssf_interleaved16 ssf_interleave_low16(
    ssf_interleaved16 a, ssf_interleaved16 b) {
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

static inline __attribute__((always_inline)) ssf_interleaved16 ssf_interleave_high16(
    ssf_interleaved16 a, ssf_interleaved16 b) {
    return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
#endif

#endif
