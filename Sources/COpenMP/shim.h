#ifndef SSF_COPENMP_SHIM_H
#define SSF_COPENMP_SHIM_H

// libomp's header stands outside the include path of Swift's clang, and its GNU entry points have no public header:
// the few prototypes that are used, as libomp exports them.
void GOMP_parallel(void (*_Nonnull body)(void *_Nullable), void *_Nullable data, unsigned threads, unsigned flags);
int omp_get_thread_num(void);
void kmp_set_blocktime(int milliseconds);

#if defined(__linux__)
// The C library declares these for _GNU_SOURCE only, which Swift's importer does not define.
int ssf_sched_getaffinity(int thread, unsigned long bytes, void *_Nonnull mask) __asm__("sched_getaffinity");
int ssf_sched_setaffinity(int thread, unsigned long bytes, const void *_Nonnull mask) __asm__("sched_setaffinity");
#endif

#endif
