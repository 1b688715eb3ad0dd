#ifndef SSF_CINTRINSICS_SHIM_H
#define SSF_CINTRINSICS_SHIM_H

// Instructions that Swift cannot spell, as functions that always inline. Header only: feature macros follow the flags
// of the importing module.

/// Starts to bring the cache line at `address` into the first-level cache.
static inline __attribute__((always_inline)) void ssf_prefetch(const void *_Nullable address) {
    __builtin_prefetch(address, 0, 3);
}

/// The same into the second-level cache, for what is needed some ten microseconds later.
static inline __attribute__((always_inline)) void ssf_prefetch_later(const void *_Nullable address) {
    __builtin_prefetch(address, 0, 2);
}

/// The same as the first for a line that will be written.
static inline __attribute__((always_inline)) void ssf_prefetch_write(const void *_Nullable address) {
    __builtin_prefetch(address, 1, 3);
}

#if defined(__x86_64__)
/// Whether the processor has, and the operating system saves the registers of, everything in x86-64-v3 (AVX2, FMA).
static inline __attribute__((always_inline)) int ssf_cpu_supports_v3(void) {
    return __builtin_cpu_supports("x86-64-v3") != 0;
}

/// The same for x86-64-v4 (AVX-512 F, BW, CD, DQ, VL).
static inline __attribute__((always_inline)) int ssf_cpu_supports_v4(void) {
    return __builtin_cpu_supports("x86-64-v4") != 0;
}

/// The same for x86-64-v4 and the instructions on bfloat16.
static inline __attribute__((always_inline)) int ssf_cpu_supports_v4_bfloat16(void) {
    return __builtin_cpu_supports("x86-64-v4") != 0 && __builtin_cpu_supports("avx512bf16") != 0;
}
#endif

#endif
