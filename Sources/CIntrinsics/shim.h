#ifndef SSF_CINTRINSICS_SHIM_H
#define SSF_CINTRINSICS_SHIM_H

// Instructions that Swift cannot spell, as functions that always inline. Header only: feature macros follow the flags
// of the importing module.

/// Starts to bring the cache line at `address` into the first-level cache.
static inline __attribute__((always_inline)) void ssf_prefetch(const void *_Nullable address) {
    __builtin_prefetch(address, 0, 3);
}

#endif
