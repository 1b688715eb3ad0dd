#ifndef SSF_CINTRINSICS_LANES_H
#define SSF_CINTRINSICS_LANES_H

// Operations on whole vectors that Swift either cannot spell or spells lane by lane. A function stands here only where
// the flags of the importing module allow its instruction.

typedef float ssf_floats4 __attribute__((ext_vector_type(4)));
typedef float ssf_floats8 __attribute__((ext_vector_type(8)));
typedef float ssf_floats16 __attribute__((ext_vector_type(16)));
typedef int ssf_ints4 __attribute__((ext_vector_type(4)));
typedef int ssf_ints8 __attribute__((ext_vector_type(8)));
typedef int ssf_ints16 __attribute__((ext_vector_type(16)));

#define SSF_INLINE static inline __attribute__((always_inline))

/// The square root of a number, and of every lane, correctly rounded (Swift's own calls the library for negatives).
SSF_INLINE float ssf_square_root(float x) { return __builtin_elementwise_sqrt(x); }
SSF_INLINE ssf_floats4 ssf_square_root4(ssf_floats4 x) { return __builtin_elementwise_sqrt(x); }

/// `c + a * b` and `c - a * b`: rounded once where the architecture's baseline has a fused operation (arm64), twice where
/// it has not (x86-64). Swift's operators on vectors go lane by lane and count on the optimiser to find the vectors again;
/// in long expressions it finds the wrong ones.
SSF_INLINE ssf_floats4 ssf_multiply_add4(ssf_floats4 a, ssf_floats4 b, ssf_floats4 c) {
#if defined(__aarch64__)
    return __builtin_elementwise_fma(a, b, c);
#else
    return a * b + c;
#endif
}
SSF_INLINE ssf_floats4 ssf_multiply_subtract4(ssf_floats4 a, ssf_floats4 b, ssf_floats4 c) {
#if defined(__aarch64__)
    return __builtin_elementwise_fma(-a, b, c);
#else
    return c - a * b;
#endif
}

/// Sum and difference.
SSF_INLINE ssf_floats4 ssf_add4(ssf_floats4 a, ssf_floats4 b) { return a + b; }
SSF_INLINE ssf_floats4 ssf_subtract4(ssf_floats4 a, ssf_floats4 b) { return a - b; }

/// |x|; the greater and the smaller of two numbers, `a` where one of them is NaN. (Swift's own forms become scalar code
/// now and then.)
SSF_INLINE ssf_floats4 ssf_magnitude4(ssf_floats4 x) { return __builtin_elementwise_abs(x); }
SSF_INLINE ssf_floats4 ssf_maximum4(ssf_floats4 a, ssf_floats4 b) { return b > a ? b : a; }
SSF_INLINE ssf_floats4 ssf_minimum4(ssf_floats4 a, ssf_floats4 b) { return b < a ? b : a; }

/// Lane by lane: `a` where x < 0, else `b`.
SSF_INLINE ssf_floats4 ssf_select_negative4(ssf_floats4 x, ssf_floats4 a, ssf_floats4 b) { return x < 0 ? a : b; }

/// The first `count` lanes of `x`, the others from `other`.
SSF_INLINE ssf_floats4 ssf_keep_first4(ssf_floats4 x, int count, ssf_floats4 other) {
    const ssf_ints4 lanes = {0, 1, 2, 3};
    return lanes < count ? x : other;
}

/// The sum of all lanes of two vectors, in double precision, halves first.
typedef double ssf_doubles2 __attribute__((ext_vector_type(2)));
typedef double ssf_doubles4 __attribute__((ext_vector_type(4)));
SSF_INLINE double ssf_sum_of_doubles4(ssf_doubles4 x) {
    const ssf_doubles2 two = x.lo + x.hi;
    return two.x + two.y;
}
SSF_INLINE double ssf_sum4(ssf_floats4 x, ssf_floats4 y) {
    return ssf_sum_of_doubles4(__builtin_convertvector(x, ssf_doubles4) + __builtin_convertvector(y, ssf_doubles4));
}

/// Stores past the caches, for an address that is a multiple of the vector's size. Other threads may see it late: a thread
/// that has stored so ends with ``ssf_finish_streaming``.
SSF_INLINE void ssf_stream4(float *_Nonnull address, ssf_floats4 x) {
    __builtin_nontemporal_store(x, (ssf_floats4 *)address);
}
SSF_INLINE void ssf_finish_streaming(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

#if defined(__AVX2__)
typedef double ssf_doubles8 __attribute__((ext_vector_type(8)));
SSF_INLINE double ssf_sum8(ssf_floats8 x, ssf_floats8 y) {
    const ssf_doubles4 low = __builtin_convertvector(x.lo, ssf_doubles4) + __builtin_convertvector(y.lo, ssf_doubles4);
    const ssf_doubles4 high = __builtin_convertvector(x.hi, ssf_doubles4) + __builtin_convertvector(y.hi, ssf_doubles4);
    return ssf_sum_of_doubles4(low + high);
}

SSF_INLINE void ssf_stream8(float *_Nonnull address, ssf_floats8 x) {
    __builtin_nontemporal_store(x, (ssf_floats8 *)address);
}
SSF_INLINE ssf_floats8 ssf_square_root8(ssf_floats8 x) { return __builtin_elementwise_sqrt(x); }
SSF_INLINE ssf_floats8 ssf_add8(ssf_floats8 a, ssf_floats8 b) { return a + b; }
SSF_INLINE ssf_floats8 ssf_subtract8(ssf_floats8 a, ssf_floats8 b) { return a - b; }
SSF_INLINE ssf_floats8 ssf_magnitude8(ssf_floats8 x) { return __builtin_elementwise_abs(x); }
SSF_INLINE ssf_floats8 ssf_maximum8(ssf_floats8 a, ssf_floats8 b) { return b > a ? b : a; }
SSF_INLINE ssf_floats8 ssf_minimum8(ssf_floats8 a, ssf_floats8 b) { return b < a ? b : a; }

SSF_INLINE ssf_floats8 ssf_select_negative8(ssf_floats8 x, ssf_floats8 a, ssf_floats8 b) { return x < 0 ? a : b; }

SSF_INLINE ssf_floats4 ssf_low_half8(ssf_floats8 x) { return x.lo; }
SSF_INLINE ssf_floats4 ssf_high_half8(ssf_floats8 x) { return x.hi; }

/// `c + a * b` and `c - a * b`, rounded once. (Swift's `addingProduct` goes lane by lane and counts on the optimiser to
/// find the vectors again; its negation is a subtraction, which none may fold.)
SSF_INLINE ssf_floats8 ssf_multiply_add8(ssf_floats8 a, ssf_floats8 b, ssf_floats8 c) {
    return __builtin_elementwise_fma(a, b, c);
}
SSF_INLINE ssf_floats8 ssf_multiply_subtract8(ssf_floats8 a, ssf_floats8 b, ssf_floats8 c) {
    return __builtin_elementwise_fma(-a, b, c);
}

/// Lane i becomes element `indices[i]` of the table; only the lowest three bits of an index count.
SSF_INLINE ssf_floats8 ssf_look_up8(ssf_floats8 table, ssf_ints8 indices) {
    typedef float floats __attribute__((vector_size(32)));
    typedef int ints __attribute__((vector_size(32)));
    return (ssf_floats8)__builtin_ia32_permvarsf256((floats)table, (ints)indices);
}

/// All ones in the first `count` lanes.
SSF_INLINE ssf_ints8 ssf_first_lanes8(int count) {
    const ssf_ints8 lanes = {0, 1, 2, 3, 4, 5, 6, 7};
    return lanes < count;
}

SSF_INLINE ssf_floats8 ssf_keep_first8(ssf_floats8 x, int count, ssf_floats8 other) {
    return ssf_first_lanes8(count) ? x : other;
}

/// The first `count` lanes from memory, the others zero; touches no byte behind them.
SSF_INLINE ssf_floats8 ssf_load_first8(const float *_Nonnull address, int count) {
    typedef float floats __attribute__((vector_size(32)));
    typedef int ints __attribute__((vector_size(32)));
    return (ssf_floats8)__builtin_ia32_maskloadps256((const floats *)address, (ints)ssf_first_lanes8(count));
}

/// Stores the first `count` lanes; touches no byte behind them.
SSF_INLINE void ssf_store_first8(float *_Nonnull address, int count, ssf_floats8 x) {
    typedef float floats __attribute__((vector_size(32)));
    typedef int ints __attribute__((vector_size(32)));
    __builtin_ia32_maskstoreps256((floats *)address, (ints)ssf_first_lanes8(count), (floats)x);
}
#endif

#if defined(__AVX512F__)
SSF_INLINE double ssf_sum16(ssf_floats16 x, ssf_floats16 y) {
    const ssf_doubles8 low = __builtin_convertvector(x.lo, ssf_doubles8) + __builtin_convertvector(y.lo, ssf_doubles8);
    const ssf_doubles8 high = __builtin_convertvector(x.hi, ssf_doubles8) + __builtin_convertvector(y.hi, ssf_doubles8);
    const ssf_doubles8 eight = low + high;
    return ssf_sum_of_doubles4(eight.lo + eight.hi);
}

SSF_INLINE void ssf_stream16(float *_Nonnull address, ssf_floats16 x) {
    __builtin_nontemporal_store(x, (ssf_floats16 *)address);
}
SSF_INLINE ssf_floats16 ssf_square_root16(ssf_floats16 x) { return __builtin_elementwise_sqrt(x); }
SSF_INLINE ssf_floats16 ssf_add16(ssf_floats16 a, ssf_floats16 b) { return a + b; }
SSF_INLINE ssf_floats16 ssf_subtract16(ssf_floats16 a, ssf_floats16 b) { return a - b; }
SSF_INLINE ssf_floats16 ssf_magnitude16(ssf_floats16 x) { return __builtin_elementwise_abs(x); }
SSF_INLINE ssf_floats16 ssf_maximum16(ssf_floats16 a, ssf_floats16 b) { return b > a ? b : a; }
SSF_INLINE ssf_floats16 ssf_minimum16(ssf_floats16 a, ssf_floats16 b) { return b < a ? b : a; }

SSF_INLINE ssf_floats16 ssf_select_negative16(ssf_floats16 x, ssf_floats16 a, ssf_floats16 b) {
    return x < 0 ? a : b;
}
SSF_INLINE ssf_floats16 ssf_keep_first16(ssf_floats16 x, int count, ssf_floats16 other) {
    const ssf_ints16 lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return lanes < count ? x : other;
}

/// The two halves of a vector (Swift's `lowHalf` is not always inlined).
SSF_INLINE ssf_floats8 ssf_low_half16(ssf_floats16 x) { return x.lo; }
SSF_INLINE ssf_floats8 ssf_high_half16(ssf_floats16 x) { return x.hi; }

/// The first `count` lanes from memory, the others zero; touches no byte behind them.
SSF_INLINE ssf_floats16 ssf_load_first16(const float *_Nonnull address, int count) {
    typedef float floats __attribute__((vector_size(64)));
    const floats zero = {0};
    return (ssf_floats16)__builtin_ia32_loadups512_mask(
        (const float *)address, zero, (unsigned short)((1u << count) - 1));
}

/// Stores the first `count` lanes; touches no byte behind them.
SSF_INLINE void ssf_store_first16(float *_Nonnull address, int count, ssf_floats16 x) {
    typedef float floats __attribute__((vector_size(64)));
    __builtin_ia32_storeups512_mask(address, (floats)x, (unsigned short)((1u << count) - 1));
}

/// Lane i becomes element `indices[i]` of the table; only the lowest four bits of an index count.
SSF_INLINE ssf_floats16 ssf_look_up16(ssf_floats16 table, ssf_ints16 indices) {
    typedef float floats __attribute__((vector_size(64)));
    typedef int ints __attribute__((vector_size(64)));
    return (ssf_floats16)__builtin_ia32_permvarsf512((floats)table, (ints)indices);
}

/// `x`, computed before everything that stands behind the call: the compiler keeps such calls in the order in which they
/// are written. Operations on several independent vectors, written in turn, stay interleaved, which the processor needs
/// when its window of instructions is shorter than the chain of one vector.
SSF_INLINE ssf_floats16 ssf_in_order16(ssf_floats16 x) {
    __asm__ volatile("" : "+v"(x));
    return x;
}

/// `c + a * b` and `c - a * b`, rounded once. (Swift's `addingProduct` goes lane by lane and counts on the optimiser to
/// find the vectors again; its negation is a subtraction, which none may fold.)
SSF_INLINE ssf_floats16 ssf_multiply_add16(ssf_floats16 a, ssf_floats16 b, ssf_floats16 c) {
    return __builtin_elementwise_fma(a, b, c);
}
SSF_INLINE ssf_floats16 ssf_multiply_subtract16(ssf_floats16 a, ssf_floats16 b, ssf_floats16 c) {
    return __builtin_elementwise_fma(-a, b, c);
}

/// `x * 2^n` rounded once, with the right overflow and the right denormal numbers; n is a whole number.
SSF_INLINE ssf_floats16 ssf_scale_by_power_of_two16(ssf_floats16 x, ssf_floats16 n) {
    typedef float floats __attribute__((vector_size(64)));
    return (ssf_floats16)__builtin_ia32_scalefps512_mask((floats)x, (floats)n, (floats)x, (unsigned short)-1, 4);
}
#endif

#undef SSF_INLINE
#endif
