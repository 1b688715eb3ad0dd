#ifndef SSF_CINTRINSICS_POINTS_H
#define SSF_CINTRINSICS_POINTS_H

// What kernels over points of the plane need besides arithmetic: pairs of coordinates from places that a list names, and
// which lanes are below a number. Swift spells both lane by lane.

#include "lanes.h"

#define SSF_INLINE static inline __attribute__((always_inline))

// A pair of floats is loaded as one number of 64 bits, wherever it lies.
typedef double ssf_pair __attribute__((aligned(4), may_alias));

/// The pairs number `index[0]`, `index[1]`, ... of an array of pairs, as x0 y0 x1 y1 ...
///
/// Loads and inserts, one pair at a time: the gather instructions of current processors are not faster.
SSF_INLINE ssf_floats4 ssf_load_pairs4(const float *_Nonnull pairs, const int *_Nonnull index) {
    const ssf_pair *p = (const ssf_pair *)pairs;
    const ssf_doubles2 found = {p[index[0]], p[index[1]]};
    return (ssf_floats4)found;
}

/// The even lanes of a, then those of b; and the odd ones.
SSF_INLINE ssf_floats4 ssf_even_lanes4(ssf_floats4 a, ssf_floats4 b) {
    return __builtin_shufflevector(a, b, 0, 2, 4, 6);
}
SSF_INLINE ssf_floats4 ssf_odd_lanes4(ssf_floats4 a, ssf_floats4 b) {
    return __builtin_shufflevector(a, b, 1, 3, 5, 7);
}

/// A bit for each lane, the first lowest: 1 where x < y.
SSF_INLINE unsigned ssf_lanes_below4(ssf_floats4 x, ssf_floats4 y) {
    typedef _Bool bits __attribute__((ext_vector_type(4)));
    const bits below = __builtin_convertvector(x < y, bits);
    return (below[0] ? 1u : 0u) | (below[1] ? 2u : 0u) | (below[2] ? 4u : 0u) | (below[3] ? 8u : 0u);
}

#if defined(__AVX2__)
SSF_INLINE ssf_floats8 ssf_load_pairs8(const float *_Nonnull pairs, const int *_Nonnull index) {
    const ssf_pair *p = (const ssf_pair *)pairs;
    const ssf_doubles4 found = {p[index[0]], p[index[1]], p[index[2]], p[index[3]]};
    return (ssf_floats8)found;
}
SSF_INLINE ssf_floats8 ssf_even_lanes8(ssf_floats8 a, ssf_floats8 b) {
    return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
}
SSF_INLINE ssf_floats8 ssf_odd_lanes8(ssf_floats8 a, ssf_floats8 b) {
    return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
}
SSF_INLINE unsigned ssf_lanes_below8(ssf_floats8 x, ssf_floats8 y) {
    typedef _Bool bits __attribute__((ext_vector_type(8)));
    return __builtin_bit_cast(unsigned char, __builtin_convertvector(x < y, bits));
}
#endif

#if defined(__AVX512F__)
SSF_INLINE ssf_floats16 ssf_load_pairs16(const float *_Nonnull pairs, const int *_Nonnull index) {
    const ssf_pair *p = (const ssf_pair *)pairs;
    const ssf_doubles8 found = {p[index[0]], p[index[1]], p[index[2]], p[index[3]],
                                p[index[4]], p[index[5]], p[index[6]], p[index[7]]};
    return (ssf_floats16)found;
}
SSF_INLINE ssf_floats16 ssf_even_lanes16(ssf_floats16 a, ssf_floats16 b) {
    return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
}
SSF_INLINE ssf_floats16 ssf_odd_lanes16(ssf_floats16 a, ssf_floats16 b) {
    return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
}
SSF_INLINE unsigned ssf_lanes_below16(ssf_floats16 x, ssf_floats16 y) {
    typedef _Bool bits __attribute__((ext_vector_type(16)));
    return __builtin_bit_cast(unsigned short, __builtin_convertvector(x < y, bits));
}
#endif

#undef SSF_INLINE

#endif
