#ifndef SSF_CINTRINSICS_ATTENTION_H
#define SSF_CINTRINSICS_ATTENTION_H

#include <stdbool.h>

/// What attention reads of one head: pointers to its first token, rows a stride of elements apart.
typedef struct {
    long tokens;
    long width;
    /// Factor of the scores.
    float scale;
    const void *_Nonnull q;
    const void *_Nonnull k;
    const void *_Nonnull v;
    /// Whether these are of bfloat16 and not of floats.
    bool isHalf;
    /// Whether what is multiplied is rounded to bfloat16 first; where an instruction multiplies bfloat16 it always is.
    bool rounds;
    long rowStride;
    /// Elements from here to the head that this thread is likely to do next.
    long next;
    /// Scales and shifts of the head's queries, keys and values, [width] each, where these are stored before them; all
    /// of them or none.
    const float *_Nullable qScale;
    const float *_Nullable qShift;
    const float *_Nullable kScale;
    const float *_Nullable kShift;
    const float *_Nullable vScale;
    const float *_Nullable vShift;
} ssf_attention_inputs;

#endif
