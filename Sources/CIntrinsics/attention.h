#ifndef SSF_CINTRINSICS_ATTENTION_H
#define SSF_CINTRINSICS_ATTENTION_H

/// Scales and shifts of a head's queries, keys and values, [head width] each, where these are stored before them.
typedef struct {
    const float *_Nonnull qScale;
    const float *_Nonnull qShift;
    const float *_Nonnull kScale;
    const float *_Nonnull kShift;
    const float *_Nonnull vScale;
    const float *_Nonnull vShift;
} ssf_attention_affine;

#endif
