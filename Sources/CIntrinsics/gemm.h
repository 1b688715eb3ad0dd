#ifndef SSF_CINTRINSICS_GEMM_H
#define SSF_CINTRINSICS_GEMM_H

#include <stdbool.h>

// What the micro-kernels of a matrix product do beside multiplying. Structs of C, because the module of each instruction
// set has types of its own for whatever it declares in Swift, and these are handed to all of them. Their meaning, in
// formulas, is documented at `GEMMEpilogue` and `GEMMPrologue`. A matrix that `...IsHalf` speaks of is of bfloat16 where
// that is true and of floats where not; strides count elements.

/// What a tile applies to its sums, and where the results go. Pointers are to element (0, 0) of the whole product.
typedef struct {
    void *_Nonnull c;
    bool cIsHalf;
    long cRowStride;
    /// The row of the product whose place is the first row of `c`.
    long cFirstRow;
    bool accumulate;
    /// 0: none; 1: GELU; 2: times the derivative of GELU at `geluScale * geluInput + geluShift`.
    int activation;
    const float *_Nullable bias;
    const float *_Nullable scale;
    const float *_Nullable shift;
    void *_Nullable kept;
    bool keptIsHalf;
    long keptRowStride;
    const void *_Nullable geluInput;
    bool geluInputIsHalf;
    long geluInputRowStride;
    const float *_Nullable geluScale;
    const float *_Nullable geluShift;
    const float *_Nullable rowScale;
    const void *_Nullable residual;
    bool residualIsHalf;
    long residualRowStride;
} ssf_gemm_epilogue;

/// What happens to A while it is packed. Pointers are to element (0, 0) of the whole of A.
typedef struct {
    /// 0: nothing; 1: layer normalisation; 2: GELU; 3: the gradient of a scale and shift.
    int kind;
    const void *_Nonnull a;
    bool aIsHalf;
    /// Whether elements of A are rounded to bfloat16, for a product with such a B.
    bool rounds;
    long rowStride;
    long columnStride;
    /// Per step of k: weight and bias of the normalisation, scale and shift before GELU. Of the gradient: the scale.
    const float *_Nullable scale;
    const float *_Nullable shift;
    /// Of the gradient: the factor of a row, and what its scale was applied to.
    const float *_Nullable rowScale;
    const void *_Nullable h;
    bool hIsHalf;
    /// What is taken from it, at the same places.
    const void *_Nullable subtrahend;
    bool subtrahendIsHalf;
    long hRowStride;
} ssf_gemm_prologue;

/// What a thread has for its tiles: scratch, and what they ask the memory for while they multiply.
typedef struct {
    /// Room for a tile.
    float *_Nonnull scratch;
    /// Addresses that the next tile asks the memory for, spread over its steps, as many lines each as a row of a tile
    /// has; behind the `listCount` that it finds it has room for 64 of its own.
    void *_Nonnull list;
    long listCount;
    /// The partial sums that the next tile starts from.
    const float *_Nullable nextPartial;
} ssf_gemm_slot;

#endif
