#ifndef SSF_CINTRINSICS_FOURIER_H
#define SSF_CINTRINSICS_FOURIER_H

/// What the parts of a convolution of a square grid share.
typedef struct {
    /// Elements of a transform in either direction: even, its prime factors 2 and 3.
    long length;
    /// Rows and columns of the grid that hold numbers: the rest of `length` is zero on the way in, unread on the way out.
    long size;
    /// Columns of the spectrum: `size` rounded up to whole pairs of vectors.
    long columns;
    /// Passes of a transform.
    long passes;
    /// 2, 3 or 4 for each pass; their product is `length`.
    const int *_Nonnull radices;
    /// Cosines and sines of each pass, one pass behind the other.
    const float *_Nonnull twiddles;
} ssf_grid_plan;

#endif
