#ifndef SSF_COPENMP_SHIM_H
#define SSF_COPENMP_SHIM_H

// libomp's header stands outside the include path of Swift's clang, and its GNU entry points have no public header:
// the few prototypes that are used, as libomp exports them.
void GOMP_parallel(void (*_Nonnull body)(void *_Nullable), void *_Nullable data, unsigned threads, unsigned flags);
int omp_get_thread_num(void);
int omp_get_num_threads(void);
int omp_in_parallel(void);
int omp_get_max_threads(void);
void omp_set_num_threads(int threads);
void omp_set_dynamic(int dynamic);
void kmp_set_blocktime(int milliseconds);

#endif
